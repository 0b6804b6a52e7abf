import type { EkRigour } from '../verifiers/tpm/trust/ek-certificate.ts'

/** Whom this service enrols, and for how long. Which EKs are listed is in the anchors, where every appraisal compares it anew. */
export type EnrolmentRules = {
  readonly ek: EkRigour
  /** What becomes of genuine TPMs that nobody listed and for which no caller with role enroller vouches. */
  readonly others: 'refuse' | 'DANGEROUSLY_ANY_GENUINE_TPM'
  readonly certificateLifetimeSeconds: number
}
