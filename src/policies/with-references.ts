import type { Policies } from './policies.ts'
import type { ReferenceTrial, TriedReferences } from './reference-trial.ts'
import type { References } from './references.ts'

/** The policies of a service with the sets that they name. */
export type JudgingPolicies = Policies & {
  /** What a set would make of the policies in force if one of its versions were otherwise (see tryReferences); throws `not-ready`, too. */
  readonly trySet: (trial: ReferenceTrial) => Promise<TriedReferences>
}

/** The same policies, judging with the values of the sets that they name; drafts and versions that are tried, too. */
export function withReferences(policies: Policies, references: References): JudgingPolicies {
  const { snapshot, draft, stored, problems, alarms, stop } = policies
  return {
    ...policies,
    snapshot: () => {
      const [current, filled] = [snapshot(), references.moment()]
      return {
        get: (name) => mapped(current.get(name), filled),
        shadow: (name) => mapped(current.shadow(name), filled),
        all: () => current.all().map((policy) => filled(policy)),
      }
    },
    draft: (name, text) => references.moment()(draft(name, text)),
    stored: async (name, version) => references.moment()(await stored(name, version)),
    trySet: (trial) => references.try(trial, snapshot().all()),
    problems: () => [...problems(), ...references.problems()],
    alarms: () => [...alarms(), ...references.alarms()],
    stop: () => {
      stop()
      references.stop()
    },
  }
}

const mapped = <T>(value: T | undefined, filled: (value: T) => T): T | undefined => (value === undefined ? undefined : filled(value))
