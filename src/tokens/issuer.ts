import type { JWK } from 'jose'
import { EAR_DRAFT, type Audience, type TokenAlgorithm, type TokenProfile } from '../access/audiences.ts'
import type { CnfKey } from '../access/cnf.ts'
import { randomName } from '../access/random.ts'
import type { DerivedKeys } from '../access/secrets.ts'
import type { Appraisal, ItemAppraisal, Status } from '../appraisal/appraisal.ts'
import type { AppraisalPolicy } from '../appraisal/policy.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { weakeningsOf } from '../appraisal/weakenings.ts'
import { hasOutcome } from '../verifiers/checks.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Mode } from '../verifiers/verifier.ts'
import type { TokenKeys } from './key-ring.ts'
import type { EarIdentity } from './ear.ts'
import type { PublishedKey } from './published-key.ts'
import { PROFILES } from './profiles.ts'
import type { TokenParts } from './claims.ts'
import { createSigner, type Signer, type TokenKey } from './sign.ts'
import { groupsOf, hostIdOf, subjectOf } from './subject.ts'

/** All that a token says beyond the appraisal. */
export type TokenRequest = {
  readonly appraisal: Appraisal
  /** The policy that judged; `appraisal.policy` must refer to it. */
  readonly policy: ActivePolicy
  readonly audience: Audience
  /** The challenge or the relying party's nonce, as posted. */
  readonly nonce: Uint8Array
  /** The key that every fresh evidence item binds. */
  readonly cnf?: CnfKey | undefined
}

/** Signs attestation results. */
export type TokenIssuer = {
  /**
   * The signed JWT with its jti. Throws `collateral-expired` when less than 30 s of `valid_until` are left,
   * `not-ready` while no key may sign, and `policy-denied` for an appraisal that its policy gives no token for.
   */
  readonly issue: (request: TokenRequest) => { readonly token: string; readonly jti: string; readonly expiresAt: Date }
  /** For /.well-known/jwks.json. Throws `not-ready` while no key is known: an empty set in a cache would outlive that. */
  readonly jwks: () => KeySet
  /** Every key that is in the key set now, of all replicas. */
  readonly published: () => readonly PublishedKey[]
  /** Throws `not-ready` while no key of this algorithm signs, before anything is spent for an answer that could not be given. */
  readonly ensureKey: (alg: TokenAlgorithm) => void
  readonly algorithms: readonly string[]
}

/** Public keys (RFC 7517), and whether caches may keep them. */
type KeySet = { readonly keys: readonly JWK[]; readonly areCurrent: boolean }

/** What an issuer is made of. */
export type IssuerParts = {
  /** For each algorithm that audiences ask for. */
  readonly tokenKeys: TokenKeys
  readonly keys: Pick<DerivedKeys, 'subject'>
  /** `iss`: the URL by which relying parties know this service. Outside production its host ends in `.invalid`, in production never. */
  readonly issuer: string
  readonly mode: Mode
  readonly now: () => Date
  /** No token of this service lives longer, whatever its policy says. */
  readonly lifetimeSeconds?: number
  /** What the EAR profiles say of this program; absent: the draft that it was written for, and no version. */
  readonly ear?: EarIdentity
}

/** The longest life of a token (design section 4). */
const MAX_LIFETIME_SECONDS = 900

/** With less than this left of `valid_until` a token is not worth having (design section 4). */
const MIN_LIFETIME_SECONDS = 30

/** When fresher collateral may be at hand. */
const RETRY_SECONDS = 60

/** 128 random bits (tokens.md C7). */
const JTI_BYTES = 16

/** A longer URL could make a token longer than 4 KiB. */
const MAX_ISSUER = 100

/** Issues tokens of one service and mode. Throws a plain error if issuer and mode do not belong together (design section 5). */
export function createTokenIssuer(parts: IssuerParts): TokenIssuer {
  checkIssuer(parts)
  const printersFor = remembered((key: TokenKey) => printersOf(key, parts))
  return {
    issue: (request) => issue(parts, printersFor, request),
    jwks: () => keySet(parts.tokenKeys),
    published: parts.tokenKeys.shown,
    ensureKey: (alg) => void parts.tokenKeys.signing(alg, parts.now()),
    algorithms: parts.tokenKeys.algorithms,
  }
}

function keySet(tokenKeys: TokenKeys): KeySet {
  const keys = tokenKeys.shown().map(({ jwk, kid, alg }) => ({ ...jwk, kid, alg, use: 'sig' }))
  if (keys.length === 0) throw new AttestationError('not-ready', 'no token key is published', { retryAfter: RETRY_SECONDS })
  return { keys, areCurrent: tokenKeys.areCurrent() }
}

/** What is made of a key is made once, and forgotten with it. */
function remembered<T>(make: (key: TokenKey) => T): (key: TokenKey) => T {
  const known = new WeakMap<TokenKey, T>()
  return (key) => {
    const made = known.get(key) ?? make(key)
    known.set(key, made)
    return made
  }
}

/** Makes tokens of one key and profile. */
type Printer = {
  readonly print: (parts: TokenParts) => string
  readonly sign: Signer
  /** Bytes of claims with which a token is as long as its profile allows: base64url makes four characters of three bytes. */
  readonly room: number
}

/** What the EAR profiles say where nobody says more. */
const UNNAMED: EarIdentity = { profile: EAR_DRAFT, build: 'assay' }

