import { createHash } from 'node:crypto'
import type { InitdataClaims } from './claims.ts'

const HASHES = ['sha384', 'sha256', 'sha512'] as const

/** A digest as MRCONFIGID holds it: 48 bytes, shorter ones followed by zeros, longer ones cut off. */
function adjusted(digest: Uint8Array): Uint8Array {
  const field = new Uint8Array(48)
  field.set(digest.subarray(0, field.length))
  return field
}

/**
 * How MRCONFIGID (48 bytes) binds an initdata document, as confidential containers do it (specification tdx.md section 7.2): SHA-384 exactly,
 * SHA-256 followed by zeros, or SHA-512 cut to 48 bytes. `none` where it is no digest of the document.
 */
export function initdataClaims(document: Uint8Array, mrConfigId: Uint8Array): InitdataClaims {
  const hash = (name: string): Buffer => createHash(name).update(document).digest()
  const binding = HASHES.find((name) => Buffer.compare(adjusted(hash(name)), mrConfigId) === 0)
  return { sha384: hash('sha384').toString('hex'), binding: binding ?? 'none' }
}
