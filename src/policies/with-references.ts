import type { Policies } from './policies.ts'
import type { References } from './references.ts'

/** The same policies, judging with the values of the sets that they name; drafts and versions that are tried, too. */
export function withReferences(policies: Policies, references: References): Policies {
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
    problems: () => [...problems(), ...references.problems()],
    alarms: () => [...alarms(), ...references.alarms()],
    stop: () => {
      stop()
      references.stop()
    },
  }
}

const mapped = <T>(value: T | undefined, filled: (value: T) => T): T | undefined => (value === undefined ? undefined : filled(value))
