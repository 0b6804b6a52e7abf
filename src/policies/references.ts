import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { deepFreeze } from '../appraisal/read-document.ts'
import { resolveReferences, type ReferenceSets } from '../appraisal/resolve-references.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { referenceFiles } from './files.ts'
import { followReferences, type ReferenceFolder } from './reference-follower.ts'
import type { ReferenceLife } from './reference-life.ts'
import { referenceOperations } from './reference-operations.ts'
import { createReferenceState, type ReferencesDeps } from './reference-state.ts'

/** The sets of reference values of one process. */
export type References = ReferenceLife & {
  /**
   * What a moment makes of policies: values in the places of sets. One request uses one moment from its beginning to its end. Throws
   * `not-ready` for a policy that names sets when nobody could confirm these for half a minute.
   */
  readonly moment: () => (policy: ActivePolicy) => ActivePolicy
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
    sets: state.sets,
    refresh: state.refresh,
    problems: () => (state.isStale() ? ['the sets of reference values cannot be confirmed'] : []),
    alarms: () => [...state.alarms(), ...follower.alarms()],
    stop: follower.stop,
  }
}

type Filled = { readonly sets: ReferenceSets; readonly from: Date; readonly until: Date | undefined; readonly policy: ActivePolicy }

type Moment = { readonly sets: ReferenceSets; readonly at: Date }

/** Fills each policy once, until the sets are others or time makes them others. */
function resolver(): (policy: ActivePolicy, moment: Moment) => ActivePolicy {
  const kept = new WeakMap<ActivePolicy, Filled>()
  return (policy, { sets, at }) => {
    const before = kept.get(policy)
    if (before?.sets === sets && before.from <= at && (before.until === undefined || at < before.until)) return before.policy
    const { document, until, used, ends } = resolveReferences(policy.document, sets, at)
    const filled = document === policy.document ? policy : deepFreeze({ reference: policy.reference, document, sets: { used, ends } })
    kept.set(policy, { sets, from: at, until, policy: filled })
    return filled
  }
}
