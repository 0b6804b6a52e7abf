import { constants, verify } from 'node:crypto'
import { AttestationError } from '../problems.ts'
import { Reader } from '../reader.ts'
import { ALG, digestBytes, hashOf, hex16, type SigningHash } from './algorithms.ts'
import { sized } from './fields.ts'
import { leftPadded, stripped, type VerifyingKey } from './public-key.ts'

/** TPMT_SIGNATURE (specification tpm.md section 3.4). `other`: of a kind whose form is not read. `hash` is an id. */
export type TpmSignature =
  | { readonly kind: 'rsa'; readonly scheme: number; readonly hash: number; readonly signature: Uint8Array }
  | { readonly kind: 'ecc'; readonly scheme: number; readonly hash: number; readonly r: Uint8Array; readonly s: Uint8Array }
  | { readonly kind: 'other'; readonly scheme: number; readonly hash: number }

/** TPM2B_PUBLIC_KEY_RSA of 4096 bits; coordinates are shorter, also with leading zeros. */
const MAX_BYTES = 512
const CODE = 'tpm-signature-malformed'

/**
 * A signature to its last byte (TPM-16). Kinds that are not accepted are told by their algorithm alone.
 * Throws AttestationError tpm-signature-malformed.
 */
export function parseSignature(bytes: Uint8Array, what: string): TpmSignature {
  const scheme = Reader.all(bytes.subarray(0, 2), { what, code: CODE }, (r) => r.u16be('sigAlg'))
  if (scheme !== ALG.rsassa && scheme !== ALG.rsapss && scheme !== ALG.ecdsa) return { kind: 'other', scheme, hash: ALG.none }
  return Reader.all(bytes.subarray(2), { what, code: CODE }, (r) => {
    const hash = r.u16be('hash')
    if (scheme !== ALG.ecdsa) return { kind: 'rsa', scheme, hash, signature: sized(r, 'sig', MAX_BYTES) }
    return { kind: 'ecc', scheme, hash, r: readScalar(r, 'signatureR'), s: readScalar(r, 'signatureS') }
  })
}

/** A number without its leading zeros, which some stacks write and others leave out; never zero. */
function readScalar(r: Reader, field: string): Uint8Array {
  const scalar = stripped(sized(r, field, MAX_BYTES))
  if (scalar.length === 0) throw r.malformed(field, 'is zero')
  return scalar
}

/** Throws AttestationError tpm-signature-malformed where a signature cannot be one of this key for its length. Other kinds of key are TPM-13's. */
export function checkLength(signature: TpmSignature, key: VerifyingKey, what: string): void {
  if (signature.kind === 'other' || signature.kind !== key.kind) return
  const { bytes } = key
  const found = signature.kind === 'rsa' ? signature.signature.length : Math.max(signature.r.length, signature.s.length)
  const fits = signature.kind === 'rsa' ? found === bytes : found <= bytes
  if (!fits) throw new AttestationError(CODE, `${what}: ${found} bytes for a key of ${bytes}`, { at: what })
}

/** Scheme and hash by their ids, as keys and signatures have them. */
export type SchemeIds = { readonly scheme: number; readonly hash: number }
/** A scheme and a hash that are accepted. */
export type SigningScheme = { readonly scheme: 'rsassa' | 'rsapss' | 'ecdsa'; readonly hash: SigningHash }

const SCHEME_NAMES: ReadonlyMap<number, SigningScheme['scheme']> = new Map([
  [ALG.rsassa, 'rsassa'],
  [ALG.rsapss, 'rsapss'],
  [ALG.ecdsa, 'ecdsa'],
])

/** TPM-14: scheme and hash by their names; otherwise why they are not accepted. */
export function schemeOf(ids: SchemeIds): SigningScheme | 'weak' | 'unsupported' {
  const scheme = SCHEME_NAMES.get(ids.scheme)
  const hash = hashOf(ids.hash)
  if (scheme === undefined || hash === undefined) return 'unsupported'
  return hash === 'sha1' ? 'weak' : { scheme, hash }
}

/** `rsassa sha256`; ids of what has no name here. */
export const formatScheme = ({ scheme, hash }: SchemeIds): string =>
  `${SCHEME_NAMES.get(scheme) ?? hex16(scheme)} ${hashOf(hash) ?? hex16(hash)}`

/** A signature whose scheme is accepted, and what it is said to be over. */
export type SignedBytes = { readonly signature: TpmSignature; readonly scheme: SigningScheme; readonly data: Uint8Array }

/**
 * TPM-17: how the signature verifies (`ecdsa sha256`, `rsapss sha256, salt 32`); undefined where it does not, or where the key is of another
 * kind. P-384 and P-521 take half a millisecond and more, and are verified in libuv's pool.
 */
export async function verifySignature(
  { signature, scheme: { scheme, hash }, data }: SignedBytes,
  key: VerifyingKey,
): Promise<string | undefined> {
  if (signature.kind === 'other' || signature.kind !== key.kind) return undefined
  const name = `${scheme} ${hash}`
  if (signature.kind === 'ecc') {
    const raw = Buffer.concat([leftPadded(signature.r, key.bytes), leftPadded(signature.s, key.bytes)])
    return (await verifyEcc({ hash, data, raw }, key)) ? name : undefined
  }
  if (scheme === 'rsassa') return verify(hash, data, key.object, signature.signature) ? name : undefined
  const saltLength = saltsOf(hash, key).find((salt) => verifyPss({ hash, data, raw: signature.signature }, key, salt))
  return saltLength === undefined ? undefined : `${name}, salt ${saltLength}`
}

type Raw = { readonly hash: SigningHash; readonly data: Uint8Array; readonly raw: Uint8Array }

/** The key object itself says that signatures are r || s. */
async function verifyEcc({ hash, data, raw }: Raw, { object, algorithm }: VerifyingKey): Promise<boolean> {
  if (algorithm === 'ecc-p256') return verify(hash, data, object, raw)
  return new Promise((resolve) => {
    verify(hash, data, object, raw, (error, valid) => {
      resolve(error === null && valid)
    })
  })
}

/**
 * TPMs use a salt as long as the digest, or on older parts the longest that fits (section 3.4). As numbers: the constant for the longest one
 * means any length to OpenSSL when it verifies.
 */
const saltsOf = (hash: SigningHash, { bytes }: VerifyingKey): readonly number[] => [digestBytes(hash), bytes - digestBytes(hash) - 2]

const verifyPss = ({ hash, data, raw }: Raw, { object }: VerifyingKey, saltLength: number): boolean =>
  verify(hash, data, { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, raw)
