import type { ProblemCode } from '../verifiers/problems.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'
import { entryText, type SetEntry } from './listed.ts'

/** A question that is always put the same way: the number and wording of its specification, and the code of a refusal. */
export type Question = {
  readonly id: string
  readonly title: string
  readonly code: ProblemCode
  readonly origin: 'policy' | 'specification'
  /** The policy’s path to the rule, as `snp.guest_policy.debug`; absent where no policy has a say. */
  readonly rule?: string
}

/** What was found, and what would have been accepted. `lacks` says in words what is missing where that is more than both: `microcode 209, needs 219`. */
export type Seen = { readonly actual: string; readonly expected: string; readonly lacks?: string }

/** The check that answers a question; a failure carries the remedy of its code. */
export const judge = (question: Question, holds: boolean, seen: Seen): Check =>
  holds ? passed(question, seen) : refused(question, 'fail', seen)

/** The same for a question whose failure the policy tolerates in so many words: the failure is a warning. */
export const judgeLeniently = (question: Question, holds: boolean, seen: Seen): Check =>
  holds ? passed(question, seen) : refused(question, 'warn', seen)

/** One answer for each row of a table. A loop: V8 forgets compiled callbacks at each full collection. */
export function answers<R, S>(rows: readonly R[], subject: S, answer: (row: R, subject: S) => Check): readonly Check[] {
  const checks: Check[] = []
  for (const row of rows) checks.push(answer(row, subject))
  return checks
}

/** The policy does not ask; what was found is told all the same. */
export const notAsked = ({ id, title, origin, rule }: Question, actual: string): Check => ({
  id,
  title,
  origin,
  rule,
  actual,
  outcome: 'skip',
})

// Written out: objects that are spread together have a form that V8 forgets between appraisals, and all compiled code that has seen it.
const passed = ({ id, title, origin, rule }: Question, { actual, expected }: Seen): Check => ({
  id,
  title,
  origin,
  rule,
  actual,
  expected,
  outcome: 'pass',
})

const refused = ({ id, title, origin, code, rule }: Question, outcome: 'fail' | 'warn', seen: Seen): Check => ({
  id,
  title,
  origin,
  rule,
  actual: seen.actual,
  expected: seen.expected,
  outcome,
  code,
  remedy: remedyOf(code, seen),
})

/** Longer values are not said again: they stand in the check beside the remedy. */
const SAID = 100

/** What is missing, then what mends it: `microcode 209, needs 219: update the host’s firmware`. */
function remedyOf(code: ProblemCode, { actual, expected, lacks }: Seen): string {
  const { remedy } = problemOf(code)
  if (lacks !== undefined) return `${lacks}: ${remedy}`
  return actual.length + expected.length > SAID ? remedy : `${actual}, needs ${expected}: ${remedy}`
}

/** Long lists are told by their beginning: an answer is not the place to read a policy. */
const TOLD = 8

type Values = readonly (string | number | SetEntry)[]

/** Lists never change, so each is put into words once. */
const worded = new WeakMap<Values, string>()

/** `one of a, b` for `expected`. */
export function oneOf(values: Values): string {
  const text = worded.get(values) ?? listText(values)
  worded.set(values, text)
  return text
}

function listText(values: Values): string {
  const told = values
    .slice(0, TOLD)
    .map((value) => entryText(value))
    .join(', ')
  if (values.length === 1) return told
  return values.length > TOLD ? `one of ${told}, … (${values.length} in all)` : `one of ${told}`
}
