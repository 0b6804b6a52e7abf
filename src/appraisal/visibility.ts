import { problemOf } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'
import type { Appraisal, ItemAppraisal } from './appraisal.ts'
import type { AppraisalPolicy } from './policy.ts'

/** Who reads: a caller without a role, or one with role viewer or more. Judged at each reading. */
type Reader = 'anonymous' | 'viewer'

/** What shows: what the operator wrote is shown to viewers, or to everybody under `explain: full` (design section 3, Check). */
export type View = { readonly reader: Reader; readonly explain: AppraisalPolicy['explain'] }

const showsAll = ({ reader, explain }: View): boolean => reader === 'viewer' || explain === 'full'

/**
 * Checks without what the policy expects, for those who may not read the policy. A check that names no origin is treated as the
 * policy's as soon as it names an expectation, so that a forgotten origin hides rather than shows.
 */
export const checksForReader = (checks: readonly Check[], view: View): readonly Check[] =>
  showsAll(view) ? checks : checks.map((check) => (check.origin === 'specification' ? check : withoutExpectation(check)))

/** The same for every item of an appraisal, without what the policy makes of advisories, and without the sets that it names. */
export function appraisalForReader(appraisal: Appraisal, view: View): Appraisal {
  if (showsAll(view)) return appraisal
  const { reference_values: _, ...rest } = appraisal
  return { ...rest, evidence: rest.evidence.map((item) => itemForReader(item, view)) }
}

function itemForReader(item: ItemAppraisal, view: View): ItemAppraisal {
  const advisories = item.advisories.map(({ id, applies, url }) => ({ id, applies, url }))
  return { ...item, advisories, checks: checksForReader(item.checks, view) }
}

/** The remedy of the public table tells nothing of a policy; any other is replaced by it. */
function withoutExpectation(check: Check): Check {
  const { expected: _, rule: __, ...rest } = check
  return rest.outcome === 'fail' || rest.outcome === 'warn' ? { ...rest, remedy: problemOf(rest.code).remedy } : rest
}
