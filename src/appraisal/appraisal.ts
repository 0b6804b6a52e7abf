import type { ProblemCode } from '../verifiers/problems.ts'
import type { Check, Claims, EvidenceType, Mode } from '../verifiers/verifier.ts'

/** AR4SI status names (specification tokens.md C3). */
export type Status = 'none' | 'affirming' | 'warning' | 'contraindicated'

/** AR4SI trustworthiness vector, by the names that EAR uses; values as in specification tokens.md C3. */
export type Trustworthiness = {
  readonly 'instance-identity': number
  readonly configuration: number
  readonly executables: number
  readonly 'file-system': number
  readonly hardware: number
  readonly 'runtime-opaque': number
  readonly 'storage-opaque': number
  readonly 'sourced-data': number
}

/** What stands behind the freshness of an appraisal; `none`: nobody asked (command line without a nonce). */
export type Freshness = 'challenge' | 'time-boxed' | 'relying-party' | 'none'

/** An advisory that a rule was evaluated for (specification snp.md section 11). */
export type AdvisoryResult = {
  readonly id: string
  /** What the policy makes of it; hidden from those who may not read the policy. */
  readonly mode?: 'refuse' | 'warn' | 'report'
  readonly applies: boolean
  readonly url: string
}

/** The judgement of one piece of evidence. */
export type ItemAppraisal = {
  /** Counted per kind in request order: `cpu0`, `tpm0`. */
  readonly label: string
  readonly type: EvidenceType
  readonly status: Status
  readonly trustworthiness: Trustworthiness
  /** Whether this item itself carries the challenge. */
  readonly fresh: boolean
  readonly checks: readonly Check[]
  readonly claims: Claims
  readonly advisories: readonly AdvisoryResult[]
}

/** Which policy judged: its content is named by the SHA-256 of its canonical JSON. */
export type PolicyReference = { readonly name: string; readonly version: number; readonly sha256: string }

/** The collateral that was relied on, so that an auditor can replay the decision. Times are RFC 3339, null when nothing was used. */
export type CollateralSummary = { readonly digest: string; readonly oldest_fetch: string | null; readonly earliest_expiry: string | null }

/** The attestation result before it is rendered as a token or an answer (design section 3). */
export type Appraisal = {
  readonly id: string
  readonly mode: Mode
  readonly status: Status
  readonly policy: PolicyReference | null
  /** Versions of sets of reference values that gave the policy values; absent: it names no set, or the reader may not know. */
  readonly reference_values?: readonly PolicyReference[]
  readonly freshness: Freshness
  readonly evidence: readonly ItemAppraisal[]
  readonly valid_until: string
  /** SHA-256 over the decoded evidence, lower-case hex. */
  readonly evidence_digest: string
  readonly collateral: CollateralSummary
}

/** An appraisal with the code that answers for it: undefined when it is accepted. */
export type Judgement = { readonly appraisal: Appraisal; readonly code: ProblemCode | undefined }
