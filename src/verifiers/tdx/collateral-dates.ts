import { failed, passed, warned } from '../checks.ts'
import type { ProblemCode } from '../problems.ts'
import type { Check, IntelRigour, RollbackMark } from '../verifier.ts'
import { secondsOf } from './document-fields.ts'

/** When a list or document was issued and when it ends; undefined: it does not say, and counts as ended. */
export type Dated = {
  readonly from: Date
  readonly until: Date | undefined
  /** Both for people: made once, with the fact that they belong to. */
  readonly text: string
}

/** The window of a list or document. */
export const datedOf = (from: Date, until: Date | undefined): Dated => ({
  from,
  until,
  text: `from ${secondsOf(from)} to ${until === undefined ? 'no time' : secondsOf(until)}`,
})

/** The check of one window, and its two codes. */
export type WindowRule = { readonly id: string; readonly title: string; readonly early: ProblemCode; readonly late: ProblemCode }

/** When, and what a policy tolerates. */
export type DateScope = { readonly now: Date; readonly rigour: IntelRigour }

/** The answer; `until`: when what was judged ends, grace included, in so far as it can be relied on at all. */
export type WindowJudgement = { readonly check: Check; readonly until: Date | undefined; readonly neededGrace: boolean }

/** Clocks may differ by five minutes at most (specification tdx.md section 5.7). */
const MAX_SKEW_SECONDS = 300

/**
 * TDX-31 to 33: issued not later than `now`, not ended, both ends included (section 5.7). Skew is for the start alone; the policy's grace turns
 * an end that has passed into a warning. Asked so that a time that is no number fails.
 */
export function checkWindow(rule: WindowRule, { from, until, text }: Dated, { now, rigour }: DateScope): WindowJudgement {
  const skew = Math.min(Math.max(rigour.skewSeconds, 0), MAX_SKEW_SECONDS) * 1000
  if (!(from.getTime() <= now.getTime() + skew)) return unusable({ ...rule, code: rule.early }, text, now)
  if (until === undefined) return unusable({ ...rule, code: rule.late }, text, now)
  const end = new Date(until.getTime() + Math.max(rigour.collateralGraceSeconds, 0) * 1000)
  if (now <= until) return { check: passed({ id: rule.id, title: rule.title, ...CURRENT }, text), until: end, neededGrace: false }
  if (!(now <= end)) return unusable({ ...rule, code: rule.late }, text, now)
  const check = warned({ ...rule, code: rule.late, ...CURRENT }, `${text}, now ${now.toISOString()}; within the policy’s grace`)
  return { check, until: end, neededGrace: true }
}

const CURRENT = { expected: 'issued before the time of verification, and not ended' } as const

const unusable = (rule: WindowRule & { readonly code: ProblemCode }, text: string, now: Date): WindowJudgement => ({
  check: failed({ ...rule, ...CURRENT }, `${text}, now ${now.toISOString()}`),
  until: undefined,
  neededGrace: false,
})

const ROLLBACK = {
  id: 'TDX-34',
  title: 'Not older than what was seen before',
  code: 'tdx-collateral-rollback',
  expected: 'an issue date not before that of the newest ever accepted',
} as const

/** TDX-34 of one list or document, which the title names. */
export type RollbackRule = Omit<typeof ROLLBACK, 'title'> & { readonly title: string }

/** The rule for what has this name. */
export const rollbackRule = (what: string): RollbackRule => ({ ...ROLLBACK, title: `${ROLLBACK.title}: ${what}` })

/**
 * TDX-34: by date alone, since the number of every list of Intel's is 1 (section 3.4). A record that could not be read is newer than anything.
 */
export function checkRollback(rule: RollbackRule, { from, text }: Dated, mark: RollbackMark | undefined): Check {
  if (mark === undefined) return passed(rule, 'none was seen before')
  if (mark === 'strictest') return failed(rule, `${text}; the record of the newest could not be read`)
  const actual = `${text}; newest seen ${mark.thisUpdate.toISOString()}`
  return mark.thisUpdate <= from ? passed(rule, actual) : failed(rule, actual)
}
