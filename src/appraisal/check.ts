import type { ProblemCode } from '../verifiers/problems.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'

/** A question that is always put the same way: the number and wording of its specification, and the code of a refusal. */
export type Question = {
  readonly id: string
  readonly title: string
  readonly code: ProblemCode
  readonly origin: 'policy' | 'specification'
}

/** What was found, and what would have been accepted. */
export type Seen = { readonly actual: string; readonly expected: string }

/** The check that answers a question; a failure carries the remedy of its code. */
export const judge = (question: Question, holds: boolean, seen: Seen): Check =>
  holds ? { ...asked(question), ...seen, outcome: 'pass' } : refusal(question, 'fail', seen)

/** The same for a question whose failure the policy tolerates in so many words: the failure is a warning. */
export const judgeLeniently = (question: Question, holds: boolean, seen: Seen): Check =>
  holds ? { ...asked(question), ...seen, outcome: 'pass' } : refusal(question, 'warn', seen)

/** The policy does not ask; what was found is told all the same. */
export const notAsked = (question: Question, actual: string): Check => ({ ...asked(question), actual, outcome: 'skip' })

const asked = ({ id, title, origin }: Question) => ({ id, title, origin })

const refusal = (question: Question, outcome: 'fail' | 'warn', seen: Seen): Check => ({
  ...asked(question),
  ...seen,
  outcome,
  code: question.code,
  remedy: problemOf(question.code).remedy,
})

/** Long lists are told by their beginning: an answer is not the place to read a policy. */
const TOLD = 8

/** `one of a, b` for `expected`. */
export const oneOf = (values: readonly (string | number)[]): string => {
  const told = values.slice(0, TOLD).join(', ')
  if (values.length === 1) return told
  return values.length > TOLD ? `one of ${told}, … (${values.length} in all)` : `one of ${told}`
}
