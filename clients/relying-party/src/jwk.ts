import { base64url, importJWK, type CryptoKey, type JWK } from 'jose'
import { isCanonical } from './compact.ts'
import type { JsonObject } from './json.ts'

/** Algorithms that Assay signs with. */
export const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'PS384', 'EdDSA'] as const

/** One of them. */
export type Algorithm = (typeof ALGORITHMS)[number]

/** Whether a text names one of these. */
export const isAlgorithm = (text: unknown): text is Algorithm => ALGORITHMS.some((name) => name === text)

/** What a key of an algorithm consists of (RFC 7518 section 6, RFC 8037 section 2), and what is wrong with its numbers. */
type Kind = {
  readonly members: Readonly<Record<string, string | undefined>>
  readonly fault: (part: (name: string) => Uint8Array) => string | undefined
}

const curve = (crv: string, bytes: number, kty = 'EC'): Kind => ({
  members: kty === 'EC' ? { kty, crv, x: undefined, y: undefined } : { kty, crv, x: undefined },
  fault: (part) =>
    (kty === 'EC' ? ['x', 'y'] : ['x']).some((name) => part(name).length !== bytes) ? `a coordinate has not ${bytes} bytes` : undefined,
})

/** Fewer bits are not safe, more make one verification dear; 65537 is the exponent of every key that Assay makes or takes. */
const RSA: Kind = {
  members: { kty: 'RSA', n: undefined, e: 'AQAB' },
  fault: (part) => {
    const modulus = part('n')
    const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
    return bits < 2048 || bits > 4096 || modulus[0] === 0 ? 'the modulus has not 2048 to 4096 bits' : undefined
  },
}

const KINDS = {
  ES256: curve('P-256', 32),
  ES384: curve('P-384', 48),
  RS256: RSA,
  PS256: RSA,
  PS384: RSA,
  EdDSA: curve('Ed25519', 32, 'OKP'),
} as const satisfies Readonly<Record<Algorithm, Kind>>

/** The members of a public key that its thumbprint is over (RFC 7638 section 3.2), or what keeps it from being one for the algorithm. */
export function readPublicKey(jwk: JsonObject, alg: Algorithm): { readonly jwk: JWK } | { readonly fault: string } {
  const kind: Kind = KINDS[alg]
  const members: Record<string, string> = {}
  for (const [name, wanted] of Object.entries(kind.members)) {
    const value = jwk[name]
    if (typeof value !== 'string' || (wanted !== undefined && value !== wanted)) return { fault: `${name} is not that of a key for ${alg}` }
    if (wanted === undefined && !isCanonical(value)) return { fault: `${name} is not canonical base64url` }
    members[name] = value
  }
  const fault = kind.fault((name) => base64url.decode(members[name] ?? ''))
  return fault === undefined ? { jwk: members } : { fault }
}

/** A public key for jose. Throws what jose or WebCrypto throw at a point that is not on its curve. */
export async function importPublicKey(jwk: JWK, alg: Algorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, alg)
  if (key instanceof Uint8Array) throw new TypeError('a symmetric key')
  return key
}

/** Members of keys that only their owner should know (RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2, RFC 9964). */
export const SECRETS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

/** The first algorithm that a key, by its kind alone, could be for. */
export function algorithmOf({ kty, crv }: JsonObject): Algorithm | undefined {
  return ALGORITHMS.find((alg) => KINDS[alg].members['kty'] === kty && KINDS[alg].members['crv'] === crv)
}
