import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { ChallengeStore } from '../stores/stores.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { randomName } from './random.ts'

/** A challenge whose MAC, epoch and clock were checked, but which is not spent yet. */
export type CheckedChallenge = {
  /** Lower-case hex of the 16 bytes that make it unique (epoch ‖ random); the name of its mark. */
  readonly id: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Stateless challenges (design section 3, Challenge): issuing stores nothing. */
export type Challenges = {
  /** 32 bytes. Throws `not-ready` while the store or the clock cannot be relied on. */
  readonly issue: () => Promise<{ readonly nonce: Uint8Array; readonly expiresAt: Date }>
  /** Checks MAC, epoch and clock. Throws `challenge-unknown`, `challenge-expired`, or `not-ready` as `issue` does. */
  readonly check: (nonce: Uint8Array) => Promise<CheckedChallenge>
  /** Whether the bytes carry our MAC, whatever their age or epoch; also if zeros follow, as in a REPORT_DATA. */
  readonly isOurs: (nonce: Uint8Array) => boolean
  /** What an unspent challenge pays for: false if it has paid for another set of addresses. Throws `not-ready`. */
  readonly pay: (challenge: CheckedChallenge, needsDigest: string) => Promise<boolean>
  /** Spends it once. Throws `challenge-spent`, or `not-ready` when the store cannot tell. */
  readonly spend: (challenge: CheckedChallenge) => Promise<void>
}

/** What challenges are made of. */
export type ChallengeParts = {
  readonly key: KeyObject
  readonly mode: Mode
  readonly store: ChallengeStore
  readonly now: () => Date
  readonly lifetimeSeconds: number
  /** The newest signed date among the collateral marks: a clock that is behind it is wrong. */
  readonly newestSignedDate?: () => Date | undefined
}

const EPOCH_BYTES = 4
const RANDOM_BYTES = 12
/** Issue time u32 ‖ epoch 4 ‖ random 12: what the MAC is over. */
const HEAD_BYTES = 4 + EPOCH_BYTES + RANDOM_BYTES
const MAC_BYTES = 12
const CHALLENGE_BYTES = HEAD_BYTES + MAC_BYTES

/** How far the clock of the replica that issued may be ahead of ours, and how far ours may be from the store's (design section 3). */
const CLOCK_TOLERANCE_SECONDS = 30

/** By how much a mark outlives the challenge, so that no clock difference makes a spent challenge fresh again (design section 3). */
const MARK_EXTRA_SECONDS = 120

/** When a replica that is not ready is worth asking again. */
const RETRY_SECONDS = 5

/** Challenges of one service. */
export function createChallenges(parts: ChallengeParts): Challenges {
  const markSeconds = parts.lifetimeSeconds + MARK_EXTRA_SECONDS
  return {
    issue: () => issue(parts),
    check: (nonce) => check(parts, nonce),
    isOurs: (nonce) => hasOurMac(parts, nonce.subarray(0, CHALLENGE_BYTES)) && nonce.subarray(CHALLENGE_BYTES).every((byte) => byte === 0),
    pay: (challenge, needsDigest) => fromStore(parts.store.pay(challenge.id, needsDigest, markSeconds)),
    spend: async (challenge) => {
      // The store may have lost its marks since the check; it then has another epoch, and this challenge counts no longer.
      if (!challenge.id.startsWith(Buffer.from(await epochOf(parts)).toString('hex'))) throw unknown()
      const first = await fromStore(parts.store.spend(challenge.id, markSeconds))
      if (!first) throw new AttestationError('challenge-spent', 'the challenge has been used before', { at: 'nonce' })
    },
  }
}

async function issue(parts: ChallengeParts): Promise<{ nonce: Uint8Array; expiresAt: Date }> {
  const now = await reliableNow(parts)
  const issuedAt = Math.floor(now.getTime() / 1000)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(issuedAt, 0)
  head.set(await epochOf(parts), 4)
  head.set(randomName(RANDOM_BYTES), 4 + EPOCH_BYTES)
  return { nonce: Buffer.concat([head, mac(parts, head)]), expiresAt: new Date((issuedAt + parts.lifetimeSeconds) * 1000) }
}

async function check(parts: ChallengeParts, nonce: Uint8Array): Promise<CheckedChallenge> {
  if (!hasOurMac(parts, nonce)) throw unknown()
  const epoch = nonce.subarray(4, 4 + EPOCH_BYTES)
  if (!timingSafeEqual(epoch, await epochOf(parts))) throw unknown()
  const issuedAt = Buffer.from(nonce.subarray(0, 4)).readUInt32BE(0) * 1000
  const expiresAt = issuedAt + parts.lifetimeSeconds * 1000
  const now = (await reliableNow(parts)).getTime()
  if (issuedAt > now + CLOCK_TOLERANCE_SECONDS * 1000) throw expired('the challenge was issued in the future')
  if (now >= expiresAt) throw expired(`the challenge expired at ${new Date(expiresAt).toISOString()}`)
  return { id: Buffer.from(nonce.subarray(4, HEAD_BYTES)).toString('hex'), issuedAt: new Date(issuedAt), expiresAt: new Date(expiresAt) }
}

function hasOurMac(parts: ChallengeParts, nonce: Uint8Array): boolean {
  if (nonce.length !== CHALLENGE_BYTES) return false
  return timingSafeEqual(nonce.subarray(HEAD_BYTES), mac(parts, nonce.subarray(0, HEAD_BYTES)))
}

const mac = (parts: ChallengeParts, head: Uint8Array): Uint8Array =>
  createHmac('sha256', parts.key).update(parts.mode).update(head).digest().subarray(0, MAC_BYTES)

async function epochOf(parts: ChallengeParts): Promise<Uint8Array> {
  const epoch = await fromStore(parts.store.epoch())
  if (epoch.length !== EPOCH_BYTES) throw notReady(`the store gave an epoch of ${epoch.length} bytes`)
  return epoch
}

/** Our clock, if neither the store's clock nor a date that a vendor signed contradicts it. */
async function reliableNow(parts: ChallengeParts): Promise<Date> {
  const offset = await fromStore(parts.store.clockOffset())
  // Written so that an offset that is not a number is refused, too.
  if (!(Math.abs(offset) <= CLOCK_TOLERANCE_SECONDS * 1000)) throw notReady('the clock is too far from the store’s')
  const now = parts.now()
  const signed = parts.newestSignedDate?.()
  if (signed !== undefined && now < signed) throw notReady('the clock is behind a date that a vendor signed')
  return now
}

/** A store that fails has not said "not spent": nothing can be decided. */
async function fromStore<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof AttestationError) throw error
    throw notReady('the store of challenges does not answer', error)
  }
}

const unknown = (): AttestationError =>
  new AttestationError('challenge-unknown', 'the nonce is not a challenge of this service, or of an earlier start of it', { at: 'nonce' })

const expired = (why: string): AttestationError => new AttestationError('challenge-expired', why, { at: 'nonce' })

const notReady = (why: string, cause?: unknown): AttestationError =>
  new AttestationError('not-ready', why, { retryAfter: RETRY_SECONDS, cause })
