import { LRUCache } from 'lru-cache'
import type { StoredDocument } from '../stores/stores.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { keepingOf } from './address.ts'
import { createBackground, LOOK, type Background } from './background.ts'
import { fetchInto, isDue, readBack, type Payer } from './dated-care.ts'
import { createDated, type Dated, isBehind, LONG_AGO, markOf, validAt } from './dated-state.ts'
import type { Answer, Deps, Standing } from './deps.ts'

/**
 * Documents that are held because somebody asked for them: TCB infos of 256 families of platforms, standard and early. A list of all that
 * Intel has sold would be shorter.
 */
const MOST_ASKED = 512

/** Who asks, and what pays for a fetch. */
export type PayingCaller = Payer & { readonly pay: () => Promise<boolean> }

/** Revocation lists and whatever else a vendor replaces before it ends; all of them in memory. */
export type DatedDocuments = {
  /** What can be said without waiting; undefined where asking might give more. */
  readonly inMemory: (address: CollateralAddress) => Answer | undefined
  readonly obtain: (address: CollateralAddress, caller: PayingCaller) => Promise<Answer>
  /** A valid document from memory or the store, which is asked once a minute at most. */
  readonly ifHeld: (address: CollateralAddress) => Promise<StoredDocument | undefined>
  readonly mark: (address: CollateralAddress) => RollbackMark | undefined
  /** From now on these are refreshed in the background; a document that is not held is fetched. */
  readonly follow: (addresses: readonly CollateralAddress[]) => void
  readonly problems: () => readonly string[]
  /** The documents as held; `nextRefresh` is null for one that nobody whose evidence passed has needed. */
  readonly held: () => readonly { readonly document: StoredDocument; readonly nextRefresh: Date | null }[]
} & Pick<Background, 'start' | 'stop'>

type State = {
  readonly deps: Deps
  readonly standing: ReadonlyMap<CollateralAddress, Dated>
  readonly asked: LRUCache<CollateralAddress, Dated>
  /** Fetches that requests have paid for. */
  readonly underWay: Map<CollateralAddress, Promise<void>>
}

/** The standing documents, kept fresh from the start, and those that somebody asked for. */
export function createDatedDocuments(deps: Deps): DatedDocuments {
  const state: State = {
    deps,
    standing: new Map(deps.standing().map(({ address }) => [address, createDated(address, true)])),
    asked: new LRUCache({ max: MOST_ASKED }),
    underWay: new Map(),
  }
  const all = (): readonly Dated[] => [...state.standing.values(), ...state.asked.values()]
  const background = createBackground(deps, () => all().filter(({ followed }) => followed))
  return {
    inMemory: (address) => inMemory(state, address),
    obtain: (address, caller) => obtain(state, address, caller),
    ifHeld: (address) => ifHeld(state, address),
    mark: (address) => {
      const dated = find(state, address)
      return dated === undefined ? undefined : markOf(dated)
    },
    follow: (addresses) => addresses.flatMap((address) => toFollow(state, address)).forEach(background.lookNow),
    problems: () => deps.standing().flatMap((wanted) => problemsOf(state.standing.get(wanted.address), wanted, deps)),
    held: () => all().flatMap(heldOf),
    start: background.start,
    stop: background.stop,
  }
}

const find = ({ standing, asked }: State, address: CollateralAddress): Dated | undefined => standing.get(address) ?? asked.get(address)

/** The entry of a document that may be asked for; undefined for all other addresses, so that they take no room. */
function findOrCreate(state: State, address: CollateralAddress): Dated | undefined {
  const found = find(state, address)
  if (found !== undefined) return found
  const keeping = keepingOf(address)
  if (keeping?.life !== 'dated' || keeping.fetched !== 'when asked') return undefined
  const created = createDated(address, false)
  state.asked.set(address, created)
  return created
}

