import type { ProblemCode } from '../verifiers/problems.ts'
import { hasOutcome } from '../verifiers/checks.ts'
import { PROBLEM_CODES } from '../verifiers/problems.ts'
import type { Check, Finding } from '../verifiers/verifier.ts'
import type { Status } from './appraisal.ts'

const RANK: ReadonlyMap<ProblemCode, number> = new Map(PROBLEM_CODES.map((code, rank) => [code, rank]))

/** Of several codes the one nearest the root of trust: the first in the table of problems. */
export const highestRanked = (codes: readonly ProblemCode[]): ProblemCode | undefined =>
  codes.toSorted((a, b) => (RANK.get(a) ?? 0) - (RANK.get(b) ?? 0))[0]

/** The codes of the checks that ended in this way. */
export function codesOf(checks: readonly Check[], outcome: 'fail' | 'warn'): readonly ProblemCode[] {
  const codes: ProblemCode[] = []
  for (const check of checks) if (check.outcome === outcome) codes.push(check.code)
  return codes
}

/** What was found stands, even while another document is missing (design section 3, Codes and statuses). */
const FOUND: readonly ProblemCode[] = [
  'snp-root-untrusted',
  'snp-root-revoked',
  'snp-intermediate-revoked',
  'tdx-root-ca-untrusted',
  'tdx-intermediate-ca-revoked',
  'tdx-pck-cert-revoked',
  'tdx-tcb-signing-cert-revoked',
  'tdx-tcb-revoked',
]

/**
 * Why the evidence does not count as genuine; undefined when it does. A finding without a passed check, or without claims that nothing
 * explains, is our own fault and never a yes.
 */
export function refusalOf(finding: Finding): ProblemCode | undefined {
  const failed = codesOf(finding.checks, 'fail')
  const undecided: readonly ProblemCode[] = finding.undecided === undefined ? [] : [finding.undecided]
  const found = failed.filter((code) => FOUND.includes(code))
  const code = highestRanked(found.length > 0 ? found : undecided.length > 0 ? undecided : failed)
  if (code !== undefined) return code
  return finding.claims === undefined || !hasOutcome(finding.checks, 'pass') ? 'internal-error' : undefined
}

/**
 * Warnings of verifiers that the policy, or the specification, has tolerated in so many words: the absence of a list that was never seen under
 * `crl.mode: prefer` (specification snp.md section 8), an expiry within `collateral_grace_seconds` (tdx.md section 5.7), and reserved bytes
 * of a header that decide nothing (TDX-07).
 */
const TOLERATED: ReadonlySet<ProblemCode> = new Set([
  'snp-crl-unavailable',
  'tdx-header-reserved-nonzero',
  'tdx-crl-expired',
  'tdx-tcb-info-expired',
  'tdx-qe-identity-expired',
])

/** Whether a check stays in the answer but lowers no status. */
export const isTolerated = (check: Check): boolean => check.outcome === 'warn' && TOLERATED.has(check.code)

/** Affirming needs an answer, and none but passes and questions that were not put. */
export function statusOfChecks(checks: readonly Check[]): Status {
  if (hasOutcome(checks, 'fail') || !hasOutcome(checks, 'pass')) return 'contraindicated'
  return hasOutcome(checks, 'warn') ? 'warning' : 'affirming'
}

const WORSE: readonly Status[] = ['affirming', 'none', 'warning', 'contraindicated']

/** A whole is as good as its worst part; nothing at all is not good. */
export const worstStatus = (statuses: readonly Status[]): Status =>
  statuses.reduce<Status>(
    (worst, status) => (WORSE.indexOf(status) > WORSE.indexOf(worst) ? status : worst),
    statuses[0] ?? 'contraindicated',
  )
