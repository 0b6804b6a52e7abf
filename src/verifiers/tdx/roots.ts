import type { IntelAnchor } from '../verifier.ts'

/** SubjectPublicKeyInfo of any P-256 key up to its point (RFC 5480 section 2). */
const P256_SPKI = '3059301306072a8648ce3d020106082a8648ce3d030107034200'
/** Intel SGX Root CA, valid from 2018-05-21 to 2049-12-31 (specification tdx.md section 3.1). */
const INTEL_SGX_ROOT =
  '040ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394'

/** The only key that chains of Intel's may end in. Pinned by key: the same subject exists on pre-production roots, the same key on re-issued ones. */
export const INTEL_ANCHORS: readonly IntelAnchor[] = [
  { spki: new Uint8Array(Buffer.from(P256_SPKI + INTEL_SGX_ROOT, 'hex')), origin: 'pinned' },
]
