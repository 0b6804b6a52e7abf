import { hasOutcome } from '../verifiers/checks.ts'
import type { ProblemCode } from '../verifiers/problems.ts'
import type { Check, EvidenceType, Finding, Mode } from '../verifiers/verifier.ts'
import type { Appraisal, CollateralSummary, Freshness, ItemAppraisal, Judgement } from './appraisal.ts'
import type { Question } from './check.ts'
import { judge, notAsked } from './check.ts'
import type { AppraisalPolicy } from './policy.ts'
import type { ActivePolicy } from './policy-set.ts'
import { ruled } from './ruled.ts'
import { noClaim, refusedVector, vectorOf } from './trustworthiness.ts'
import { codesOf, highestRanked, isTolerated, refusalOf, statusOfChecks, worstStatus } from './verdict.ts'

/** Whether the evidence binds a key of the caller; `not-asked` on the command line, where there is no caller. */
export type KeyBinding = 'bound' | 'unbound' | 'not-asked'

/** One piece of evidence as the verifier left it. */
type AppraisedItem = {
  readonly type: EvidenceType
  readonly finding: Finding
  /** Whether this item itself carries the challenge. */
  readonly fresh: boolean
}

/** All that an appraisal depends on; the same input always gives the same judgement. */
export type AppraisalInput = {
  readonly id: string
  readonly mode: Mode
  readonly freshness: Freshness
  /** null: only "is it genuine?" is asked. */
  readonly policy: ActivePolicy | null
  readonly items: readonly AppraisedItem[]
  readonly keyBinding: KeyBinding
  /** SHA-256 over the decoded evidence, lower-case hex. */
  readonly evidenceDigest: string
  readonly collateral: CollateralSummary
}

/** "Is it acceptable?": findings under a policy. All refusals are collected; the code is the one nearest the root of trust. */
export function appraise(input: AppraisalInput): Judgement {
  const items = input.items.map((item) => (input.policy === null ? genuineness(item) : underPolicy(item, input, input.policy.document)))
  const evidence = items.map((item, index) => ({ label: `cpu${index}`, ...item.appraisal }))
  const status = worstStatus(evidence.map((item) => item.status))
  const appraisal: Appraisal = {
    id: input.id,
    mode: input.mode,
    status,
    policy: input.policy?.reference ?? null,
    freshness: input.freshness,
    evidence,
    valid_until: earliest(input.items).toISOString(),
    evidence_digest: input.evidenceDigest,
    collateral: input.collateral,
  }
  const code = highestRanked(items.flatMap((item) => item.code ?? []))
  return { appraisal, code: code ?? (items.length === 0 ? 'internal-error' : undefined) }
}

type Judged = { readonly appraisal: Omit<ItemAppraisal, 'label'>; readonly code: ProblemCode | undefined }

/** Nothing that was relied on is valid for no time. */
const earliest = (items: readonly AppraisedItem[]): Date =>
  new Date(items.length === 0 ? 0 : Math.min(...items.map(({ finding }) => finding.validUntil.getTime())))

/** Without a policy there is no status: nothing was said of what is acceptable. */
const genuineness = ({ type, fresh, finding }: AppraisedItem): Judged => ({
  code: refusalOf(finding),
  appraisal: {
    type,
    status: 'none',
    trustworthiness: noClaim,
    fresh,
    checks: finding.checks,
    claims: refusalOf(finding) === undefined ? (finding.claims ?? {}) : {},
    advisories: [],
  },
})

/** Policy is asked about believable claims only: what a forged report says is nobody's business. */
function underPolicy(item: AppraisedItem, input: AppraisalInput, policy: AppraisalPolicy): Judged {
  const refusal = refusalOf(item.finding)
  if (refusal !== undefined) return refused(item, refusal)
  const { type, fresh, finding } = item
  const claims = finding.claims ?? {}
  const { checks: answers, advisories } = ruled(claims, policy)
  const checks = [...finding.checks, ...answers, keyBinding(input.keyBinding, policy)]
  const counted = hasOutcome(checks, 'warn') ? checks.filter((check) => !isTolerated(check)) : checks
  const status = statusOfChecks(counted)
  return {
    code: codeOf(counted, policy),
    appraisal: { type, status, trustworthiness: vectorOf(counted, claims), fresh, checks, claims, advisories },
  }
}

const refused = ({ type, fresh, finding }: AppraisedItem, code: ProblemCode): Judged => ({
  code,
  appraisal: {
    type,
    status: 'contraindicated',
    trustworthiness: refusedVector(code),
    fresh,
    checks: finding.checks,
    claims: {},
    advisories: [],
  },
})

const KEY: Question = { id: 'KEY', title: 'The evidence binds a key of the caller', code: 'cnf-key-required', origin: 'policy' }

const keyBinding = (binding: KeyBinding, policy: AppraisalPolicy): Check =>
  binding === 'not-asked' || policy.key_binding === 'DANGEROUSLY_OPTIONAL'
    ? notAsked(KEY, binding)
    : judge(KEY, binding === 'bound', { actual: binding, expected: 'bound' })

/** A warning refuses, under its own code, unless the policy issues tokens on warnings. */
function codeOf(checks: readonly Check[], policy: AppraisalPolicy): ProblemCode | undefined {
  const failed = highestRanked(codesOf(checks, 'fail'))
  return failed ?? (policy.issue_on === 'warning' ? undefined : highestRanked(codesOf(checks, 'warn')))
}