function printersOf(key: TokenKey, { mode, ear = UNNAMED }: IssuerParts): Printers {
  const printer = (profile: TokenProfile): Printer => {
    const { typ, maxToken, render } = PROFILES[profile]
    const sign = createSigner(key, mode === 'production' ? typ : `demo+${typ}`)
    // The signatures of one key are all of one length.
    return { print: (parts) => render(parts, ear), sign, room: Math.floor(((maxToken - sign('').length) * 3) / 4) }
  }
  return { lean: printer('lean'), ear: printer('ear'), 'ear-veraison': printer('ear-veraison') }
}

function checkIssuer({ issuer, mode }: IssuerParts): void {
  if (issuer.length > MAX_ISSUER) throw new Error(`the issuer has ${issuer.length} characters; it may have ${MAX_ISSUER}`)
  const marked = new URL(issuer).hostname.endsWith('.invalid')
  if (marked !== (mode === 'production')) return
  throw new Error(`the issuer ${issuer} may not be used in mode ${mode}: .invalid marks what is not production`)
}

type Printers = Readonly<Record<TokenProfile, Printer>>

function issue(parts: IssuerParts, printersFor: (key: TokenKey) => Printers, request: TokenRequest): ReturnType<TokenIssuer['issue']> {
  const { appraisal, policy, audience, nonce, cnf } = request
  refuseUnlessDeserved(parts.mode, request)
  const jti = randomName(JTI_BYTES).toString('base64url')
  const { issuedAt, expiresAt } = lifetime(parts, request)
  const printer = printersFor(parts.tokenKeys.signing(audience.alg, new Date(expiresAt * 1000)))[audience.profile]
  const { subject: template, groups } = policy.document.token
  const subject = { appraisal, audience: audience.name, thumbprint: cnf?.thumbprint, jti, template }
  const claims = printer.print({
    appraisal,
    weakenings: namedWeakenings(policy.document),
    issuer: parts.issuer,
    audience: audience.name,
    subject: subjectOf(parts.keys.subject, subject),
    groups: groups === undefined ? undefined : groupsOf(groups, appraisal),
    hostId: hostIdOf(parts.keys.subject, subject),
    nonce,
    cnf: cnf?.jwk,
    jti,
    issuedAt,
    expiresAt,
    room: printer.room,
  })
  return { token: printer.sign(claims), jti, expiresAt: new Date(expiresAt * 1000) }
}

/** A policy never changes, so its weakenings are looked for once. */
const known = new WeakMap<AppraisalPolicy, readonly string[]>()

function namedWeakenings(document: AppraisalPolicy): readonly string[] {
  const found = known.get(document) ?? weakeningsOf(document)
  known.set(document, found)
  return found
}

/** The last door, whatever called us: a token exists only for a judgement that its policy wants tokens for. */
function refuseUnlessDeserved(mode: Mode, { appraisal, policy }: TokenRequest): void {
  const accepted: readonly Status[] = policy.document.issue_on === 'warning' ? ['affirming', 'warning'] : ['affirming']
  if (!accepted.includes(appraisal.status)) throw new AttestationError('policy-denied', `no token is issued for status ${appraisal.status}`)
  const faults = DOUBTS.filter(([, holds]) => holds(appraisal, mode, policy))
  if (faults.length > 0) {
    const named = faults.map(([fault]) => fault).join('; ')
    throw new AttestationError('internal-error', `no token for this appraisal: ${named}`)
  }
}

type Doubt = (appraisal: Appraisal, mode: Mode, policy: ActivePolicy) => boolean

/** What no accepted appraisal has. If one does, the fault is ours, and a wrong token would be worse than none. */
const DOUBTS = Object.entries<Doubt>({
  'it was made in another mode': (appraisal, mode) => appraisal.mode !== mode,
  'another policy judged it': (appraisal, _, policy) => appraisal.policy?.sha256 !== policy.reference.sha256,
  'nobody asked for freshness': (appraisal) => appraisal.freshness === 'none',
  'none of its evidence is fresh': (appraisal) => !appraisal.evidence.some(isFresh),
  'evidence passed no check': (appraisal) => !appraisal.evidence.every(passedOne),
  'evidence failed a check': (appraisal) => appraisal.evidence.some(failedOne),
})

const isFresh = ({ fresh }: ItemAppraisal): boolean => fresh
const passedOne = ({ checks }: ItemAppraisal): boolean => hasOutcome(checks, 'pass')
const failedOne = ({ checks }: ItemAppraisal): boolean => hasOutcome(checks, 'fail')

/** `iat` and `exp` in seconds: never past `valid_until`, never longer than policy, service and design allow. */
function lifetime(parts: IssuerParts, { appraisal, policy }: TokenRequest): { issuedAt: number; expiresAt: number } {
  const [now, validUntil] = [parts.now().getTime(), Date.parse(appraisal.valid_until)]
  // Written so that a time that is not a number is refused, too.
  if (!(validUntil - now >= MIN_LIFETIME_SECONDS * 1000)) {
    throw new AttestationError('collateral-expired', `what the verdict relies on is valid until ${appraisal.valid_until} only`, {
      retryAfter: RETRY_SECONDS,
    })
  }
  const issuedAt = Math.floor(now / 1000)
  const seconds = Math.min(policy.document.token.lifetime_seconds, parts.lifetimeSeconds ?? MAX_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS)
  return { issuedAt, expiresAt: Math.min(issuedAt + seconds, Math.floor(validUntil / 1000)) }
}
