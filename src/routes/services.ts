import type { Audiences } from '../access/audiences.ts'
import type { AuditLog } from '../access/audit.ts'
import type { Challenges } from '../access/challenge.ts'
import type { ClientAddress } from '../access/client-address.ts'
import type { Credentials } from '../access/credentials.ts'
import type { RateLimits } from '../access/rate-limit.ts'
import type { CollateralService } from '../collateral/service.ts'
import type { Enrolment } from '../enrolment/enrolment.ts'
import type { ReferenceLife } from '../policies/reference-life.ts'
import type { JudgingPolicies } from '../policies/with-references.ts'
import type { ImaStates } from './ima-states.ts'
import type { QuoteStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { Anchors, Memo, Mode } from '../verifiers/verifier.ts'

/** All that routes may use; assembled once, in main.ts or in a test. */
export type Services = {
  readonly mode: Mode
  /** The https URL by which relying parties know this service, without a trailing slash. */
  readonly issuer: string
  readonly version: string
  readonly now: () => Date
  readonly anchors: Anchors
  readonly memo: Memo
  /** Where the signatures of evidence are verified (see Context). */
  readonly signatures: 'pool' | 'in-place'
  readonly audiences: Audiences
  readonly policies: JudgingPolicies
  readonly references: ReferenceLife
  readonly challenges: Challenges
  /** undefined: no TPM is enrolled. */
  readonly enrolment: Enrolment | undefined
  readonly credentials: Credentials
  readonly rateLimits: RateLimits
  /** Whose address a connection speaks for; X-Forwarded-For counts only behind a configured proxy. */
  readonly clientAddress: ClientAddress
  readonly collateral: CollateralService
  readonly tokens: TokenIssuer
  /** How long caches may keep the key set. */
  readonly jwksMaxAgeSeconds: number
  /** The last accepted quotes of TPMs, for policies that compare. */
  readonly quotes: QuoteStore
  /** States of IMA lists, for hosts to keep. */
  readonly imaStates: ImaStates
  readonly audit: AuditLog
  readonly log: Telemetry
  readonly limits: Limits
  readonly readiness: Readiness
}

/** Bounds of one process (design section 3, Limits). */
export type Limits = {
  /** Bytes of an ordinary request body. */
  readonly bodyBytes: number
  /** Bytes of one event log of a TDX guest. */
  readonly eventLogBytes: number
  /** Bytes of the IMA list of a TPM host that is sent as a stream. */
  readonly imaBytes: number
  /** Appraisals and inspections under way at once; beyond it 503 with Retry-After. */
  readonly inFlight: number
}

/** What /readyz tells. `draining` turns readiness false while requests under way finish; `alarms` do not. */
export type Readiness = {
  readonly draining: () => boolean
  readonly problems: () => Promise<readonly string[]>
  /** What an operator should look into while verdicts are given all the same. */
  readonly alarms: () => readonly string[]
}
