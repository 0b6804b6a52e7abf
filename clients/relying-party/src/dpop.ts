import { base64url, calculateJwkThumbprint, compactVerify } from 'jose'
import { allowOnly, readCompact } from './compact.ts'
import { isObject, readObject, type JsonObject } from './json.ts'
import { importPublicKey, isAlgorithm, readPublicKey, SECRETS } from './jwk.ts'
import { AttestationRefused } from './problems.ts'
import { rememberInMemory, type Seen } from './replay.ts'

/** One request with its DPoP proof (RFC 9449). */
export type DpopRequest = {
  /** The header `DPoP`; of several headers nothing is chosen. */
  readonly proof: string | undefined
  readonly method: string
  /** As the client wrote it: behind a proxy not what the server sees. Query and fragment do not count. */
  readonly url: string
  /** Nonces that are accepted, if the relying party gives any (RFC 9449 section 9). */
  readonly nonces?: readonly string[]
  /** How old a proof may be; default 60 s, at most an hour. */
  readonly maxAgeSeconds?: number
  /** Default: the memory of this process. */
  readonly seen?: Seen
}

/** What the proof must prove. */
export type Expected = { readonly token: string; readonly now: Date; readonly thumbprint: string }

/** Proofs are made for each request, so they are young; the other clock may be ahead by this much. */
const MAX_AGE_SECONDS = 60
const MOST_SECONDS = 3600
const AHEAD_SECONDS = 5

/** A proof with a key of RSA 4096 has some 1,800 characters. */
const MAX_PROOF = 4096
const MAX_JTI = 128

const inMemory = rememberInMemory()

/** Checks a proof as RFC 9449 section 4.3 says, against the token and its key, and remembers it. Throws `proof-…` or `confirmation-mismatch`. */
export async function verifyProof(request: DpopRequest, expected: Expected): Promise<void> {
  if (request.proof === undefined) throw new AttestationRefused('proof-missing')
  const { claims, thumbprint } = await signedProof(request.proof)
  if (thumbprint !== expected.thumbprint)
    throw new AttestationRefused('confirmation-mismatch', { expected: expected.thumbprint, actual: thumbprint })
  const { jti, iat } = await matchedClaims(claims, request, expected.token)
  const until = checkTime(iat, request, expected.now)
  if (request.nonces?.some((nonce) => nonce === claims['nonce']) === false) throw new AttestationRefused('proof-nonce')
  const { seen = inMemory } = request
  if (await seen(`${thumbprint}.${jti}`, until)) throw new AttestationRefused('proof-replayed')
}

/** Until when the proof must be remembered: a little longer than it would be accepted. */
function checkTime(iat: number, { maxAgeSeconds = MAX_AGE_SECONDS }: DpopRequest, now: Date): Date {
  if (!(maxAgeSeconds > 0 && maxAgeSeconds <= MOST_SECONDS)) throw new AttestationRefused('options-invalid', { option: 'maxAgeSeconds' })
  const age = now.getTime() / 1000 - iat
  if (age > maxAgeSeconds || age < -AHEAD_SECONDS) throw new AttestationRefused('proof-outdated', { age, maxAgeSeconds })
  return new Date((iat + maxAgeSeconds + 1) * 1000)
}

/** The claims of a proof, and whose it is: RFC 9449 section 4.3, checks 2 to 7. */
async function signedProof(proof: string): Promise<{ readonly claims: JsonObject; readonly thumbprint: string }> {
  const compact = readCompact(proof, { length: MAX_PROOF, code: 'proof-malformed' })
  allowOnly(['alg', 'typ', 'jwk'], compact, 'proof-malformed')
  const { alg, typ, jwk } = compact.header
  if (typ !== 'dpop+jwt' || !isAlgorithm(alg) || !isObject(jwk)) throw malformed('typ, alg or jwk is not that of a proof')
  if (SECRETS.some((name) => Object.hasOwn(jwk, name))) throw malformed('jwk is a private key; never send one')
  const read = readPublicKey(jwk, alg)
  if ('fault' in read) throw malformed(read.fault)
  let payload: Uint8Array
  try {
    payload = (await compactVerify(proof, await importPublicKey(read.jwk, alg), { algorithms: [alg] })).payload
  } catch (cause) {
    throw new AttestationRefused('proof-signature-invalid', {}, cause)
  }
  return { claims: readObject(payload, 'proof-malformed'), thumbprint: await calculateJwkThumbprint(read.jwk) }
}

/** That the proof is for this request and this token: checks 3 and 8 to 11, but time, nonce and replay. */
async function matchedClaims(
  claims: JsonObject,
  request: DpopRequest,
  token: string,
): Promise<{ readonly jti: string; readonly iat: number }> {
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw malformed('jti has not 1 to 128 characters')
  if (typeof iat !== 'number') throw malformed('iat is not a number')
  const wanted = { htm: request.method, htu: targetOf(request.url), ath: await digestOf(token) }
  const actual = { htm, htu: targetOf(htu), ath }
  const member = (['htm', 'htu', 'ath'] as const).find((name) => actual[name] === undefined || actual[name] !== wanted[name])
  if (member !== undefined) throw new AttestationRefused('proof-mismatch', { member, wanted: wanted[member], actual: actual[member] })
  return { jti, iat }
}

/** RFC 9449 section 4.3: compared without query and fragment, and normalised as URLs are. */
function targetOf(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

const digestOf = async (token: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))

const malformed = (why: string): AttestationRefused => new AttestationRefused('proof-malformed', { why })
