import { z } from 'zod'
import type { Standing } from '../stores/stores.ts'

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

/** What was kept; undefined when it cannot be read, which is not the same as "nothing was decided". */
export function readStanding(standing: Standing | undefined): PolicyStanding | undefined {
  if (standing === undefined) return NOTHING_DECIDED
  const { success, data } = policyStanding.safeParse(standing.value)
  return success ? data : undefined
}

/** Whether a version was revoked. */
export const isRevoked = ({ revoked }: PolicyStanding, asked: number): boolean => revoked.some((entry) => entry.version === asked)
