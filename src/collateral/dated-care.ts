import { isOlder, type KnownMark } from '../stores/marks.ts'
import type { StoredDocument } from '../stores/stores.ts'
import { keepingOf } from './address.ts'
import { type Dated, isBehind, isUnsaved, LONG_AGO, markOf } from './dated-state.ts'
import { reason, type Deps } from './deps.ts'
import { nextRefresh, nextTry } from './schedule.ts'
import type { Fetched, FetchRequest } from './source.ts'

/** Whose budget a fetch uses. */
export type Payer = Pick<FetchRequest, 'caller' | 'prefix'>

const BACKGROUND: Payer = { caller: 'background', prefix: '' }

/** What the store knows first, then the vendor if the document is due. Never throws. */
export async function lookAfter(deps: Deps, dated: Dated): Promise<void> {
  await readBack(deps, dated)
  if (isDue(deps, dated)) await fetchInto(deps, dated, BACKGROUND)
}

/** Whether the vendor may be asked now. Where another replica has a newer one that the store does not hold yet, once at once. */
export function isDue(deps: Deps, dated: Dated): boolean {
  if (isBehind(dated) && dated.failures === 0) dated.next = deps.now()
  return dated.next <= deps.now()
}

/** Asks the vendor, and takes what it answers into use if it proves genuine. Never throws. */
export async function fetchInto(deps: Deps, dated: Dated, payer: Payer): Promise<void> {
  const answer = await deps.vendor
    .fetch({ address: dated.address, ...payer })
    .catch((error: unknown): Fetched => ({ outcome: 'unavailable', reason: reason(error) }))
  if (answer.outcome === 'found') return judge(deps, dated, answer.bytes)
  dated.rejected = undefined
  failed(deps, dated, answer.outcome === 'not-found' ? { trouble: 'the vendor has none' } : { trouble: answer.reason, ...answer })
}

type Failure = { readonly trouble: string; readonly retryAfter?: number; readonly quiet?: true }

function failed(deps: Deps, dated: Dated, { trouble, retryAfter, quiet }: Failure): void {
  dated.failures += 1
  dated.trouble = trouble
  dated.next = nextTry(deps.now(), dated.failures, { random: deps.random(), ...(retryAfter === undefined ? {} : { retryAfter }) })
  const level = quiet === true ? 'debug' : 'warn'
  deps.log[level]({ address: dated.address, cause: trouble, next: dated.next }, 'a vendor document could not be refreshed')
}

/** A fetched document: kept if it proves genuine and is not older than what was seen. */
async function judge(deps: Deps, dated: Dated, bytes: Uint8Array): Promise<void> {
  const now = deps.now()
  try {
    const { expiresAt, mark } = await deps.admit({ address: dated.address, bytes }, deps.anchors, now)
    const document = { address: dated.address, bytes, fetchedAt: now, expiresAt }
    if (mark === undefined || !accept(deps, dated, { document, mark })) throw new Error('it is older than one that was seen before')
    await keep(deps, dated)
  } catch (error) {
    dated.rejected = bytes
    failed(deps, dated, { trouble: `a fetched document was refused: ${reason(error)}` })
  }
}

/** Takes a genuine document into use. An older one than was ever seen is not: the mark is what forbids it. */
function accept(deps: Deps, dated: Dated, { document, mark }: { document: StoredDocument; mark: KnownMark }): boolean {
  const seen = markOf(dated)
  if (seen === 'strictest' || (seen !== undefined && isOlder(mark, seen))) return false
  dated.document = document
  dated.seen = mark
  dated.rejected = undefined
  dated.trouble = undefined
  dated.failures = 0
  const keeping = keepingOf(dated.address)
  dated.next = nextRefresh(document, { random: deps.random(), longest: keeping?.life === 'dated' ? keeping.longest : Infinity })
  return true
}

/** The mark first: a document that is kept without its mark could be rolled back. */
async function keep(deps: Deps, { document, seen }: Dated): Promise<void> {
  if (document === undefined || seen === undefined) return
  try {
    await deps.store.advanceMark(document.address, seen)
    await deps.store.put(document)
  } catch (error) {
    deps.log.error({ address: document.address, cause: reason(error) }, 'a vendor document could not be kept')
  }
}

/** Mark and document as the store has them, perhaps from another replica; what it has lost, or could not take before, it is given again. Never throws. */
export async function readBack(deps: Deps, dated: Dated): Promise<void> {
  dated.readAt = deps.now()
  try {
    dated.stored = { mark: await deps.store.mark(dated.address) }
    const kept = await deps.store.get(dated.address)
    if (kept !== undefined && kept.fetchedAt > (dated.document?.fetchedAt ?? LONG_AGO)) await readNewer(deps, dated, kept)
    if (isUnsaved(dated)) await keep(deps, dated)
  } catch (error) {
    deps.log.error({ address: dated.address, cause: reason(error) }, 'a kept vendor document cannot be used')
  }
}

/** Proves a kept document anew, for the time of its fetch: whether it is still valid is the verifier's question. */
async function readNewer(deps: Deps, dated: Dated, kept: StoredDocument): Promise<void> {
  const { mark, expiresAt } = await deps.admit({ address: dated.address, bytes: kept.bytes }, deps.anchors, kept.fetchedAt)
  if (mark !== undefined) accept(deps, dated, { document: { ...kept, expiresAt }, mark })
}
