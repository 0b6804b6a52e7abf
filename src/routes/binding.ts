import { bindingInput, extraDataOf, nonceBinding, reportDataOf } from '../access/binding.ts'
import { readCnfJwk, verifyCnfProof, type CnfKey } from '../access/cnf.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { CheckedNonce } from './nonce.ts'
import type { AppraisalRequest } from './requests.ts'

/** What evidence must carry for this request. */
export type Bound = {
  /** The 64 bytes that REPORT_DATA must equal. */
  readonly reportData: Uint8Array
  /** What extraData of a TPM quote must equal. */
  readonly extraData: Uint8Array
  /** The key whose possession was proven; whether the evidence binds it is for the verifier to find. */
  readonly cnf: CnfKey | undefined
}

/** Throws `binding-invalid`, `cnf-key-invalid` or `cnf-proof-invalid` (design section 3, Binding). */
export async function checkBinding(request: AppraisalRequest, nonce: CheckedNonce, audience: string): Promise<Bound> {
  if (request.binding === 'nonce') {
    refuseWithNonceBinding(request)
    return { reportData: nonceBinding(nonce.bytes), extraData: nonce.bytes, cnf: undefined }
  }
  const cnf = request.cnf_jwk === undefined ? undefined : readCnfJwk(request.cnf_jwk)
  const input = bindingInput({ nonce: nonce.bytes, thumbprint: cnf?.thumbprint, runtimeData: request.runtime_data, audience })
  await checkProof(request, cnf, input)
  return { reportData: reportDataOf(input), extraData: extraDataOf(input), cnf }
}

const HASH_ONLY = ['cnf_jwk', 'cnf_proof', 'runtime_data'] as const

function refuseWithNonceBinding(request: AppraisalRequest): void {
  const at = HASH_ONLY.find((member) => request[member] !== undefined)
  if (at !== undefined) throw new AttestationError('binding-invalid', `binding "nonce" cannot bind ${at}`, { at })
}

async function checkProof({ cnf_proof: proof }: AppraisalRequest, cnf: CnfKey | undefined, input: Uint8Array): Promise<void> {
  if (cnf === undefined) {
    if (proof !== undefined) throw new AttestationError('binding-invalid', 'cnf_proof came without cnf_jwk', { at: 'cnf_proof' })
    return
  }
  if (proof === undefined) throw new AttestationError('cnf-proof-invalid', 'cnf_jwk came without cnf_proof', { at: 'cnf_proof' })
  await verifyCnfProof(cnf.key, input, proof)
}
