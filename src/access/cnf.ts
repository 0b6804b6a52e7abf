import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto'
import { AttestationError } from '../verifiers/problems.ts'
import { proofInput } from './binding.ts'
import { isEd25519PublicKey } from './ed25519.ts'

/** A public JWK in the members that RFC 7638 section 3.2 names, in its order, and nothing else. */
export type PublicJwk =
  | { readonly crv: 'P-256' | 'P-384'; readonly kty: 'EC'; readonly x: string; readonly y: string }
  | { readonly crv: 'Ed25519'; readonly kty: 'OKP'; readonly x: string }
  | { readonly e: string; readonly kty: 'RSA'; readonly n: string }

/** A key that a token may be bound to. */
export type CnfKey = {
  readonly jwk: PublicJwk
  /** RFC 7638 with SHA-256, 32 bytes. */
  readonly thumbprint: Uint8Array
  readonly key: KeyObject
}

/** A key of 4096 bits still leaves a lean token under 4 KiB, and bounds the work of one proof. */
const RSA_BITS = { min: 2048, max: 4096 } as const

/** FIPS 186-5 section 5.4 (e over 2^16), and four bytes at most: no caller sets the price of a verification. */
const RSA_EXPONENT = { min: 65537, maxBytes: 4 } as const

type Members = Readonly<Record<string, string>>

/** How each kind of key is read: from the only members that it may have, all of them strings. */
const KINDS = new Map<string, { readonly members: readonly string[]; readonly read: (m: Members) => PublicJwk }>([
  ['EC P-256', { members: ['crv', 'kty', 'x', 'y'], read: (m) => ec('P-256', m) }],
  ['EC P-384', { members: ['crv', 'kty', 'x', 'y'], read: (m) => ec('P-384', m) }],
  ['OKP Ed25519', { members: ['crv', 'kty', 'x'], read: ed25519 }],
  ['RSA', { members: ['e', 'kty', 'n'], read: rsa }],
])

const COORDINATE_BYTES = { 'P-256': 32, 'P-384': 48 } as const

/**
 * Reads `cnf_jwk` (design section 3, Binding): EC P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits, in canonical values on the curve.
 * Throws `cnf-key-invalid`; the message never holds anything of the key, which may be a private one sent by mistake.
 */
export function readCnfJwk(value: unknown): CnfKey {
  const members = stringMembers(value)
  const kind = KINDS.get([members['kty'], members['crv']].filter((part) => part !== undefined).join(' '))
  if (kind === undefined) throw invalid('it is not an EC P-256, EC P-384, Ed25519 or RSA key')
  const expected = kind.members
  if (Object.keys(members).toSorted().join() !== expected.join()) throw invalid(`it has other members than ${expected.join(', ')}`)
  const jwk = kind.read(members)
  return { jwk, thumbprint: thumbprintOf(jwk), key: importKey(jwk) }
}

/** RFC 7638 section 3: SHA-256 over the JSON of the required members in lexical order without blanks. The order is that of {@link PublicJwk}. */
export const thumbprintOf = (jwk: PublicJwk): Uint8Array => hash('sha256', JSON.stringify(jwk), 'buffer')

/**
 * Proof of possession over P: ECDSA in DER with SHA-256 or SHA-384 by curve, Ed25519, or RSA PKCS#1 v1.5 with SHA-256.
 * Throws `cnf-proof-invalid`.
 */
export async function verifyCnfProof(key: KeyObject, input: Uint8Array, proof: Uint8Array): Promise<void> {
  if (await isSignatureOf(key, proofInput(input), proof)) return
  throw new AttestationError('cnf-proof-invalid', 'cnf_proof is not a signature of cnf_jwk over this binding', { at: 'cnf_proof' })
}

/** Whether the key, of a kind that {@link readCnfJwk} takes, made the signature, in the form that its kind has. */
export function isSignatureOf(key: KeyObject, data: Uint8Array, signature: Uint8Array): Promise<boolean> | boolean {
  if (key.asymmetricKeyType === 'ed25519') return verify(null, data, key, signature)
  if (key.asymmetricKeyDetails?.namedCurve !== 'secp384r1') return verify('sha256', data, key, signature)
  // P-384 is slow enough that another thread does it; the rest costs less than the hop (performance.md section 9).
  return new Promise((resolve, reject) => {
    verify('sha384', data, key, signature, (error, valid) => {
      if (error === null) resolve(valid)
      else reject(error)
    })
  })
}

function stringMembers(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('it is not an object')
  const entries: [string, unknown][] = Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, member]) => {
      if (typeof member !== 'string') throw invalid('a member is not a string')
      return [name, member]
    }),
  )
}

function ec(crv: 'P-256' | 'P-384', m: Members): PublicJwk {
  const coordinate = (name: 'x' | 'y'): string => {
    const text = m[name] ?? ''
    if (decode(text).length !== COORDINATE_BYTES[crv]) throw invalid(`${name} has not ${COORDINATE_BYTES[crv]} bytes`)
    return text
  }
  return { crv, kty: 'EC', x: coordinate('x'), y: coordinate('y') }
}

function ed25519(m: Members): PublicJwk {
  const x = m['x'] ?? ''
  if (!isEd25519PublicKey(decode(x))) throw invalid('x is not a canonical Ed25519 key, or one of small order')
  return { crv: 'Ed25519', kty: 'OKP', x }
}

function rsa(m: Members): PublicJwk {
  const [e, n] = [m['e'] ?? '', m['n'] ?? '']
  const bits = bitLength(oddNumber(n))
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) throw invalid(`n has not ${RSA_BITS.min} to ${RSA_BITS.max} bits`)
  const exponent = oddNumber(e)
  const small = exponent.length <= RSA_EXPONENT.maxBytes && Buffer.from(exponent).readUIntBE(0, exponent.length) >= RSA_EXPONENT.min
  if (!small) throw invalid(`e is not a number from ${RSA_EXPONENT.min} in at most ${RSA_EXPONENT.maxBytes} bytes`)
  return { e, kty: 'RSA', n }
}

/** Two spellings of one key would give it two thumbprints, so only canonical base64url is taken (RFC 7515 section 2). */
function decode(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw invalid('a member is not canonical base64url')
  return bytes
}

/** RFC 7518 section 2, Base64urlUInt: no leading zero octets. Modulus and exponent are both odd. */
function oddNumber(text: string): Uint8Array {
  const bytes = decode(text)
  if (bytes[0] === 0) throw invalid('a number has leading zeros')
  if (((bytes.at(-1) ?? 0) & 1) === 0) throw invalid('a number is even')
  return bytes
}

/** Of a number without leading zero octets. */
const bitLength = (number: Uint8Array): number => number.length * 8 - (Math.clz32(number[0] ?? 0) - 24)

/** OpenSSL refuses coordinates that are not below the prime or not on the curve. Its words are not passed on. */
function importKey(jwk: PublicJwk): KeyObject {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    throw invalid('it is not a point of its curve')
  }
}

const invalid = (why: string): AttestationError => new AttestationError('cnf-key-invalid', `cnf_jwk: ${why}`, { at: 'cnf_jwk' })
