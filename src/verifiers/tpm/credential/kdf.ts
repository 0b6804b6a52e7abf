import { createHash, createHmac } from 'node:crypto'
import { concat, u32be } from './bytes.ts'
import { NAME_HASHES, type NameHash } from './templates.ts'

/** What a derivation is for (specification tpm.md section 7); ends with a NUL when it is hashed. */
type KdfLabel = 'IDENTITY' | 'STORAGE' | 'INTEGRITY'

/** Who takes part: names, or coordinates of public keys. */
export type KdfParties = { readonly u: Uint8Array; readonly v: Uint8Array }

/** What comes out: so many bits, a multiple of 8, with this label. */
export type KdfWanted = { readonly label: KdfLabel; readonly parties: KdfParties; readonly bits: number }

/** Parties of a derivation that knows none. */
export const NOBODY: KdfParties = { u: new Uint8Array(0), v: new Uint8Array(0) }

const textOf = (label: KdfLabel): Uint8Array => new Uint8Array(Buffer.from(`${label}\0`, 'ascii'))

/** KDFa (TPM 2.0 library part 1, section 11.4.10.2; NIST SP 800-108 in counter mode): HMAC under `key`. */
export function kdfA(hash: NameHash, key: Uint8Array, { label, parties, bits }: KdfWanted): Uint8Array {
  const fixed = concat(textOf(label), parties.u, parties.v, u32be(bits))
  return blocks(hash, bits, (counter) => createHmac(hash, key).update(counter).update(fixed).digest())
}

/** KDFe (part 1, section 11.4.10.3; NIST SP 800-56A): a hash over the shared x coordinate `z`. */
export function kdfE(hash: NameHash, z: Uint8Array, { label, parties, bits }: KdfWanted): Uint8Array {
  const fixed = concat(z, textOf(label), parties.u, parties.v)
  return blocks(hash, bits, (counter) => createHash(hash).update(counter).update(fixed).digest())
}

/** Blocks with counters from 1 on, cut to so many bits. */
function blocks(hash: NameHash, bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const count = Math.ceil(bits / 8 / NAME_HASHES[hash].bytes)
  const all = Array.from({ length: count }, (_, index) => block(u32be(index + 1)))
  return concat(...all).slice(0, bits / 8)
}
