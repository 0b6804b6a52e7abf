import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { CURVES, type Curve } from './algorithms.ts'
import type { PublicArea } from './public.ts'

/** A public key that is fit to verify with, whoever vouches for it. */
export type VerifyingKey = {
  readonly object: KeyObject
  /** `rsa-2048`, `ecc-p256`: the names in claims. */
  readonly algorithm: string
  readonly kind: 'rsa' | 'ecc'
  /** Bytes of the modulus, or of a coordinate. */
  readonly bytes: number
}

/** Lengths of RSA keys that are accepted: what TPMs make of 2048 bits and more. */
const RSA_BITS: readonly number[] = [2048, 3072, 4096]
const MIN_EXPONENT = 65_537

/**
 * Node reads the form of a signature from the key object itself, too. In an object of options around the key it takes longer to find, for each
 * signature anew. For RSA the member says nothing.
 */
const FIXED_FORM = { dsaEncoding: 'ieee-p1363' } as const

/** TPM-12: the key of a public area, or why it is none that is accepted. */
export function keyOf({ key }: PublicArea): VerifyingKey | string {
  if (key.type === 'rsa') return rsaKey(key.modulus, key.exponent)
  const curve = CURVES.find(({ id }) => id === key.curve)
  return curve === undefined ? `curve ${key.curve}` : eccKey(curve, key.x, key.y)
}

/** The same for a key that a certificate names; there is no public area. */
export function keyOfCertificate(object: KeyObject): VerifyingKey | string {
  const jwk = jwkOf(object)
  if (jwk === undefined) return `a key of type ${object.asymmetricKeyType}`
  if (jwk.kty === 'RSA') return rsaKey(bytesOf(jwk.n), Number(`0x${Buffer.from(bytesOf(jwk.e)).toString('hex')}`))
  const curve = CURVES.find((row) => row.jwk === jwk.crv)
  return curve === undefined ? `${object.asymmetricKeyType} ${jwk.crv ?? ''}` : eccKey(curve, bytesOf(jwk.x), bytesOf(jwk.y))
}

/** Node throws for kinds of keys and curves that it has no JWK for (DSA, RSA-PSS, P-224), none of which is accepted. */
function jwkOf(object: KeyObject): JsonWebKey | undefined {
  try {
    return object.export({ format: 'jwk' })
  } catch {
    return undefined
  }
}

const bytesOf = (text: string | undefined): Uint8Array => Buffer.from(text ?? '', 'base64url')

function rsaKey(modulus: Uint8Array, exponent: number): VerifyingKey | string {
  const bits = 8 * modulus.length
  if (!RSA_BITS.includes(bits) || (modulus[0] ?? 0) < 0x80) return `RSA of ${bits} bits, the first ${(modulus[0] ?? 0) >> 7}`
  if (exponent < MIN_EXPONENT || exponent % 2 === 0) return `RSA with the exponent ${exponent}`
  const e = Buffer.from(exponent.toString(16).padStart(8, '0'), 'hex')
  const object = imported({ kty: 'RSA', n: text(modulus), e: text(stripped(e)) })
  return object === undefined ? 'RSA, not a key' : { object, algorithm: `rsa-${bits}`, kind: 'rsa', bytes: modulus.length }
}

/** Some stacks strip leading zeros of coordinates; a JWK has them all. */
function eccKey({ jwk, bytes, label }: Curve, x: Uint8Array, y: Uint8Array): VerifyingKey | string {
  if (x.length > bytes || y.length > bytes) return `${label}, a coordinate of ${Math.max(x.length, y.length)} bytes`
  const object = imported({ kty: 'EC', crv: jwk, x: text(leftPadded(x, bytes)), y: text(leftPadded(y, bytes)) })
  return object === undefined ? `${label}, a point that is not on the curve` : { object, algorithm: label, kind: 'ecc', bytes }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')

/** The number without leading zeros. */
export function stripped(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? bytes.subarray(bytes.length) : bytes.subarray(first)
}

/** The same number in `length` bytes; `bytes` are no more than that. */
export function leftPadded(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length)
  padded.set(bytes, length - bytes.length)
  return padded
}

/** OpenSSL refuses what is no key, and points that are not on their curve. */
function imported(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return Object.assign(createPublicKey({ key: jwk, format: 'jwk' }), FIXED_FORM)
  } catch {
    return undefined
  }
}
