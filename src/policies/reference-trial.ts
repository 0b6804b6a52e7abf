import type { PolicyReference } from '../appraisal/appraisal.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { setsNamedBy } from '../appraisal/reference-lists.ts'
import type { VersionStanding } from '../appraisal/reference-standing.ts'
import type { ReferenceSets, ReferenceVersion } from '../appraisal/resolve-references.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { unknown } from './errors.ts'
import { fill } from './fill.ts'
import { DRAFT_VERSION } from './reading.ts'
import { contentOf } from './reference-change.ts'
import type { ReferencesDeps, ReferenceState } from './reference-state.ts'
import { setOrThrow, wholeReference } from './reference-views.ts'

/** A version of a set as if it were decided so: the text of a draft, or one that is kept. Nothing is decided. */
export type ReferenceTrial = {
  readonly name: string
  readonly tried: { readonly draft: string } | { readonly version: number; readonly as: 'active' | 'revoked' }
  /** The policies to try; undefined: those that name the set. */
  readonly policies?: readonly string[] | undefined
  /** So many are tried and no more: each judges twice. */
  readonly most: number
}

/** A policy that judges by the sets as they are, and as they would be: at the same time, so that nothing else differs. */
export type PolicyPair = { readonly active: ActivePolicy; readonly tried: ActivePolicy }

/** What a trial makes of policies. */
export type TriedReferences = {
  /** The version that is tried; 0: a draft. */
  readonly reference: PolicyReference
  readonly policies: readonly PolicyPair[]
  /** Policies that name the set, too, and were not tried, because one trial tries so many and no more. */
  readonly omitted: readonly string[]
}

type Parts = { readonly deps: ReferencesDeps; readonly state: ReferenceState }

/**
 * What would become of those of these policies that name the set. Throws `reference-values-unknown`, `-invalid` and `-version-revoked`, and
 * `policy-unknown` where a policy that is asked for does not name the set. Rejects when the store cannot be read.
 */
export async function tryReferences(
  trial: ReferenceTrial,
  policies: readonly ActivePolicy[],
  { deps, state }: Parts,
): Promise<TriedReferences> {
  await state.refresh()
  const version = await triedVersion(trial, { deps, state })
  const sets = state.sets()
  const now = { sets, at: deps.now() }
  const then = { ...now, sets: withVersion(sets, trial.name, version) }
  const users = chosen(policies, trial)
  return {
    reference: { name: trial.name, version: version.version, sha256: version.sha256 },
    policies: users.slice(0, trial.most).map((policy) => ({ active: fill(policy, now).policy, tried: fill(policy, then).policy })),
    omitted: users.slice(trial.most).map(({ reference }) => reference.name),
  }
}

async function triedVersion({ name, tried }: ReferenceTrial, { deps, state }: Parts): Promise<ReferenceVersion> {
  if ('draft' in tried) return { version: DRAFT_VERSION, standing: { state: 'active' }, ...contentOf(name, tried.draft) }
  const { text, standing } = await wholeReference(setOrThrow(name, state), tried.version, deps)
  if (standing.state === 'revoked') throw revoked(tried.version)
  return { version: tried.version, standing: STANDINGS[tried.as], ...contentOf(name, text) }
}

const STANDINGS = {
  active: { state: 'active' },
  revoked: { state: 'revoked', reason: 'as this dry-run tries it' },
} as const satisfies Record<string, VersionStanding>

/** What was revoked never counts again, so there is nothing to try. */
const revoked = (version: number): AttestationError =>
  new AttestationError('reference-values-version-revoked', `version ${version} was revoked`, { at: 'version' })

/** The same sets with one version of one of them otherwise, beside its others. */
function withVersion(sets: ReferenceSets, name: string, version: ReferenceVersion): ReferenceSets {
  const others = (sets.get(name) ?? []).filter((other) => other.version !== version.version)
  return new Map([...sets, [name, [...others, version]]])
}

function chosen(policies: readonly ActivePolicy[], { name, policies: wanted }: ReferenceTrial): readonly ActivePolicy[] {
  const users = policies.filter(({ document }) => setsNamedBy(document).some(({ set }) => set === name))
  const byName = new Map(
    users.toSorted((a, b) => (a.reference.name < b.reference.name ? -1 : 1)).map((user) => [user.reference.name, user]),
  )
  if (wanted === undefined) return [...byName.values()]
  return wanted.map((one) => {
    const user = byName.get(one)
    if (user === undefined) throw unknown(`no policy ${one} that judges names the set`)
    return user
  })
}
