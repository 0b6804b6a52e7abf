import { floorViolations, type Lift } from '../appraisal/floor.ts'
import type { AppraisalPolicy } from '../appraisal/policy.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { PolicyError, readPolicy, type PolicyProblem } from '../appraisal/read-policy.ts'
import { invalid } from './errors.ts'

/** What the operator's configuration forbids in any document; empty: nothing that this one has. */
export type Floor = (document: AppraisalPolicy) => readonly PolicyProblem[]

/** The floor of a service with these lifts. */
export const floorOf =
  (lifts: readonly Lift[]): Floor =>
  (document) =>
    floorViolations(document, lifts).map(({ path, message, remedy }) => ({ path, message: `${message}: ${remedy}` }))

/** The version of a draft, which no stored version has. */
export const DRAFT_VERSION = 0

/** A text as the policy of this name and version. Throws `policy-invalid` with everything that is wrong. */
export function policyOf({ name, version, text }: { name: string; version: number; text: string }, floor: Floor): ActivePolicy {
  const { document, reference } = read(text)
  const problems = [...(document.name === name ? [] : [otherName(name)]), ...floor(document)]
  if (problems.length > 0) throw invalid(problems)
  return Object.freeze({ reference: Object.freeze({ ...reference, version }), document })
}

function read(text: string): ActivePolicy {
  try {
    return readPolicy(text, 'policy')
  } catch (error) {
    if (error instanceof PolicyError) throw invalid(error.problems)
    throw error
  }
}

const otherName = (name: string): PolicyProblem => ({ path: 'name', message: `must be ${name}, the name in the address` })
