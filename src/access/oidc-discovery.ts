import type { Role } from './roles.ts'

/** Signatures that a provider may make; all with keys that only the provider has. */
export const OIDC_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** In front of every name that comes from a token, so that it is never that of a credential of the configuration. */
export const OIDC_NAME_PREFIX = 'oidc:'

/** Whose tokens are read. */
export type Provider = {
  /** Exactly as it stands in `iss`. */
  readonly issuer: string
  /** Where the provider's keys are; undefined: where its discovery document says. */
  readonly jwksUri: string | undefined
}

/** An identity provider whose tokens count as credentials. */
export type OidcSettings = Provider & {
  /** What `aud` must hold. */
  readonly audience: string
  readonly algorithms: readonly (typeof OIDC_ALGORITHMS)[number][]
  /** Where roles stand in a token: the name of a claim, and of members within it. */
  readonly rolesClaim: readonly string[]
  /** Which of its values give which roles; others give none. */
  readonly roles: readonly { readonly value: string; readonly roles: readonly [Role, ...Role[]] }[]
}

/** Whether a provider may be asked at a URL: over https, or on this machine. */
export function isProviderUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
}

/** Where the provider's keys are (OpenID Connect Discovery 1.0 section 4). Rejects when the provider cannot be asked or answers nonsense. */
export async function signingKeysUrl({ issuer, jwksUri }: Provider, get: (url: string) => Promise<Uint8Array>): Promise<URL> {
  if (jwksUri !== undefined) return new URL(jwksUri)
  const bytes = await get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  const { issuer: named, jwks_uri: url } = membersOf(document)
  // Section 4.3: a document of another issuer would let that one speak for ours.
  if (named !== issuer) throw new Error('the discovery document is of another issuer')
  if (typeof url !== 'string' || !isProviderUrl(url)) throw new Error('the discovery document names no https URL of keys')
  return new URL(url)
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {})
