import type { TokenAlgorithm } from '../access/audiences.ts'
import type { PublicJwk } from '../access/cnf.ts'
import type { TokenKey } from './sign.ts'

/** A public key as all replicas know it. Times are milliseconds since 1970. */
export type PublishedKey = {
  readonly kid: string
  readonly alg: TokenAlgorithm
  readonly jwk: PublicJwk
  /** Never before: until then some relying party may have a key set without it. */
  readonly signsFrom: number
  /** Until when it is in the key set; raised as long as somebody signs with it. */
  readonly shownUntil: number
  /** Whoever said so last has a newer key that signs. */
  readonly superseded: boolean
}

/** Where a key is in its life. A retiring one signs no more, and is shown until the last token that it signed has ended. */
export type KeyState = 'next' | 'active' | 'retiring'

/** How long a key is shown, in milliseconds. */
export type KeyTimes = {
  /** Before it signs: twice as long as a key set may be cached, so that a cache that was filled just before it was published has ended. */
  readonly aheadMs: number
  /** After it has signed last: the longest life of a token, and what clocks may differ. */
  readonly tailMs: number
}

/** What clocks of replicas and relying parties may differ by. */
const CLOCKS_MS = 60_000
/** For how long a key is shown beyond what its tokens need; so long a replica goes on signing while it cannot say that it does. */
const LEASE_MS = 300_000
/** How much of that may be gone before it is said again. */
const RENEW_MS = 120_000

/** The times of a service whose key set may be cached for so many seconds, and whose tokens live for so many. */
export const keyTimes = (maxAgeSeconds: number, lifetimeSeconds: number): KeyTimes => ({
  aheadMs: 2 * maxAgeSeconds * 1000,
  tailMs: lifetimeSeconds * 1000 + CLOCKS_MS,
})

/** Whether the key set holds it. */
export const isShown = ({ shownUntil }: PublishedKey, now: number): boolean => now < shownUntil

/** Whether it may sign a token that ends then: whoever checks the token finds the key until its end. */
export const maySign = ({ signsFrom, shownUntil }: PublishedKey, now: number, tokenEnds: number): boolean =>
  signsFrom <= now && tokenEnds + CLOCKS_MS <= shownUntil

/** Where a key that is shown is in its life. */
export function stateOf({ signsFrom, superseded }: PublishedKey, now: number): KeyState {
  if (signsFrom > now) return 'next'
  return superseded ? 'retiring' : 'active'
}

/**
 * From when a key may sign that is not shown now. A key set without it may be in a cache for as long as that allows after it was last served,
 * and one was served as long as any other key was shown. While this key was shown, none was served without it; leases of one machine end
 * together but for the moments in which they were renewed.
 */
export function firstSigns(rows: readonly PublishedKey[], kid: string, at: { readonly now: number; readonly aheadMs: number }): number {
  const lapsed = rows.find((row) => row.kid === kid)?.shownUntil
  const since = lapsed === undefined ? 0 : lapsed + LEASE_MS
  const others = rows.filter((row) => row.kid !== kid && row.shownUntil > since)
  return Math.max(at.now, ...others.map(({ shownUntil }) => Math.min(at.now, shownUntil) + at.aheadMs))
}

/** What a machine knows when it says which keys it has. */
export type Holding = {
  /** Its private keys; of those of one algorithm a later one is to take the place of an earlier one. */
  readonly held: readonly TokenKey[]
  /** Keys that count no more, whoever has them. */
  readonly denied: ReadonlySet<string>
  readonly now: number
  readonly times: KeyTimes
}

/** The list after this machine has said which keys it has and uses; the same object where there is nothing to say. */
export function withHeld(rows: readonly PublishedKey[], holding: Holding): readonly PublishedKey[] {
  const { held, denied, now, times } = holding
  const known = rows.filter((row) => !denied.has(row.kid) && now < row.shownUntil + times.aheadMs)
  const mine = held.filter(({ kid }) => !denied.has(kid)).map((key) => rowOf(key, known, holding))
  const said = mine.flatMap((row, index) => current(row, { later: mine.slice(index + 1), now, times }))
  const own = new Map(said.map((row) => [row.kid, row]))
  const next = [...known.map((row) => own.get(row.kid) ?? row), ...said.filter(({ kid }) => !known.some((row) => row.kid === kid))]
  return next.length === rows.length && next.every((row, index) => row === rows[index]) ? rows : next
}

/** The row of a key of ours: the one that is there, while it is shown; else one as if it were published now. */
function rowOf({ kid, alg, publicJwk }: TokenKey, known: readonly PublishedKey[], { now, times: { aheadMs } }: Holding): PublishedKey {
  const there = known.find((row) => row.kid === kid)
  if (there !== undefined && isShown(there, now)) return there
  const signsFrom = firstSigns(known, kid, { now, aheadMs })
  return { kid, alg, jwk: publicJwk, signsFrom, shownUntil: 0, superseded: false }
}

type Beside = { readonly later: readonly PublishedKey[]; readonly now: number; readonly times: KeyTimes }

/** A key of ours that a newer one has replaced is shown no longer than it was to be, and not at all if it never was; any other is shown on. */
function current(row: PublishedKey, { later, now, times }: Beside): readonly PublishedKey[] {
  const superseded = later.some((other) => other.alg === row.alg && other.signsFrom <= now)
  if (superseded) return row.shownUntil === 0 ? [] : [row.superseded ? row : { ...row, superseded }]
  const needed = Math.max(now, row.signsFrom) + times.tailMs + LEASE_MS
  return [row.shownUntil >= needed - RENEW_MS && !row.superseded ? row : { ...row, shownUntil: needed, superseded }]
}
