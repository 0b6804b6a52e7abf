import { snp } from './snp/index.ts'
import { sgx, tdx } from './tdx/index.ts'
import { tpm } from './tpm/index.ts'
import { tsm } from './tsm.ts'
import type { Anchors, Evidence, EvidenceType, Reading, Unverified, Verifier } from './verifier.ts'

type EvidenceOf = { readonly [T in EvidenceType]: Extract<Evidence, { type: T }> }

/** One row for each kind of evidence; a kind without a row does not compile. */
const VERIFIERS: { readonly [T in EvidenceType]: Verifier<EvidenceOf[T]> } = { snp, tdx, sgx, tpm, tsm }

/** Reads evidence with the verifier of its type. Throws AttestationError when the bytes make no sense. */
export async function verify<T extends EvidenceType>(
  evidence: EvidenceOf[T] & { readonly type: T },
  anchors: Anchors,
  reading?: Reading,
): Promise<Unverified> {
  return VERIFIERS[evidence.type](evidence, anchors, reading)
}
