import type { Admitted } from '../admission.ts'
import type { Anchors, CollateralAddress } from '../verifier.ts'

/** stub */
export function admitAmd(document: { address: CollateralAddress; bytes: Uint8Array }, anchors: Anchors, now: Date): Promise<Admitted> {
  throw new Error(`not yet ${document.address} ${anchors.digest} ${now}`)
}
