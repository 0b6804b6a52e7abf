import { z } from 'zod'
import type { DocumentStore, Standing } from '../stores/stores.ts'

const version = z.int().min(1)

/** Which versions of a policy count. What was revoked never counts again. */
const policyStanding = z.strictObject({
  active: version.nullable(),
  shadow: version.nullable(),
  revoked: z.array(z.strictObject({ version, reason: z.string().nullable() })),
})

/** Which versions of a policy count, as it is kept. */
export type PolicyStanding = z.output<typeof policyStanding>

/** Before anything was decided. */
const NOTHING_DECIDED: PolicyStanding = { active: null, shadow: null, revoked: [] }

/** What is kept of one policy. */
export type KeptStanding = {
  /** Undefined when it cannot be read, which is not the same as "nothing was decided". */
  readonly standing: PolicyStanding | undefined
  readonly counter: number
}

/** Reads what counts of a policy. A standing that is lost is as none, but for what was revoked. */
export async function keptStanding(name: string, store: DocumentStore): Promise<KeptStanding> {
  const kept = await store.standing('policies', name)
  const standing = readStanding(kept)
  // Asked last: a revocation is in both, so none is missed that came meanwhile.
  const revoked = await store.revoked('policies', name)
  return { standing: standing && withoutRevoked(standing, revoked), counter: kept?.counter ?? 0 }
}

function readStanding(standing: Standing | undefined): PolicyStanding | undefined {
  if (standing === undefined) return NOTHING_DECIDED
  const { success, data } = policyStanding.safeParse(standing.value)
  return success ? data : undefined
}

/** What the head says to be revoked counts for nothing, whatever the standing says. */
const withoutRevoked = (standing: PolicyStanding, known: readonly number[]): PolicyStanding =>
  known.reduce((before, asked) => (isRevoked(before, asked) ? before : revokedIn(before, asked, null)), standing)

/** The standing once a version is revoked. */
export const revokedIn = (standing: PolicyStanding, asked: number, reason: string | null): PolicyStanding => ({
  active: standing.active === asked ? null : standing.active,
  shadow: standing.shadow === asked ? null : standing.shadow,
  revoked: isRevoked(standing, asked) ? standing.revoked : [...standing.revoked, { version: asked, reason }],
})

/** Whether a version was revoked. */
export const isRevoked = ({ revoked }: PolicyStanding, asked: number): boolean => revoked.some((entry) => entry.version === asked)
