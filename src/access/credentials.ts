import { hash, timingSafeEqual } from 'node:crypto'
import { AttestationError } from '../verifiers/problems.ts'
import type { Principal } from './roles.ts'

/** A caller as configured: the token itself is nowhere, only its SHA-256 in lower-case hex. */
export type Credential = Principal & { readonly tokenSha256: string }

/** Who may call, by what stands in the Authorization header. */
export type Credentials = {
  /**
   * Who the header names; undefined without one. Throws `unauthenticated` for a header that is malformed or names nobody: wrong
   * credentials never count as none. Throws `identity-provider-unavailable` when nobody can say now.
   */
  readonly authenticate: (authorization: string | undefined) => Promise<Principal | undefined>
}

/** Who a token names that the operator did not configure here; throws as `authenticate` does. */
export type TokenReader = (token: string) => Promise<Principal>

/** RFC 6750 section 2.1: the scheme in any case, one blank, and a b64token; the length, that of all headers, bounds the work. */
const BEARER = /^bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/i

const SHA256_HEX = /^[0-9a-f]{64}$/

/**
 * Looks callers up: those that are configured first, then by `others`. Throws a plain error if a hash is not one, or if two callers
 * share a token or a name.
 */
export function createCredentials(configured: readonly Credential[], others: TokenReader = nobody): Credentials {
  const entries = configured.map(({ name, roles, tokenSha256 }) => ({ principal: { name, roles }, digest: digestOf(name, tokenSha256) }))
  if (new Set(configured.map((c) => c.tokenSha256)).size < configured.length)
    throw new Error('credentials: two callers have the same token')
  if (new Set(configured.map((c) => c.name)).size < configured.length) throw new Error('credentials: two callers have the same name')
  return {
    authenticate: async (authorization) => {
      if (authorization === undefined) return undefined
      const token = bearerToken(authorization)
      const presented = hash('sha256', token, 'buffer')
      // Every entry is compared, so that the time taken does not tell which one matched.
      const [entry] = entries.filter(({ digest }) => timingSafeEqual(digest, presented))
      return entry === undefined ? others(token) : entry.principal
    },
  }
}

const nobody: TokenReader = () => Promise.reject(unauthenticated('the token is not one that the operator issued'))

function bearerToken(authorization: string): string {
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw unauthenticated('the Authorization header is not `Bearer` with one token')
  return token
}

function digestOf(name: string, tokenSha256: string): Uint8Array {
  if (!SHA256_HEX.test(tokenSha256)) throw new Error(`credentials: token_sha256 of ${name} is not 64 lower-case hex digits`)
  return Buffer.from(tokenSha256, 'hex')
}

/** The refusal of credentials that name nobody. */
export const unauthenticated = (why: string): AttestationError => new AttestationError('unauthenticated', why, { at: 'Authorization' })
