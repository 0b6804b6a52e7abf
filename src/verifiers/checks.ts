import { AttestationError, problemOf, type ProblemCode } from './problems.ts'
import type { Check } from './verifier.ts'

/** Whether every byte is zero. A loop: `every` with its call for each byte costs more than all other work on a report. */
export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}

/** One numbered check of a specification as a row: what must hold, and how to say what was found. */
export type Rule<T> = {
  readonly id: string
  readonly title: string
  readonly code: ProblemCode
  /** The field that it looks at, as the specification names it. */
  readonly at: string
  readonly expected: string
  readonly actual: (subject: T) => string
  readonly holds: (subject: T) => boolean
}

/** A check that passed, with the values it looked at. */
export const passed = (rule: Pick<Rule<never>, 'id' | 'title' | 'expected'>, actual: string): Check => ({
  id: rule.id,
  title: rule.title,
  outcome: 'pass',
  actual,
  expected: rule.expected,
  origin: 'specification',
})

/** A check that failed, with the remedy of its code. */
export const failed = (rule: Pick<Rule<never>, 'id' | 'title' | 'expected' | 'code'>, actual: string): Check => ({
  id: rule.id,
  title: rule.title,
  outcome: 'fail',
  code: rule.code,
  actual,
  expected: rule.expected,
  origin: 'specification',
  remedy: problemOf(rule.code).remedy,
})

/** A check that failed where that is told but refuses nothing by itself, with the remedy of its code. */
export const warned = (rule: Pick<Rule<never>, 'id' | 'title' | 'expected' | 'code'>, actual: string): Check => ({
  id: rule.id,
  title: rule.title,
  outcome: 'warn',
  code: rule.code,
  actual,
  expected: rule.expected,
  origin: 'specification',
  remedy: problemOf(rule.code).remedy,
})

/** A check that does not apply, with the reason in `actual`. */
export const skipped = (rule: Pick<Rule<never>, 'id' | 'title'>, why: string): Check => ({
  id: rule.id,
  title: rule.title,
  outcome: 'skip',
  actual: why,
})

/** The error that ends reading at a failed check: it carries every check made so far, the failed one last. */
export function refusal(
  rule: Pick<Rule<never>, 'id' | 'title' | 'expected' | 'code' | 'at'>,
  actual: string,
  before: readonly Check[],
): AttestationError {
  const detail = `${rule.title}: expected ${rule.expected}, found ${actual}`
  return new AttestationError(rule.code, detail, { at: rule.at, checks: [...before, failed(rule, actual)] })
}

/** One rule's check. Throws AttestationError with the rule's code, and with the checks before it, where it does not hold. */
function runRule<T>(rule: Rule<T>, subject: T, before: readonly Check[]): Check {
  const actual = rule.actual(subject)
  if (!rule.holds(subject)) throw refusal(rule, actual, before)
  return passed(rule, actual)
}

/** All rules in order, behind the checks before them; structural failures stop at the first. */
export function runRules<T>(rules: readonly Rule<T>[], subject: T, before: readonly Check[]): readonly Check[] {
  const checks = [...before]
  for (const rule of rules) checks.push(runRule(rule, subject, checks))
  return checks
}

/** Whether a check ended like this. A loop, like what else is asked of all checks: V8 forgets compiled callbacks at each full collection. */
export function hasOutcome(checks: readonly Check[], outcome: Check['outcome']): boolean {
  for (const check of checks) if (check.outcome === outcome) return true
  return false
}
