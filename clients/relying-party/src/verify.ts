import { compactVerify, type CryptoKey } from 'jose'
import { readAccept, type Accept, type Accepting } from './accept.ts'
import type { Claims, Item } from './claims.ts'
import { allowOnly, readCompact, type Compact } from './compact.ts'
import { checkConfirm, confirmHolder, type Confirm, type Confirmed } from './confirm.ts'
import { readObject } from './json.ts'
import { ALGORITHMS, isAlgorithm, type Algorithm } from './jwk.ts'
import { judge } from './judge.ts'
import { keysFor, type Keys } from './keys-for.ts'
import { AttestationRefused } from './problems.ts'
import { PROFILES, readClaims, readItems, type Profile } from './profiles.ts'
import { filled } from './shape.ts'
import { checkFreshness, checkTimes } from './times.ts'

/** What a relying party expects of a token. */
export type VerifyOptions = Keys & {
  /** `iss`, and where keys are discovered. */
  readonly issuer: string
  /** `aud`: who this relying party is. */
  readonly audience: string
  /** How the sender proves that the token is its own. */
  readonly confirm: Confirm
  readonly accept: Accept
  /** The nonce of this relying party, if it gave one: `eat_nonce` must equal it. */
  readonly nonce?: string
  /** Default: the six of Assay. Name the one of your audience. */
  readonly algorithms?: readonly Algorithm[]
  /** For clocks that differ; default 0, at most 60. */
  readonly toleranceSeconds?: number
  readonly now?: () => Date
}

/** A token that holds. Its claims are reachable only here. */
export type Attestation = {
  readonly header: Header
  readonly claims: Claims
  /** Every piece of evidence, in the words of profile `lean`. */
  readonly items: readonly Item[]
  readonly profile: Profile
  readonly confirmed: Confirmed
}

/** All that the header of a token holds. */
export type Header = { readonly alg: Algorithm; readonly typ: string; readonly kid: string }

/** Tokens have 8,000 characters at most (docs/tokens.md). */
const MAX_TOKEN = 8192

/** Verifies a token of Assay, and that its sender is its holder. Throws {@link AttestationRefused}. */
export async function verifyAttestation(token: string, options: VerifyOptions): Promise<Attestation> {
  const accepting = readOptions(options)
  const now = (options.now ?? (() => new Date()))()
  const signed = readHeader(readCompact(token, { length: MAX_TOKEN, code: 'token-malformed' }), accepting, options)
  const bytes = await signedBytes(token, signed, options)
  const header = { ...signed, typ: acceptedType(signed.typ, accepting) }
  const claims = readClaims(readObject(bytes, 'claims-malformed'))
  const profile = profileOf(header, claims, accepting)
  checkParties(claims, options)
  checkTimes(claims, now, options.toleranceSeconds ?? 0)
  const items = readItems(claims, profile)
  checkFreshness({ claims, items, accepted: accepting.freshness, nonce: options.nonce })
  const confirmed = await confirmHolder(options.confirm, { token, claims, now })
  judge(accepting, claims, items)
  return { header, claims, items, profile, confirmed }
}

/** Nothing may be left to chance by leaving it out. */
function readOptions(options: VerifyOptions): Accepting {
  checkConfirm(options.confirm)
  const { issuer, audience, toleranceSeconds = 0, algorithms = ALGORITHMS } = options
  if (!filled(audience)) throw invalid('audience')
  if (!(toleranceSeconds >= 0 && toleranceSeconds <= 60)) throw invalid('toleranceSeconds')
  if (!algorithms.every(isAlgorithm)) throw invalid('algorithms')
  const accepting = readAccept(options.accept)
  if (isDemo(issuer) === (accepting.demo !== 'refuse')) return accepting
  throw invalid('accept.demo', 'demo issuers end in .invalid')
}

const invalid = (option: string, why?: string): AttestationRefused => new AttestationRefused('options-invalid', { option, why })

/** The last issuer that options named, which is mostly the only one: reading an address costs more than comparing it. */
let last: { readonly issuer: string; readonly demo: boolean } | undefined

/** Issuers outside production end in `.invalid`, and no others do. Throws `options-invalid` for what is no address. */
function isDemo(issuer: string): boolean {
  if (last?.issuer === issuer) return last.demo
  if (!URL.canParse(issuer)) throw invalid('issuer')
  last = { issuer, demo: new URL(issuer).hostname.endsWith('.invalid') }
  return last.demo
}

type Signed = { readonly alg: Algorithm; readonly kid: string; readonly typ: unknown }

/** What says how the signature is to be verified. A token of a demonstration is told apart at once, because its key is not among ours, either. */
function readHeader(compact: Compact, { demo }: Accepting, { algorithms = ALGORITHMS }: VerifyOptions): Signed {
  allowOnly(['alg', 'typ', 'kid'], compact, 'header-not-allowed')
  const { alg, typ, kid } = compact.header
  if (!isAlgorithm(alg) || !algorithms.includes(alg)) throw new AttestationRefused('algorithm-not-allowed', { alg, algorithms })
  if (typeof kid !== 'string') throw new AttestationRefused('key-unknown', { kid })
  if (demo === 'refuse' && typeof typ === 'string' && typ.startsWith('demo+')) throw new AttestationRefused('demo-not-accepted', { typ })
  return { alg, typ, kid }
}

function acceptedType(typ: unknown, { profiles, demo }: Accepting): string {
  const accepted = profiles.map((profile) => typOf(profile, demo))
  const type = accepted.find((one) => one === typ)
  if (type === undefined) throw new AttestationRefused('type-not-allowed', { typ, accepted })
  return type
}

const typOf = (profile: Profile, demo: Accepting['demo']): string => `${demo === 'refuse' ? '' : 'demo+'}${PROFILES[profile].typ}`

async function signedBytes(token: string, { alg, kid }: Signed, options: VerifyOptions): Promise<Uint8Array> {
  const published = await keysFor(options).find(kid)
  if (published === undefined) throw new AttestationRefused('key-unknown', { kid })
  if ('unusable' in published) throw new AttestationRefused('key-unusable', { kid, why: published.unusable })
  if (published.alg !== alg) throw new AttestationRefused('key-unusable', { kid, why: `it is for ${published.alg}` })
  return verified(token, published.key, alg)
}

async function verified(token: string, key: CryptoKey, alg: Algorithm): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, key, { algorithms: [alg] })).payload
  } catch (cause) {
    throw new AttestationRefused('signature-invalid', {}, cause)
  }
}

/** Type, profile and mode must agree with one another, whatever the relying party accepts. */
function profileOf({ typ }: Header, claims: Claims, { profiles, earProfile, demo }: Accepting): Profile {
  const tag = (name: Profile): string => (name === 'ear' ? earProfile : PROFILES[name].tag)
  const profile = profiles.find((name) => tag(name) === claims.eat_profile)
  if (profile === undefined)
    throw new AttestationRefused('profile-not-accepted', { actual: claims.eat_profile, accepted: profiles.map(tag) })
  if (typ !== typOf(profile, demo)) throw new AttestationRefused('type-not-allowed', { typ, profile })
  if ((claims.demo === undefined) !== (demo === 'refuse')) throw new AttestationRefused('demo-not-accepted', { demo: claims.demo })
  return profile
}

function checkParties({ iss, aud }: Claims, { issuer, audience }: VerifyOptions): void {
  if (iss !== issuer) throw new AttestationRefused('issuer-mismatch', { actual: iss, expected: issuer })
  if (aud !== audience) throw new AttestationRefused('audience-mismatch', { actual: aud, expected: audience })
}
