import type { Anchors, CollateralAddress, RollbackMark } from './verifier.ts'
import { admitAmd } from './snp/admission.ts'
import { admitIntel } from './tdx/admission.ts'
import { admitTpm } from './tpm/trust/admission.ts'

/** What the keeper of a vendor document must know of it: when it ends, and for lists and documents of Intel's where it stands in their sequence. */
export type Admitted = { readonly expiresAt: Date; readonly mark?: Exclude<RollbackMark, 'strictest'> }

/**
 * Proves that bytes are the genuine vendor document that an address names, so that they may be kept: signature by an anchor,
 * names, what the address repeats (chip and TCB of a VCEK, FMSPC), and the window. Throws AttestationError otherwise.
 */
export async function admitCollateral(
  document: { address: CollateralAddress; bytes: Uint8Array },
  anchors: Anchors,
  now: Date,
): Promise<Admitted> {
  if (document.address.startsWith('tpm/')) return admitTpm(document, anchors, now)
  return document.address.startsWith('intel/') ? admitIntel(document, anchors, now) : admitAmd(document, anchors, now)
}
