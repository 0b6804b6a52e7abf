import { z } from 'zod'
import { line } from './policy-values.ts'
import { time } from './time.ts'

/** Why something was revoked. Short, because the standing of a thousand versions is one record (stores/document-limits.ts). */
export const revocationReason = () => line(150)

const active = z.strictObject({ state: z.literal('active') })
const deprecated = z.strictObject({ state: z.literal('deprecated'), until: time() })
const revoked = z.strictObject({ state: z.literal('revoked'), reason: revocationReason() })

/** What was decided about a version: nothing yet (it is a draft), that it counts, counts until a time, or never again, and why. */
const versionStanding = z.discriminatedUnion('state', [active, deprecated, revoked], {
  error: 'expected `state: active`, `state: deprecated` with `until`, or `state: revoked` with `reason`',
})

/** The same in a file, where a draft says so. */
export const fileStanding = z.discriminatedUnion('state', [z.strictObject({ state: z.literal('draft') }), active, deprecated, revoked], {
  error: 'expected `state: draft`, `state: active`, `state: deprecated` with `until`, or `state: revoked` with `reason`',
})

/** What was decided about a version, or that nothing was. */
export type VersionStanding = Readonly<z.output<typeof versionStanding>> | { readonly state: 'draft' }

const VERSION = /^[1-9][0-9]{0,5}$/

const referenceStanding = z.strictObject({ versions: z.record(z.string().regex(VERSION), versionStanding) })

/** The value of a set's standing in the store: a version that is not in it is a draft. Several may be active, for a roll-out. */
export type ReferenceStanding = z.output<typeof referenceStanding>

/** A set of which nothing was decided. */
export const NOTHING_DECIDED: ReferenceStanding = { versions: {} }

/** The standing as kept; undefined when it cannot be understood, so that nothing of the set counts. */
export const readReferenceStanding = (value: unknown): ReferenceStanding | undefined => referenceStanding.safeParse(value).data

/** What was decided about one version. */
export const standingOf = ({ versions }: ReferenceStanding, version: number): VersionStanding =>
  versions[`${version}`] ?? { state: 'draft' }

/** The same, with what is known to be revoked although the standing may have been lost: such a version never gives values again. */
export function withRevoked({ versions }: ReferenceStanding, known: readonly number[]): ReferenceStanding {
  const lost = known.map((version) => [`${version}`, revocationOf(versions[`${version}`])] as const)
  return { versions: { ...versions, ...Object.fromEntries(lost) } }
}

const revocationOf = (found: VersionStanding | undefined) =>
  found?.state === 'revoked' ? found : ({ state: 'revoked', reason: 'the reason was lost' } as const)

/** Every version that was revoked, in ascending order. */
export const revokedIn = ({ versions }: ReferenceStanding): readonly number[] =>
  Object.keys(versions)
    .filter((version) => versions[version]?.state === 'revoked')
    .map(Number)

/** Whether a version would give values that it does not, or for longer: what another person has to agree to. */
export function givesMore(standing: ReferenceStanding, { version, ...wanted }: ReferenceChange): boolean {
  const found = standingOf(standing, version)
  if (wanted.state !== 'deprecated') return wanted.state === 'active'
  return found.state === 'deprecated' && new Date(wanted.until) > new Date(found.until)
}

/** A decision about one version: the body of a request. */
export const referenceChange = z.union(
  [active, deprecated, revoked].map((state) => state.extend({ version: z.int().min(1).max(999_999) })),
  { error: 'expected version and `state: active`, `state: deprecated` with `until`, or `state: revoked` with `reason`' },
)

/** See {@link referenceChange}. */
export type ReferenceChange = Readonly<z.output<typeof referenceChange>>

/** Why a decision cannot be taken. */
export type ChangeRefusal = 'revoked-for-ever' | 'not-in-force' | 'already-so' | 'until-is-past'

/**
 * The standing after a decision: draft → active → deprecated → revoked. A deprecated version may be activated again, which is how a roll-out
 * is taken back; a revoked one never. A draft may be revoked, so that nobody activates it; only what is in force can be deprecated: to bring
 * back what has ended is to activate it, with all that is asked of whoever does that.
 */
export function changedStanding(standing: ReferenceStanding, change: ReferenceChange, now: Date): ReferenceStanding | ChangeRefusal {
  const { version, ...wanted } = change
  const refusal = refusalOf(standingOf(standing, version), wanted, now)
  return refusal ?? { versions: { ...standing.versions, [`${version}`]: wanted } }
}

function refusalOf(found: VersionStanding, wanted: Exclude<VersionStanding, { state: 'draft' }>, now: Date): ChangeRefusal | undefined {
  if (found.state === 'revoked') return 'revoked-for-ever'
  if (wanted.state === 'active') return found.state === 'active' ? 'already-so' : undefined
  if (wanted.state === 'revoked') return undefined
  if (!isInForce(found, now)) return 'not-in-force'
  return new Date(wanted.until) <= now ? 'until-is-past' : undefined
}

const isInForce = (found: VersionStanding, now: Date): boolean =>
  found.state === 'active' || (found.state === 'deprecated' && new Date(found.until) > now)
