import { createRemoteJWKSet, customFetch, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { ask } from '../collateral/http.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { unauthenticated, type TokenReader } from './credentials.ts'
import { OIDC_NAME_PREFIX, signingKeysUrl, type OidcSettings, type Provider } from './oidc-discovery.ts'
import type { Principal } from './roles.ts'

/** Seconds that the provider's clock may differ from ours. */
const CLOCK_TOLERANCE = 30
/** Milliseconds for the whole answer of the provider. */
const TIMEOUT = 5_000
/** Milliseconds in which unknown keys, or a provider that failed, lead to no other question. */
const COOLDOWN = 30_000
const FAILURE_COOLDOWN = 5_000
/** Milliseconds that keys are used without a look at the provider: so long counts a key that was withdrawn. */
const KEYS_LIFETIME = 600_000
/** More than the keys of any provider. */
const MOST_BYTES = 256 * 1024

/** A JWT (RFC 7519), unencrypted. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** OpenID Connect Core section 2: at most 255 ASCII characters; without blanks, it can stand in audit lines. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/
/** Types of JWTs that say who their bearer is: none, the usual one, and RFC 9068 section 2.1. A logout token, for example, is none. */
const TYPES: readonly (string | undefined)[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt']

/**
 * Reads JWTs of one provider: its issuer, our audience, a key that it publishes, an expiry, and a subject. The reader throws
 * `unauthenticated` for any other token, `forbidden` for one without a role here, and `identity-provider-unavailable` when the
 * provider's keys cannot be had: then nobody is let in, and nobody counts as anonymous.
 */
export function oidcReader(settings: OidcSettings, now: () => Date): TokenReader {
  const keys = providerKeys(settings)
  return async (token) => {
    // Only what claims to be the provider's is worth a question to it.
    if (!claimsToBeOf(settings.issuer, token))
      throw unauthenticated('the token is neither one that the operator issued nor one of the identity provider')
    const { payload, protectedHeader } = await verified(token, await keys(), { settings, now })
    if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) throw unauthenticated('the token is not one that says who its bearer is')
    // RFC 7800: such a token proves nothing without the key that it names, and nobody has asked for that here.
    if (payload['cnf'] !== undefined) throw unauthenticated('the token is bound to a key, and cannot be used by its bearer alone')
    return principalOf(payload, settings)
  }
}

function claimsToBeOf(issuer: string, token: string): boolean {
  if (!JWT.test(token)) return false
  try {
    return decodeJwt(token).iss === issuer
  } catch {
    return false
  }
}

type Rules = { readonly settings: OidcSettings; readonly now: () => Date }

async function verified(token: string, keys: JWTVerifyGetKey, { settings, now }: Rules) {
  try {
    return await jwtVerify(token, keys, {
      issuer: settings.issuer,
      audience: settings.audience,
      algorithms: [...settings.algorithms],
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: now(),
      requiredClaims: ['exp', 'sub'],
    })
  } catch (error) {
    if (isAboutToken(error)) throw unauthenticated(`the identity provider's token is not accepted (${error.code})`)
    throw unavailable(error)
  }
}

/** Everything else is about the provider: its keys could not be had, or cannot be used. */
const isAboutToken = (error: unknown): error is errors.JOSEError =>
  [
    errors.JWTClaimValidationFailed,
    errors.JWTExpired,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
  ].some((kind) => error instanceof kind)

const unavailable = (cause: unknown): AttestationError =>
  new AttestationError('identity-provider-unavailable', 'the keys of the identity provider cannot be had', {
    retryAfter: FAILURE_COOLDOWN / 1000,
    cause,
  })

/** The provider's keys: found out where they are on first use, kept for a while, and asked for again when a token names another. */
function providerKeys(provider: Provider): () => Promise<JWTVerifyGetKey> {
  let failedAt = Number.NEGATIVE_INFINITY
  let found: Promise<JWTVerifyGetKey> | undefined
  /** One question at a time, and none for a while after one that failed. */
  const guarded = async (url: URL | string) => {
    // Not the clock of appraisals: that may stand still.
    if (performance.now() - failedAt < FAILURE_COOLDOWN) throw new Error('the identity provider could not be asked just now')
    const asked = await ask(new URL(url), { most: MOST_BYTES, timeout: TIMEOUT })
    if (asked.outcome === 'found') return asked.bytes
    failedAt = performance.now()
    throw new Error(asked.outcome === 'not-found' ? `${String(url)} is not there` : asked.reason)
  }
  const locate = async () => {
    const url = await signingKeysUrl(provider, guarded)
    const options = { cooldownDuration: COOLDOWN, cacheMaxAge: KEYS_LIFETIME, timeoutDuration: TIMEOUT }
    return createRemoteJWKSet(url, { ...options, [customFetch]: async (address) => new Response(new Uint8Array(await guarded(address))) })
  }
  return async () => {
    found ??= locate()
    try {
      return await found
    } catch (error) {
      found = undefined
      throw unavailable(error)
    }
  }
}

function principalOf(payload: JWTPayload, { rolesClaim, roles }: OidcSettings): Principal {
  // What the types say of claims, nobody has checked.
  const sub: unknown = payload.sub
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw unauthenticated('the subject of the token cannot be written to an audit line')
  const values = valuesAt(payload, rolesClaim)
  const [first, ...more] = roles.flatMap((row) => (values.includes(row.value) ? row.roles : []))
  if (first === undefined) throw new AttestationError('forbidden', 'the identity provider gives this caller no role of this service')
  return { name: `${OIDC_NAME_PREFIX}${sub}`, roles: [first, ...more] }
}

/** A claim is one text or a list of them; anything else holds none. */
function valuesAt(claims: unknown, path: readonly string[]): readonly unknown[] {
  let value = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return []
    value = new Map<string, unknown>(Object.entries(value)).get(name)
  }
  return Array.isArray(value) ? value : [value]
}
