import { constants, createPublicKey, sign, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto'
import type { TokenAlgorithm } from '../access/audiences.ts'
import type { PublicJwk } from '../access/cnf.ts'

/** A key that signs tokens, with one algorithm only (RFC 8725 section 3.1). */
export type TokenKey = {
  readonly alg: TokenAlgorithm
  /** RFC 7638 thumbprint, base64url. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: PublicJwk
}

/** Signs one kind of token: the JSON of its claims in, a compact JWS out (RFC 7515 section 7.1). */
export type Signer = (claims: string) => string

/**
 * The only place that signs without jose, which costs four times as much (performance.md section 1): an options object alone costs half of a
 * P-256 signature, so the key goes in bare and the DER that comes out is converted here. Its tests verify every kind of token with jose.
 * Throws a plain error for a key whose halves do not belong together.
 */
export function createSigner(key: TokenKey, typ: string): Signer {
  const header = base64url(JSON.stringify({ alg: key.alg, typ, kid: key.kid }))
  const { sign: signature } = SCHEMES[key.alg]
  proveKey(key)
  return (claims) => {
    const input = `${header}.${base64url(claims)}`
    return `${input}.${signature(Buffer.from(input, 'ascii'), key.privateKey).toString('base64url')}`
  }
}

/** How an algorithm signs, and how OpenSSL is asked whether it did. */
type Scheme = {
  readonly sign: (input: Uint8Array, key: KeyObject) => Buffer
  /** Null: the algorithm hashes by itself (RFC 8032 section 5.1). */
  readonly hash: 'sha256' | 'sha384' | null
  readonly options: Omit<VerifyKeyObjectInput, 'key'>
}

const ecdsa = (hash: 'sha256' | 'sha384', scalarBytes: number): Scheme => ({
  sign: (input, key) => p1363FromDer(sign(hash, input, key), scalarBytes),
  hash,
  options: { dsaEncoding: 'ieee-p1363' },
})

/** RFC 7518 section 3.5: the salt is as long as the hash, and MGF1 uses the same. */
const pss = (hash: 'sha256' | 'sha384', saltLength: number): Scheme => {
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
  return { sign: (input, key) => sign(hash, input, { key, ...options }), hash, options }
}

const SCHEMES = {
  ES256: ecdsa('sha256', 32),
  ES384: ecdsa('sha384', 48),
  RS256: { sign: (input, key) => sign('sha256', input, key), hash: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: pss('sha256', 32),
  PS384: pss('sha384', 48),
  EdDSA: { sign: (input, key) => sign(null, input, key), hash: null, options: {} },
} as const satisfies Record<TokenAlgorithm, Scheme>

/**
 * Dss-Sig-Value (RFC 3279 section 2.2.3) as OpenSSL writes it for P-256 and P-384: SEQUENCE of two INTEGERs, always with lengths of one
 * byte, into r ‖ s of as many bytes as the curve’s scalars have (RFC 7518 section 3.4). Throws a plain error for anything else.
 */
export function p1363FromDer(der: Uint8Array, scalarBytes: number): Buffer {
  const out = Buffer.alloc(2 * scalarBytes)
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error('not a DER signature')
  const next = copyInteger(der, 2, out.subarray(0, scalarBytes))
  if (copyInteger(der, next, out.subarray(scalarBytes)) !== der.length) throw new Error('bytes follow the DER signature')
  return out
}

/** Right-aligns one INTEGER in `target`; answers where the next element begins. */
function copyInteger(der: Uint8Array, at: number, target: Uint8Array): number {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== 0x02 || length === 0) throw new Error('not a DER INTEGER')
  const start = der[at + 2] === 0 ? at + 3 : at + 2
  if (end - start > target.length) throw new Error('the INTEGER is larger than the curve')
  target.set(der.subarray(start, end), target.length - (end - start))
  return end
}

/** A JWK may carry a d that does not belong to its x and y: then nobody could verify what it signs. Throws a plain error for such a key. */
export function proveKey({ alg, publicJwk, privateKey }: TokenKey): void {
  const scheme: Scheme = SCHEMES[alg]
  const probe = Buffer.from('assay-token-key')
  const key = createPublicKey({ key: { ...publicJwk }, format: 'jwk' })
  const valid = verify(scheme.hash, probe, { key, ...scheme.options }, scheme.sign(probe, privateKey))
  if (!valid) throw new Error('the halves of the token key do not belong together')
}

const base64url = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')
