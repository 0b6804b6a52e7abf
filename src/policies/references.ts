import type { ActivePolicy } from '../appraisal/policy-set.ts'
import type { ReferenceSets } from '../appraisal/resolve-references.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { referenceFiles } from './files.ts'
import { fill, type Filled, type Moment } from './fill.ts'
import { followReferences, type ReferenceFolder } from './reference-follower.ts'
import type { ReferenceLife } from './reference-life.ts'
import { referenceOperations } from './reference-operations.ts'
import { createReferenceState, type ReferencesDeps } from './reference-state.ts'
import { tryReferences, type ReferenceTrial, type TriedReferences } from './reference-trial.ts'

/** The sets of reference values of one process. */
export type References = ReferenceLife & {
  /**
   * What a moment makes of policies: values in the places of sets. One request uses one moment from its beginning to its end. Throws
   * `not-ready` for a policy that names sets when nobody could confirm these for half a minute.
   */
  readonly moment: () => (policy: ActivePolicy) => ActivePolicy
  /** What a set would make of these policies if one of its versions were otherwise (see tryReferences). */
  readonly try: (trial: ReferenceTrial, policies: readonly ActivePolicy[]) => Promise<TriedReferences>
  /** All sets, as they are known now. */
  readonly sets: () => ReferenceSets
  /** Resolves when everything that was written before the call counts. Rejects when the store cannot be read. */
  readonly refresh: () => Promise<void>
  readonly problems: () => readonly string[]
  readonly alarms: () => readonly string[]
  readonly stop: () => void
}

/** The poll of the next second may confirm. */
const RETRY_SECONDS = 2

/**
 * Reads the sets once and then follows folder and store. Rejects when the store cannot be read; throws what `readFixed` throws, and
 * `audit-unavailable`.
 */
export async function createReferences(deps: ReferencesDeps, folder?: ReferenceFolder): Promise<References> {
  const state = await createReferenceState(deps)
  await deps.recordFiles(referenceFiles(state.fixed()))
  const follower = followReferences({ deps, state, folder })
  const filled = resolver()
  return {
    ...referenceOperations(deps, state),
    moment: () => {
      const [moment, isStale] = [{ sets: state.sets(), at: deps.now() }, state.isStale()]
      return (policy) => {
        const judging = filled(policy, moment)
        if (judging === policy || !isStale) return judging
        throw new AttestationError('not-ready', 'the sets of reference values cannot be confirmed', { retryAfter: RETRY_SECONDS })
      }
    },
    try: (trial, policies) => tryReferences(trial, policies, { deps, state }),
    sets: state.sets,
    refresh: state.refresh,
    problems: () => (state.isStale() ? ['the sets of reference values cannot be confirmed'] : []),
    alarms: () => [...state.alarms(), ...follower.alarms()],
    stop: follower.stop,
  }
}

type Kept = Filled & { readonly sets: ReferenceSets; readonly from: Date }

/** Fills each policy once, until the sets are others or time makes them others. */
function resolver(): (policy: ActivePolicy, moment: Moment) => ActivePolicy {
  const kept = new WeakMap<ActivePolicy, Kept>()
  return (policy, { sets, at }) => {
    const before = kept.get(policy)
    if (before?.sets === sets && before.from <= at && (before.until === undefined || at < before.until)) return before.policy
    const filled = fill(policy, { sets, at })
    kept.set(policy, { sets, from: at, ...filled })
    return filled.policy
  }
}
