import { createSecretKey, randomBytes, sign } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { appraisalUnder } from '../../../test/appraisals.ts'
import { tokenKey } from '../../../test/token-keys.ts'
import type { TokenAlgorithm, TokenProfile } from '../../../src/access/audiences.ts'
import { readCnfJwk } from '../../../src/access/cnf.ts'
import type { Appraisal } from '../../../src/appraisal/appraisal.ts'
import { readPolicy } from '../../../src/appraisal/read-policy.ts'
import type { Mode } from '../../../src/verifiers/verifier.ts'
import { createTokenIssuer } from '../../../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../../../src/tokens/key-ring.ts'
import type { TokenKey } from '../../../src/tokens/sign.ts'
import type { Accept } from '../src/accept.ts'
import { AttestationRefused } from '../src/problems.ts'
import { verifyAttestation, type Attestation, type VerifyOptions } from '../src/verify.ts'

/** A moment within a second, as clocks have them. */
export const NOW = new Date('2026-11-24T08:00:00.400Z')
export const IAT = Math.floor(NOW.getTime() / 1000)
export const ISSUER = 'https://attest.example'
export const DEMO_ISSUER = 'https://attest.demo.invalid'
export const AUDIENCE = 'https://rp.example'
const NONCE = Uint8Array.from({ length: 32 }, (_, i) => i)

/** The policy of every token here: tokens need not be bound. */
export const policy = readPolicy(JSON.stringify({ name: 'eu', key_binding: 'DANGEROUSLY_OPTIONAL' }), 'test')
/** What that policy weakens. */
export const WEAKENINGS = ['key_binding: DANGEROUSLY_OPTIONAL'] as const

/** The key of a guest, and how it signs. */
export type GuestKey = { readonly jwk: JWK; readonly privateKey: CryptoKey; readonly alg: 'ES256' | 'ES384' | 'EdDSA' | 'RS256' }
export async function guestKey(alg: GuestKey['alg'] = 'ES256'): Promise<GuestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 })
  return { jwk: await exportJWK(publicKey), privateKey, alg }
}

/** What a test may choose of a token that the project's own issuer makes. */
export type Minted = {
  readonly alg?: TokenAlgorithm
  readonly profile?: TokenProfile
  readonly mode?: Mode
  readonly appraisal?: Partial<Appraisal>
  readonly cnf?: JWK
  readonly audience?: string
  readonly now?: Date
  readonly nonce?: Uint8Array
}

const ISSUERS: Readonly<Record<Mode, string>> = { production: ISSUER, demo: DEMO_ISSUER, test: 'https://attest.test.invalid' }
const subject = createSecretKey(randomBytes(32))

const USUAL = { alg: 'ES256', mode: 'production', now: NOW, profile: 'lean', audience: AUDIENCE, nonce: NONCE } as const satisfies Minted

/** The set of one key, as the service publishes it. */
export const jwksOf = (...keys: readonly TokenKey[]): { keys: JWK[] } => ({
  keys: keys.map(({ publicJwk, kid, alg }) => ({ ...publicJwk, kid, alg, use: 'sig' })),
})

/** A token as the service makes it, and the set that it publishes. */
export function minted(chosen: Minted = {}): { readonly token: string; readonly jwks: { keys: JWK[] } } {
  const { alg, mode, now, profile, audience, nonce } = { ...USUAL, ...chosen }
  const key = tokenKey(alg)
  const issuer = createTokenIssuer({ tokenKeys: fixedTokenKeys([key]), keys: { subject }, issuer: ISSUERS[mode], mode, now: () => now })
  const { token } = issuer.issue({
    appraisal: appraisalUnder(policy.reference, { mode, ...chosen.appraisal }),
    policy,
    audience: { name: audience, policies: ['eu'], profile, alg, relyingPartyNonce: 'allow' },
    nonce,
    cnf: chosen.cnf === undefined ? undefined : readCnfJwk(chosen.cnf),
  })
  return { token, jwks: jwksOf(key) }
}

/** The claims of a token, unverified. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

/** The same token with some claims changed, undefined ones left out, signed anew with the service's key by jose. */
export function resigned(claims: Record<string, unknown>, header: Record<string, unknown> = {}, key = tokenKey('ES256')): Promise<string> {
  const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return new SignJWT(kept).setProtectedHeader({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header }).sign(key.privateKey)
}

/** A token of the service with other claims. */
export const changed = (claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> =>
  resigned({ ...claimsOf(minted().token), ...claims }, header)

/** Accepts the tokens above. */
export const ACCEPT: Accept = {
  policies: [{ sha256: policy.reference.sha256 }],
  weakenings: WEAKENINGS,
  snp: { revocation: ['checked', 'not-checked'] },
}

/** What a relying party that takes bearer tokens expects. */
export const options = (overrides: Partial<VerifyOptions> = {}): VerifyOptions => ({
  issuer: ISSUER,
  audience: AUDIENCE,
  confirm: 'DANGEROUSLY_BEARER',
  accept: ACCEPT,
  ...(overrides.keys === undefined && overrides.jwksUri === undefined ? { jwks: jwksOf(tokenKey('ES256')) } : {}),
  now: () => NOW,
  ...overrides,
})

/** The code of the refusal, or `accepted`. Any other error fails the test. */
export async function outcome(verification: Promise<unknown>): Promise<string> {
  try {
    await verification
    return 'accepted'
  } catch (error) {
    if (error instanceof AttestationRefused) return error.code
    throw error
  }
}

/** The refusal itself. */
export const refusal = (verification: Promise<unknown>): Promise<AttestationRefused> =>
  verification.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: unknown) =>
      error instanceof AttestationRefused ? error : Promise.reject(error instanceof Error ? error : new Error('no error')),
  )

/** Verifies, with what a test changes. */
export const verify = (token: string, overrides: Partial<VerifyOptions> = {}): Promise<Attestation> =>
  verifyAttestation(token, options(overrides))

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

/** A signed text of any header and payload: as an attacker who has the service's key would write it, or with no signature at all. */
export function compactOf(header: string | object, payload: string | Uint8Array, key = tokenKey('ES256')): string {
  const input = `${encode(typeof header === 'string' ? header : JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
