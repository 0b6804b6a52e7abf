import { hash, timingSafeEqual } from 'node:crypto'
import { AttestationError } from '../verifiers/problems.ts'

/** What a caller may do: `viewer` reads what the operator wrote, `admin` also changes it. */
export type Role = 'viewer' | 'admin'

/** An authenticated caller. */
export type Principal = { readonly name: string; readonly role: Role }

/** A caller as configured: the token itself is nowhere, only its SHA-256 in lower-case hex. */
export type Credential = Principal & { readonly tokenSha256: string }

/** Bearer tokens of operators, kept as SHA-256. */
export type Credentials = {
  /**
   * Who the Authorization header names; undefined without a header.
   * Throws `unauthenticated` for a header that is malformed or names nobody: wrong credentials never count as none.
   */
  readonly authenticate: (authorization: string | undefined) => Principal | undefined
}

/** RFC 6750 section 2.1: the scheme in any case, one blank, and a b64token; the length bounds the work. */
const BEARER = /^bearer ([A-Za-z0-9._~+/-]{1,512}=*)$/i

const SHA256_HEX = /^[0-9a-f]{64}$/

/** Looks callers up. Throws a plain error if a hash is not one, or if two callers share a token or a name. */
export function createCredentials(configured: readonly Credential[]): Credentials {
  const entries = configured.map(({ name, role, tokenSha256 }) => ({ principal: { name, role }, digest: digestOf(name, tokenSha256) }))
  if (new Set(configured.map((c) => c.tokenSha256)).size < configured.length)
    throw new Error('credentials: two callers have the same token')
  if (new Set(configured.map((c) => c.name)).size < configured.length) throw new Error('credentials: two callers have the same name')
  return {
    authenticate: (authorization) => {
      if (authorization === undefined) return undefined
      const presented = hash('sha256', bearerToken(authorization), 'buffer')
      // Every entry is compared, so that the time taken does not tell which one matched.
      const [entry] = entries.filter(({ digest }) => timingSafeEqual(digest, presented))
      if (entry === undefined) throw unauthenticated('the token is not one that the operator issued')
      return entry.principal
    },
  }
}

function bearerToken(authorization: string): string {
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw unauthenticated('the Authorization header is not `Bearer` with one token')
  return token
}

function digestOf(name: string, tokenSha256: string): Uint8Array {
  if (!SHA256_HEX.test(tokenSha256)) throw new Error(`credentials: token_sha256 of ${name} is not 64 lower-case hex digits`)
  return Buffer.from(tokenSha256, 'hex')
}

const unauthenticated = (why: string): AttestationError => new AttestationError('unauthenticated', why, { at: 'Authorization' })
