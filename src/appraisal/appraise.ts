import { hasOutcome } from '../verifiers/checks.ts'
import type { ProblemCode } from '../verifiers/problems.ts'
import type { Check, EvidenceType, Finding, Mode } from '../verifiers/verifier.ts'
import type { Appraisal, CollateralSummary, Freshness, ItemAppraisal, Judgement } from './appraisal.ts'
import type { AppraisalPolicy } from './policy.ts'
import type { ActivePolicy } from './policy-set.ts'
import { referencesEnd } from './reference-ends.ts'
import { ruled } from './ruled.ts'
import { noClaim, refusedVector, vectorOf } from './trustworthiness.ts'
import { composition, evidenceType, keyBinding, tokenNames, withWarnings, type KeyBinding } from './whole.ts'
import { codesOf, highestRanked, isTolerated, refusalOf, statusOfChecks, worstStatus } from './verdict.ts'

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
  const labels = labelsOf(input.items)
  const evidence = items.map((item, index) => ({ label: labels[index] ?? '', ...item.appraisal }))
  const status = worstStatus(evidence.map((item) => item.status))
  const appraisal: Appraisal = {
    id: input.id,
    mode: input.mode,
    status,
    policy: input.policy?.reference ?? null,
    ...(input.policy?.sets === undefined ? {} : { reference_values: input.policy.sets.used }),
    freshness: input.freshness,
    evidence,
    valid_until: earliest(input).toISOString(),
    evidence_digest: input.evidenceDigest,
    collateral: input.collateral,
  }
  const code = highestRanked(items.flatMap((item) => item.code ?? []))
  return { appraisal, code: code ?? (items.length === 0 ? 'internal-error' : undefined) }
}

/** `cpu0`, `tpm0`: counted per kind in request order (design section 3). */
function labelsOf(items: readonly AppraisedItem[]): readonly string[] {
  const seen = { cpu: 0, tpm: 0 }
  return items.map(({ type }) => {
    const kind = type === 'tpm' ? 'tpm' : 'cpu'
    return `${kind}${seen[kind]++}`
  })
}

type Judged = { readonly appraisal: Omit<ItemAppraisal, 'label'>; readonly code: ProblemCode | undefined }

/** Nothing that was relied on is valid for no time. */
const earliest = ({ items, policy }: AppraisalInput): Date =>
  new Date(items.length === 0 ? 0 : Math.min(...items.map(({ finding }) => endOf(finding, policy))))

/** Neither longer than the documents of vendors hold, nor than the reference values that were met. */
const endOf = ({ validUntil, claims = {} }: Finding, policy: ActivePolicy | null): number =>
  Math.min(validUntil.getTime(), policy?.sets === undefined ? Infinity : referencesEnd(policy.sets.ends, claims))

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

/** Rules are for evidence that the policy accepts at all. */
const NOT_RULED: ReturnType<typeof ruled> = { checks: [], advisories: [] }

/** Policy is asked about believable claims only: what a forged report says is nobody's business. */
function underPolicy(item: AppraisedItem, input: AppraisalInput, policy: AppraisalPolicy): Judged {
  const refusal = refusalOf(item.finding)
  if (refusal !== undefined) return refused(item, refusal)
  const { type, fresh, finding } = item
  const claims = finding.claims ?? {}
  const accepted = evidenceType(claims, policy)
  const { checks: answers, advisories } = accepted.outcome === 'fail' ? NOT_RULED : ruled(claims, policy)
  const others = [accepted, composition(policy), ...tokenNames(claims, policy), keyBinding(input.keyBinding, policy)]
  const checks = [...finding.checks, ...withWarnings(answers, policy), ...others]
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

/** A warning refuses, under its own code, unless the policy issues tokens on warnings. */
function codeOf(checks: readonly Check[], policy: AppraisalPolicy): ProblemCode | undefined {
  const failed = highestRanked(codesOf(checks, 'fail'))
  return failed ?? (policy.issue_on === 'warning' ? undefined : highestRanked(codesOf(checks, 'warn')))
}
