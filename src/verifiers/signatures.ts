import type { KeyObject } from 'node:crypto'
/** ECDSA with SHA-384 on P-384, signature r || s of 96 bytes. */
export function verifyEcdsa(input: { key: KeyObject; data: Uint8Array; signature: Uint8Array }): Promise<boolean> {
  throw new Error(`not yet ${input.data.length}`)
}
