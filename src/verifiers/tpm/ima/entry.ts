import { hash } from 'node:crypto'

/** The digest of a file, or of what a buffer holds (template fields d, d-ng, d-ngv2). */
export type ImaDigest = {
  /** As the kernel names it: `sha256`. */
  readonly algorithm: string
  readonly bytes: Buffer
  /** What it is the digest of: the file, or the root of its Merkle tree (fs-verity). */
  readonly of: 'file' | 'verity'
}

/** One entry of a list, read but not believed. Bytes are good until the next portion of the list is taken in. */
export type ImaEntry = {
  /** From 1, over the whole list. */
  readonly number: number
  readonly templateHash: Buffer
  /** The name of its template: `ima-ng`. */
  readonly template: string
  /** What the template hash and PCR 10 are over (specification tpm.md section 12.2). */
  readonly data: Buffer
  readonly digest: ImaDigest
  /** Bytes of the path as the kernel wrote them, without the final NUL. */
  readonly path: Buffer
  /** Of templates that have it, possibly empty. */
  readonly signature?: Buffer
  /** Of ima-buf. */
  readonly buffer?: Buffer
}

/** Hashes that a template hash of a length may be of: what stands first is tried first (section 12.2). */
const HASHES_BY_LENGTH: Readonly<Record<number, readonly string[]>> = {
  20: ['sha1'],
  32: ['sha256', 'sm3'],
  48: ['sha384'],
  64: ['sha512'],
}

/** Whether a template hash has a length that some hash has. */
export const isHashLength = (length: number): boolean => HASHES_BY_LENGTH[length] !== undefined

/** A violation: a file was measured while it was written. Nothing that such an entry says is covered by PCR 10 (section 12.3). */
export const isViolation = ({ templateHash }: ImaEntry): boolean => templateHash.every((byte) => byte === 0)

/** Whether the template hash is that of the data (TPM-62). A violation has none. */
export function hasItsHash(entry: ImaEntry): boolean {
  const { templateHash, data } = entry
  const names = HASHES_BY_LENGTH[templateHash.byteLength] ?? []
  return names.some((name) => templateHash.equals(hash(name, data, 'buffer'))) || isViolation(entry)
}
