/**
 * Standard base64 with padding or URL-safe without, each in its canonical spelling only: two spellings of one value would give one node
 * two identities (design section 3). Undefined for any other text.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  // Node's decoder takes both alphabets and skips what it does not know; encoding again tells whether that happened.
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text && bytes.toString('base64url') !== text) return undefined
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Longest canonical text for so many bytes. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4
