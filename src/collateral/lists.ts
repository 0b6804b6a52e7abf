import { isOlder, type KnownMark } from '../stores/marks.ts'
import type { StoredDocument } from '../stores/stores.ts'
import { crlAddress, SNP_PRODUCTS } from '../verifiers/snp/address.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { reason, type Answer, type Deps } from './deps.ts'
import { createList, isBehind, isUnsaved, type List, markOf } from './list-state.ts'
import { nextRefresh, nextTry } from './schedule.ts'
import type { Fetched } from './source.ts'

/** Longest time between two looks at the store and the schedule, in milliseconds: after it, what another replica fetched is known here. */
const LOOK = 60_000

/** Revocation lists, all of them in memory. */
export type Lists = {
  readonly answer: (address: CollateralAddress) => Answer
  readonly mark: (address: CollateralAddress) => RollbackMark | undefined
  readonly problems: () => readonly string[]
  /** The lists as held, with the time of their next refresh. */
  readonly held: () => readonly { readonly document: StoredDocument; readonly nextRefresh: Date }[]
  /** Resolves after the first fetches were tried; goes on in the background. */
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** The lists of both endpoints of each product, kept fresh. */
export function createLists(deps: Deps): Lists {
  const addresses = (deps.products ?? SNP_PRODUCTS).flatMap((p) => [crlAddress(p, 'vcek'), crlAddress(p, 'vlek')])
  const lists = new Map(addresses.map((address) => [address, createList(address)]))
  const background = createBackground(deps, [...lists.values()])
  return {
    answer: (address) => answerOf(lists.get(address), deps.now()),
    mark: (address) => {
      const list = lists.get(address)
      return list === undefined ? undefined : markOf(list)
    },
    problems: () => [...lists.values()].flatMap((list) => problemsOf(list, deps)),
    held: () => [...lists.values()].flatMap(({ document, next }) => (document === undefined ? [] : [{ document, nextRefresh: next }])),
    start: background.start,
    stop: background.stop,
  }
}

/** A list that did not prove genuine is handed out where there is no better one, so that its fault is named rather than taken for absence. */
function answerOf(list: List | undefined, now: Date): Answer {
  if (list?.document !== undefined) return list.document
  if (list?.rejected !== undefined) return { bytes: list.rejected, fetchedAt: now, expiresAt: now }
  const wait = list === undefined ? undefined : Math.ceil((list.next.getTime() - now.getTime()) / 1000)
  return { missing: 'unavailable', ...(wait === undefined ? {} : { retryAfter: Math.min(300, Math.max(1, wait)) }) }
}

function problemsOf(list: List, deps: Deps): string[] {
  const mark = markOf(list)
  if (mark === 'strictest') return [`${list.address}: the rollback mark cannot be read or believed`]
  if (mark !== undefined && mark.thisUpdate > deps.now()) return [`${list.address}: the clock is before the date of a list that was seen`]
  return deps.lists === 'wanted' ? [] : problemsOfDocument(list, deps)
}

function problemsOfDocument(list: List, { now, graceSeconds = 0 }: Deps): string[] {
  const { address, document } = list
  if (document === undefined) return [`${address}: no valid revocation list (${list.trouble ?? 'not fetched yet'})`]
  if (isBehind(list)) return [`${address}: a newer revocation list was seen than the one at hand`]
  const end = document.expiresAt.getTime() + graceSeconds * 1000
  return end > now().getTime() ? [] : [`${address}: the revocation list expired at ${document.expiresAt.toISOString()}`]
}

function createBackground(deps: Deps, lists: readonly List[]): Pick<Lists, 'start' | 'stop'> {
  let timer: NodeJS.Timeout | undefined
  let state: 'idle' | 'running' | 'stopped' = 'idle'
  let round: Promise<unknown> = Promise.resolve()
  const look = async (): Promise<void> => {
    round = Promise.all(lists.map((list) => lookAfter(deps, list)))
    await round
    if (state !== 'running') return
    const due = Math.min(...lists.map(({ next }) => next.getTime() - deps.now().getTime()))
    timer = setTimeout(() => void look(), Math.min(LOOK, Math.max(1_000, due)))
    timer.unref()
  }
  return {
    start: async () => {
      if (state !== 'idle') return
      state = 'running'
      await look()
    },
    stop: async () => {
      state = 'stopped'
      clearTimeout(timer)
      await round
    },
  }
}

/** What the store knows first, then the vendor if the list is due. Never throws. */
async function lookAfter(deps: Deps, list: List): Promise<void> {
  await readBack(deps, list)
  // Another replica has a newer one, which the store does not hold yet: it counts as due, once.
  if (isBehind(list) && list.failures === 0) list.next = deps.now()
  if (list.next > deps.now()) return
  const answer = await deps.vendor
    .fetch({ address: list.address, caller: 'background', prefix: '' })
    .catch((error: unknown): Fetched => ({ outcome: 'unavailable', reason: reason(error) }))
  if (answer.outcome === 'found') await judge(deps, list, answer.bytes)
  else {
    list.rejected = undefined
    failed(deps, list, answer.outcome === 'not-found' ? { trouble: 'the vendor has none' } : { trouble: answer.reason, ...answer })
  }
}

function failed(deps: Deps, list: List, { trouble, retryAfter }: { trouble: string; retryAfter?: number }): void {
  list.failures += 1
  list.trouble = trouble
  list.next = nextTry(deps.now(), list.failures, { random: deps.random(), ...(retryAfter === undefined ? {} : { retryAfter }) })
  deps.log.warn({ address: list.address, cause: trouble, next: list.next }, 'a revocation list could not be refreshed')
}

/** A fetched list: kept if it proves genuine and is not older than what was seen. */
async function judge(deps: Deps, list: List, bytes: Uint8Array): Promise<void> {
  const now = deps.now()
  try {
    const { expiresAt, mark } = await deps.admit({ address: list.address, bytes }, deps.anchors, now)
    const document = { address: list.address, bytes, fetchedAt: now, expiresAt }
    if (mark === undefined || !accept(deps, list, { document, mark })) throw new Error('it is older than one that was seen before')
    await keep(deps, list)
  } catch (error) {
    list.rejected = bytes
    failed(deps, list, { trouble: `a fetched list was refused: ${reason(error)}` })
  }
}

/** Takes a genuine list into use. An older one than was ever seen is not: the mark is what forbids it. */
function accept(deps: Deps, list: List, { document, mark }: { document: StoredDocument; mark: KnownMark }): boolean {
  const seen = markOf(list)
  if (seen === 'strictest' || (seen !== undefined && isOlder(mark, seen))) return false
  list.document = document
  list.seen = mark
  list.rejected = undefined
  list.trouble = undefined
  list.failures = 0
  list.next = nextRefresh(document, deps.random())
  return true
}

/** The mark first: a list that is kept without its mark could be rolled back. */
async function keep(deps: Deps, { document, seen }: List): Promise<void> {
  if (document === undefined || seen === undefined) return
  try {
    await deps.store.advanceMark(document.address, seen)
    await deps.store.put(document)
  } catch (error) {
    deps.log.error({ address: document.address, cause: reason(error) }, 'a revocation list could not be kept')
  }
}

/** Mark and list as the store has them, perhaps from another replica; what it has lost, or could not take before, it is given again. */
async function readBack(deps: Deps, list: List): Promise<void> {
  try {
    list.stored = { mark: await deps.store.mark(list.address) }
    const kept = await deps.store.get(list.address)
    if (kept !== undefined && kept.fetchedAt > (list.document?.fetchedAt ?? LONG_AGO)) await readNewer(deps, list, kept)
    if (isUnsaved(list)) await keep(deps, list)
  } catch (error) {
    deps.log.error({ address: list.address, cause: reason(error) }, 'a kept revocation list cannot be used')
  }
}

/** Proves a kept list anew, for the time of its fetch: whether it is still valid is the verifier's question. */
async function readNewer(deps: Deps, list: List, kept: StoredDocument): Promise<void> {
  const { mark, expiresAt } = await deps.admit({ address: list.address, bytes: kept.bytes }, deps.anchors, kept.fetchedAt)
  if (mark !== undefined) accept(deps, list, { document: { ...kept, expiresAt }, mark })
}

/** Earlier than any date that can be written. */
const LONG_AGO = new Date(-8.64e15)
