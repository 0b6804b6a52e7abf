import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { CURVES, RSA_BITS, type EkKind } from './templates.ts'

/** A public key that can be an EK's: of a kind for which there is a template. */
export type EkKey = {
  readonly kind: EkKind
  readonly key: KeyObject
  /** SHA-256 over the DER SubjectPublicKeyInfo, lower-case hex: the name of the EK everywhere. */
  readonly spkiSha256: string
  /** What the unique field of a public area holds: the modulus, or x and y in full length. */
  readonly unique: readonly Uint8Array[]
}

/** The only exponent that templates have (0 in a public area stands for it). */
const EXPONENT = 65537n

/** The EK that this public key is; undefined if no template knows such a key (section 7: RSA of 2048, 3072, 4096; P-256, P-384, P-521). */
export function ekKeyOf(key: KeyObject): EkKey | undefined {
  const kind = kindOf(key)
  if (kind === undefined) return undefined
  const spki = key.export({ type: 'spki', format: 'der' })
  return { kind, key, spkiSha256: createHash('sha256').update(spki).digest('hex'), unique: uniqueOf(key) }
}

function kindOf(key: KeyObject): EkKind | undefined {
  const { modulusLength, publicExponent, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return keyWith(CURVES, ({ node }) => node === namedCurve)
  if (key.asymmetricKeyType !== 'rsa' || publicExponent !== EXPONENT) return undefined
  return keyWith(RSA_BITS, (bits) => bits === modulusLength)
}

function keyWith<K extends string, V>(table: Readonly<Record<K, V>>, holds: (value: V) => boolean): K | undefined {
  for (const name in table) if (holds(table[name])) return name
  return undefined
}

/**
 * What the unique field of a public area holds of this key. A JWK has the modulus without zeros in front, which is its full length, and
 * coordinates in full length (RFC 7518 section 6).
 */
export function uniqueOf(key: KeyObject): readonly Uint8Array[] {
  const { n, x, y } = key.export({ format: 'jwk' })
  return [n, x, y].flatMap((text) => (text === undefined ? [] : [new Uint8Array(Buffer.from(text, 'base64url'))]))
}

/** The public key of an RSA modulus with the exponent of templates, or of a point; undefined if it is none, as off its curve. */
export function keyOfUnique(kind: EkKind, unique: readonly Uint8Array[]): EkKey | undefined {
  const [first = '', second = ''] = unique.map((bytes) => Buffer.from(bytes).toString('base64url'))
  try {
    const ek = ekKeyOf(createPublicKey({ key: jwkOf(kind, first, second), format: 'jwk' }))
    return ek?.kind === kind && isSame(ek.unique, unique) ? ek : undefined
  } catch {
    return undefined
  }
}

/** One key has one spelling: no zeros in front of a modulus or behind a field's length. */
const isSame = (left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean =>
  left.every((bytes, index) => Buffer.compare(bytes, right[index] ?? new Uint8Array(0)) === 0)

/** `AQAB` is the exponent of templates. */
const jwkOf = (kind: EkKind, first: string, second: string): JsonWebKey =>
  kind === 'ecc-p256' || kind === 'ecc-p384' || kind === 'ecc-p521'
    ? { kty: 'EC', crv: CURVES[kind].jwk, x: first, y: second }
    : { kty: 'RSA', n: first, e: 'AQAB' }
