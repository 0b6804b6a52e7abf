import type { Claims, Freshness, Item } from './claims.ts'
import { AttestationRefused, type ProblemCode } from './problems.ts'

/** The longest life of a token (docs/tokens.md). */
const MAX_LIFETIME_SECONDS = 900

/** By how much the issuer's clock may be ahead: it sets `nbf` back by as much. */
const AHEAD_SECONDS = 30

/** Throws `lifetime-too-long`, `token-expired` or `token-not-yet-valid`. A token is valid up to `exp`, and not at it (RFC 7519 section 4.1.4). */
export function checkTimes({ iat, nbf, exp }: Claims, now: Date, tolerance: number): void {
  const time = now.getTime() / 1000
  const refuse = (code: ProblemCode): AttestationRefused =>
    new AttestationRefused(code, { iat, nbf, exp, now: now.toISOString(), tolerance })
  if (exp <= iat || nbf > iat || exp - iat > MAX_LIFETIME_SECONDS) throw refuse('lifetime-too-long')
  if (time >= exp + tolerance) throw refuse('token-expired')
  if (time < nbf - tolerance || time < iat - AHEAD_SECONDS - tolerance) throw refuse('token-not-yet-valid')
}

type Fresh = {
  readonly claims: Claims
  readonly items: readonly Item[]
  readonly accepted: readonly Freshness[]
  readonly nonce: string | undefined
}

/** Throws `freshness-not-accepted` or `nonce-mismatch`. Against the replay of a relying party's nonce only the relying party can do something. */
export function checkFreshness({ claims, items, accepted, nonce }: Fresh): void {
  const { freshness, eat_nonce: actual } = claims
  if (!accepted.includes(freshness)) throw new AttestationRefused('freshness-not-accepted', { actual: freshness, accepted })
  if (!items.some(({ fresh }) => fresh)) throw new AttestationRefused('freshness-not-accepted', { why: 'no evidence carries the nonce' })
  const answered = nonce === undefined ? freshness !== 'relying-party' : nonce === actual
  if (!answered) throw new AttestationRefused('nonce-mismatch', { actual, expected: nonce })
}
