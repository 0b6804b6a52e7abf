import { AttestationError } from '../problems.ts'
import type { TpmEvidence, Verifier } from '../verifier.ts'

/** TPM 2.0 quotes (specification tpm.md). */
export const tpm: Verifier<TpmEvidence> = async () => {
  throw new AttestationError('evidence-type-unsupported', 'TPM evidence is not supported yet', { at: 'evidence' })
}
