import { constants, createECDH, createPublicKey, hash, publicDecrypt, verify, type KeyObject } from 'node:crypto'

/** A digest that was signed, by the name of its hash. */
export type SignedDigest = { readonly hash: string; readonly digest: Buffer; readonly signature: Buffer }

/** DigestInfo before the digest (RFC 8017 section 9.2, notes). */
const DIGEST_INFO: Readonly<Record<string, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

/** RSASSA-PKCS1-v1_5 over a digest that is at hand: OpenSSL takes off the padding, and what is left must be exactly that of the digest. */
export function verifyRsaDigest(key: KeyObject, { hash: name, digest, signature }: SignedDigest): boolean {
  const info = DIGEST_INFO[name]
  if (info === undefined) return false
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).equals(Buffer.concat([info, digest]))
  } catch {
    // Another length than the key's, or no padding of this kind: a signature that does not verify.
    return false
  }
}

type Curve = {
  /** As JWK names it, and as OpenSSL does. */
  readonly crv: string
  readonly name: string
  readonly bytes: number
  /** The field's prime, and the order of the base point (SEC 2). */
  readonly p: bigint
  readonly n: bigint
}

const CURVES: readonly Curve[] = [
  {
    crv: 'P-256',
    name: 'prime256v1',
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  {
    crv: 'P-384',
    name: 'secp384r1',
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  {
    crv: 'P-521',
    name: 'secp521r1',
    bytes: 66,
    p: 2n ** 521n - 1n,
    n: 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n,
  },
  {
    crv: 'secp256k1',
    name: 'secp256k1',
    bytes: 32,
    p: 2n ** 256n - 2n ** 32n - 977n,
    n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  },
]

type Point = { readonly x: bigint; readonly y: bigint }
type CurveKey = { readonly curve: Curve; readonly point: Point }

/** A key on one of the curves that signatures of files are made with; undefined for any other. */
export function curveKeyOf(key: KeyObject): CurveKey | undefined {
  const curve = CURVES.find(({ name }) => name === key.asymmetricKeyDetails?.namedCurve)
  if (curve === undefined) return undefined
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return { curve, point: { x: bigOf(Buffer.from(x, 'base64url')), y: bigOf(Buffer.from(y, 'base64url')) } }
}

/** Any text whose hash is known: what OpenSSL verifies in place of the digest. */
const STAND_IN = Buffer.from('assay')
const STAND_IN_HASH = bigOf(hash('sha256', STAND_IN, 'buffer'))

/**
 * ECDSA over a digest that is at hand. Node's verify hashes what it is given, so the question is put so that it can: with z the digest,
 * h the hash of a text of ours and c = (z - h)/r, the point that signature (r, s) leads to is
 *   (z/s)G + (r/s)Q = ((h + rc)/s)G + (r/s)Q = (h/s)G + (r/s)(Q + cG),
 * so (r, s) is Q's signature of z exactly if it is that of the text by the key Q + cG, which OpenSSL then verifies.
 */
export function verifyEcdsaDigest({ curve, point }: CurveKey, { digest, signature }: SignedDigest): boolean {
  const { n, bytes } = curve
  const r = firstInteger(signature) % n
  if (r === 0n) return false
  const z = bigOf(digest.subarray(0, bytes))
  const c = mod((z - STAND_IN_HASH) * inverse(r, n), n)
  const shifted = c === 0n ? point : sum(point, multipleOfBase(curve, c), curve.p)
  return shifted !== undefined && verify('sha256', STAND_IN, { key: keyAt(curve, shifted), dsaEncoding: 'der' }, signature)
}

/** r of SEQUENCE { r INTEGER, s INTEGER }; 0 for what cannot be one. OpenSSL reads the signature itself and strictly: this only finds the number. */
function firstInteger(der: Buffer): bigint {
  // A sequence of more than 127 bytes (P-521) has a length of two.
  const at = der.at(1) === 0x81 ? 3 : 2
  const length = der.at(at + 1) ?? 0
  const value = der.subarray(at + 2, at + 2 + length)
  return der.at(at) === 0x02 && value.byteLength === length && length > 0 ? bigOf(value) : 0n
}

/** The sum of two different points of a curve; undefined where they have one x: nobody gets there without knowing the private key. */
function sum(a: Point, b: Point, p: bigint): Point | undefined {
  if (a.x === b.x) return undefined
  const slope = mod((b.y - a.y) * inverse(mod(b.x - a.x, p), p), p)
  const x = mod(slope * slope - a.x - b.x, p)
  return { x, y: mod(slope * (a.x - x) - a.y, p) }
}

function multipleOfBase({ name, bytes }: Curve, scalar: bigint): Point {
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(bytesOf(scalar, bytes))
  const point = ecdh.getPublicKey()
  return { x: bigOf(point.subarray(1, 1 + bytes)), y: bigOf(point.subarray(1 + bytes)) }
}

/** Node refuses a point that is not on the curve. */
function keyAt({ crv, bytes }: Curve, { x, y }: Point): KeyObject {
  const coordinate = (value: bigint) => bytesOf(value, bytes).toString('base64url')
  return createPublicKey({ key: { kty: 'EC', crv, x: coordinate(x), y: coordinate(y) }, format: 'jwk' })
}

/** The inverse of a number that is not divisible by a prime, by Euclid's algorithm. */
function inverse(value: bigint, prime: bigint): bigint {
  let [a, b, x, y] = [value, prime, 1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return mod(x, prime)
}

const mod = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus

function bigOf(bytes: Uint8Array): bigint {
  return bytes.byteLength === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

const bytesOf = (value: bigint, length: number): Buffer => Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
