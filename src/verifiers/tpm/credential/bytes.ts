/** 16 bits, big-endian, as everything of a TPM. */
export const u16be = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)

/** 32 bits, big-endian. */
export const u32be = (value: number): Uint8Array => Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)

/** Bytes behind each other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** TPM2B: the bytes with their length, 16 bits, in front. */
export const tpm2b = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => concat(u16be(bytes.length), bytes)

/** The same number in `length` bytes, with zeros in front. A longer one stays as it is, and its reader refuses it. */
export const leftPadded = (bytes: Uint8Array, length: number): Uint8Array =>
  bytes.length >= length ? bytes : concat(new Uint8Array(length - bytes.length), bytes)
