import { sign, verify } from 'node:crypto'
import type { TokenKey } from './keys.ts'

/** Signs one kind of token: the JSON of its claims in, a compact JWS out (RFC 7515 section 7.1). */
export type Signer = (claims: string) => string

/**
 * The only place that signs without jose, which costs four times as much (performance.md section 1): an options object alone costs half of a
 * P-256 signature, so the key goes in bare and the DER that comes out is converted here. Its tests verify every kind of token with jose.
 * Throws a plain error for a key whose halves do not belong together.
 */
export function createSigner(key: TokenKey, typ: string): Signer {
  const header = base64url(JSON.stringify({ alg: key.alg, typ, kid: key.kid }))
  const signer: Signer = (claims) => {
    const input = `${header}.${base64url(claims)}`
    return `${input}.${p1363FromDer(sign('sha256', Buffer.from(input, 'ascii'), key.privateKey)).toString('base64url')}`
  }
  proveKey(key)
  return signer
}

/** One half of an ES256 signature (RFC 7518 section 3.4). */
const SCALAR_BYTES = 32

/**
 * Dss-Sig-Value (RFC 3279 section 2.2.3) as OpenSSL writes it for P-256: SEQUENCE of two INTEGERs, always with lengths of one byte,
 * into r ‖ s of 32 bytes each (RFC 7518 section 3.4). Throws a plain error for anything else.
 */
export function p1363FromDer(der: Uint8Array): Buffer {
  const out = Buffer.alloc(2 * SCALAR_BYTES)
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error('not a DER signature')
  const next = copyInteger(der, 2, out.subarray(0, SCALAR_BYTES))
  if (copyInteger(der, next, out.subarray(SCALAR_BYTES)) !== der.length) throw new Error('bytes follow the DER signature')
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

/** A JWK may carry a d that does not belong to its x and y: then nobody could verify what it signs. */
function proveKey(key: TokenKey): void {
  const probe = Buffer.from('assay-token-key')
  const valid = verify('sha256', probe, { key: { ...key.publicJwk }, format: 'jwk' }, sign('sha256', probe, key.privateKey))
  if (!valid) throw new Error('the halves of the token key do not belong together')
}

const base64url = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')
