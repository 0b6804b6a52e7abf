import { hash } from 'node:crypto'

/** SHA-256 of bytes that are others with each evidence, or another copy; base64. */
export const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64')

const digests = new WeakMap<Uint8Array, string>()

/**
 * The same for bytes that are handed in as one object again and again, and that nobody writes to: documents as the collateral service holds
 * them, and what was read of certificates. They are hashed once an object, not once an appraisal: a revocation list may have megabytes.
 */
export function heldDigestOf(bytes: Uint8Array): string {
  const known = digests.get(bytes)
  if (known !== undefined) return known
  const digest = digestOf(bytes)
  digests.set(bytes, digest)
  return digest
}
