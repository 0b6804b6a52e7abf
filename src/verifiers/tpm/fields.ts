import type { Reader } from '../reader.ts'

/** The largest TPM2B_NAME and TPM2B_DATA: an algorithm and a digest of SHA-512 (specification tpm.md section 2). */
export const MAX_NAME_BYTES = 66
/** The largest TPM2B_DIGEST. */
export const MAX_DIGEST_BYTES = 64

/** TPM2B: 16 bits of length and the bytes, at most `max` of them. A window on the evidence, which nobody changes. */
export function sized(r: Reader, field: string, max: number): Uint8Array {
  const length = r.u16be(`${field}.size`)
  if (length > max) throw r.malformed(field, `${length} bytes, ${max} at most`)
  return r.window(field, length)
}

/** Whether all of `bytes` is one TPM2B: the first 16 bits are the length of the rest. */
export const isSized = (bytes: Uint8Array): boolean => bytes.length >= 2 && ((bytes[0] ?? 0) << 8) + (bytes[1] ?? 0) === bytes.length - 2
