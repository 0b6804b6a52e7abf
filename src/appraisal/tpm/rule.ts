import type { ProblemCode } from '../../verifiers/problems.ts'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, oneOf, type Question } from '../check.ts'
import { isListed, type Listed } from '../listed.ts'
import type { TpmPolicy } from '../policy.ts'

/** Verified claims and what the policy says of them: all that a rule may look at. */
export type TpmCase = { readonly claims: TpmClaims; readonly policy: TpmPolicy }

/** A rule answers its questions about any host, also when the policy does not ask: the answer is then a skipped check. */
export type TpmRule = (subject: TpmCase) => readonly Check[]

/** A question of specification tpm.md section 16 to which the operator gives the answer, under this path of the policy. */
export const asked = (id: string, title: string, [code, rule]: readonly [ProblemCode, string]): Question => ({
  id,
  title,
  code,
  origin: 'policy',
  rule,
})

/** Whether a value is on a list; not asked where there is none. What is not known is on no list. */
export const onList = (question: Question, actual: string | null, listed: Listed | undefined): Check =>
  listed === undefined
    ? notAsked(question, actual ?? 'not known')
    : judge(question, actual !== null && isListed(listed, actual), { actual: actual ?? 'not known', expected: oneOf(listed) })

/** Values that are told of a list that a host makes as long as it likes. */
const TOLD = 8

/** A list for `actual`. */
export function told(values: readonly string[]): string {
  if (values.length === 0) return 'none'
  const first = values.slice(0, TOLD).join(', ')
  return values.length > TOLD ? `${first}, … (${values.length} in all)` : first
}

/** Whether each value is on a list; not asked where there is none. `missing`: what was not measured at all, which nothing approves. */
export function eachOnList(question: Question, values: readonly string[] | null, listed: Listed | undefined): Check {
  if (listed === undefined) return notAsked(question, values === null ? 'not known' : told(values))
  const stray = (values ?? []).filter((value) => !isListed(listed, value))
  const holds = values !== null && values.length > 0 && stray.length === 0
  return judge(question, holds, {
    actual: values === null ? 'not known' : told(stray.length > 0 ? stray : values),
    expected: oneOf(listed),
  })
}
