import { AttestationError, type ProblemCode } from '../problems.ts'
import { Reader } from '../reader.ts'
import { ALG, hashOf, hex16 } from './algorithms.ts'
import type { PcrBank } from './claims.ts'
import { isSized, MAX_DIGEST_BYTES, sized } from './fields.ts'

/** A symmetric cipher of a storage key. */
type Symmetric = { readonly alg: number; readonly keyBits: number; readonly mode: number }
/** A signing or decryption scheme; `hash` is the id of its hash, null where the scheme has none. */
type Scheme = { readonly alg: number; readonly hash: number | null }

/** The key itself. Numbers as they stand; `exponent` 0 is written 65537. */
type PublicKeyFields =
  | { readonly type: 'rsa'; readonly keyBits: number; readonly exponent: number; readonly modulus: Uint8Array }
  | { readonly type: 'ecc'; readonly curve: number; readonly kdf: Scheme | null; readonly x: Uint8Array; readonly y: Uint8Array }

/** TPMT_PUBLIC (specification tpm.md section 3.1), believed in nothing. Byte fields are windows on the evidence. */
export type PublicArea = {
  /** The structure without the length that a TPM2B has in front: what the name is a digest of. */
  readonly bytes: Uint8Array
  readonly nameAlg: PcrBank
  /** TPMA_OBJECT. */
  readonly attributes: number
  readonly authPolicy: Uint8Array
  readonly symmetric: Symmetric | null
  readonly scheme: Scheme | null
  readonly key: PublicKeyFields
}

/** Names in errors, and the code that they have. */
type Document = { readonly what: string; readonly code: ProblemCode }

/** RSA of 4096 bits with the longest policy is under 700 bytes. */
const MAX_BYTES = 1024
/** TPM2B_PUBLIC_KEY_RSA of 4096 bits. */
const MAX_MODULUS_BYTES = 512
/** TPM2B_ECC_PARAMETER: a coordinate of P-521 has 66 bytes. */
const MAX_COORDINATE_BYTES = 66
/** What an exponent of 0 stands for. */
const DEFAULT_EXPONENT = 65_537

/** Schemes that have a hash; RSAES has none. */
const HASHED: readonly number[] = [ALG.rsassa, ALG.rsapss, ALG.ecdsa, ALG.ecdaa, 0x0017, 0x0019, 0x001b, 0x001c]

/**
 * A public area of an RSA or ECC key, bare or as TPM2B_PUBLIC, to its last byte. Throws AttestationError with the document's code, also for
 * objects that are no such keys and for name algorithms that are not known.
 */
export function parsePublicArea(given: Uint8Array, document: Document): PublicArea {
  const bytes = isSized(given) ? given.subarray(2) : given
  if (bytes.length > MAX_BYTES) throw new AttestationError(document.code, `${document.what}: ${bytes.length} bytes`, { at: document.what })
  return Reader.all(bytes, document, (r) => {
    const type = r.u16be('type')
    if (type !== ALG.rsa && type !== ALG.ecc) throw r.malformed('type', `${hex16(type)} is neither RSA nor ECC`)
    const head = {
      bytes,
      nameAlg: readNameAlg(r),
      attributes: r.u32be('objectAttributes'),
      authPolicy: sized(r, 'authPolicy', MAX_DIGEST_BYTES),
      symmetric: readSymmetric(r),
      scheme: readScheme(r, 'scheme'),
    }
    return { ...head, key: type === ALG.rsa ? readRsa(r) : readEcc(r) }
  })
}

/** Whether these bytes say that they are a public area, bare or behind a length: a kind of key and a hash that are known. */
export const looksLikePublicArea = (bytes: Uint8Array): boolean => beginsArea(bytes) || beginsArea(bytes.subarray(2))

function beginsArea([typeHigh, typeLow, hashHigh = 0, hashLow = 0]: Uint8Array): boolean {
  return typeHigh === 0 && (typeLow === ALG.rsa || typeLow === ALG.ecc) && hashOf((hashHigh << 8) | hashLow) !== undefined
}

function readNameAlg(r: Reader): PcrBank {
  const id = r.u16be('nameAlg')
  const name = hashOf(id)
  if (name === undefined) throw r.malformed('nameAlg', `${hex16(id)} is no hash that is known here`)
  return name
}

function readSymmetric(r: Reader): Symmetric | null {
  const alg = r.u16be('symmetric.algorithm')
  return alg === ALG.none ? null : { alg, keyBits: r.u16be('symmetric.keyBits'), mode: r.u16be('symmetric.mode') }
}

/** A scheme, as far as it is one whose length is known. */
function readScheme(r: Reader, field: string): Scheme | null {
  const alg = r.u16be(field)
  if (alg === ALG.none) return null
  if (alg === ALG.rsaes) return { alg, hash: null }
  if (!HASHED.includes(alg)) throw r.malformed(field, `${hex16(alg)} is no scheme that is known here`)
  const hash = r.u16be(`${field}.hashAlg`)
  if (alg === ALG.ecdaa) r.u16be(`${field}.count`)
  return { alg, hash }
}

function readRsa(r: Reader): PublicKeyFields {
  const keyBits = r.u16be('keyBits')
  const exponent = r.u32be('exponent')
  const modulus = sized(r, 'unique', MAX_MODULUS_BYTES)
  if (8 * modulus.length !== keyBits) throw r.malformed('unique', `${modulus.length} bytes for a key of ${keyBits} bits`)
  return { type: 'rsa', keyBits, exponent: exponent === 0 ? DEFAULT_EXPONENT : exponent, modulus }
}

function readEcc(r: Reader): PublicKeyFields {
  const curve = r.u16be('curveID')
  const kdf = readKdf(r)
  return { type: 'ecc', curve, kdf, x: sized(r, 'unique.x', MAX_COORDINATE_BYTES), y: sized(r, 'unique.y', MAX_COORDINATE_BYTES) }
}

function readKdf(r: Reader): Scheme | null {
  const alg = r.u16be('kdf')
  return alg === ALG.none ? null : { alg, hash: r.u16be('kdf.hashAlg') }
}