function inMemory(state: State, address: CollateralAddress): Answer | undefined {
  const standing = state.standing.get(address)
  if (standing !== undefined) return answerOf(standing, state.deps.now())
  const asked = state.asked.get(address)
  return asked === undefined ? undefined : freshAt(asked, state.deps.now())
}

/** What nobody refreshes in the background is asked for again when a refresh would be due. */
const freshAt = (dated: Dated, now: Date): StoredDocument | undefined =>
  dated.followed || dated.next > now ? validAt(dated, now) : undefined

async function obtain(state: State, address: CollateralAddress, caller: PayingCaller): Promise<Answer> {
  const { deps } = state
  const dated = findOrCreate(state, address)
  if (dated === undefined) return { missing: 'unavailable' }
  if (freshAt(dated, deps.now()) === undefined) await readBack(deps, dated)
  if (freshAt(dated, deps.now()) === undefined && isDue(deps, dated) && (await caller.pay())) await fetchOnce(state, dated, caller)
  return answerOf(dated, deps.now())
}

/** Concurrent requests for one document need one fetch and one proof; each has paid. */
function fetchOnce({ deps, underWay }: State, dated: Dated, caller: PayingCaller): Promise<void> {
  const running = underWay.get(dated.address)
  if (running !== undefined) return running
  const started = fetchInto(deps, dated, caller).finally(() => underWay.delete(dated.address))
  underWay.set(dated.address, started)
  return started
}

async function ifHeld(state: State, address: CollateralAddress): Promise<StoredDocument | undefined> {
  const { deps } = state
  const dated = findOrCreate(state, address)
  if (dated === undefined) return undefined
  const held = validAt(dated, deps.now())
  if (held !== undefined || deps.now().getTime() - dated.readAt.getTime() < LOOK) return held
  await readBack(deps, dated)
  return validAt(dated, deps.now())
}

/** An entry that was not followed before. */
function toFollow(state: State, address: CollateralAddress): Dated[] {
  const dated = findOrCreate(state, address)
  if (dated === undefined || dated.followed) return []
  dated.followed = true
  return [dated]
}

/**
 * A document that did not prove genuine is handed out where there is no better one, so that its fault is named rather than taken for
 * absence. It counts as ended, and so does one that is behind: neither can carry a verdict.
 */
function answerOf(dated: Dated, now: Date): Answer {
  const { document, rejected, next } = dated
  if (document !== undefined) return isBehind(dated) ? { ...document, expiresAt: LONG_AGO } : document
  if (rejected !== undefined) return { bytes: rejected, fetchedAt: now, expiresAt: LONG_AGO }
  const wait = Math.ceil((next.getTime() - now.getTime()) / 1000)
  return { missing: 'unavailable', retryAfter: Math.min(300, Math.max(1, wait)) }
}

function problemsOf(dated: Dated | undefined, wanted: Standing, { now }: Deps): string[] {
  if (dated === undefined) return [`${wanted.address}: not kept since the start`]
  const mark = markOf(dated)
  if (mark === 'strictest') return [`${dated.address}: the rollback mark cannot be read or believed`]
  if (mark !== undefined && mark.thisUpdate > now()) return [`${dated.address}: the clock is before the date of a document that was seen`]
  return wanted.needed === 'wanted' ? [] : problemsOfDocument(dated, wanted, now())
}

function problemsOfDocument(dated: Dated, { graceSeconds }: Standing, now: Date): string[] {
  const { address, document, trouble } = dated
  if (document === undefined) return [`${address}: no valid document (${trouble ?? 'not fetched yet'})`]
  if (isBehind(dated)) return [`${address}: a newer document was seen than the one at hand`]
  const end = document.expiresAt.getTime() + graceSeconds * 1000
  return end > now.getTime() ? [] : [`${address}: the document expired at ${document.expiresAt.toISOString()}`]
}

const heldOf = ({ document, followed, next }: Dated) => (document === undefined ? [] : [{ document, nextRefresh: followed ? next : null }])
