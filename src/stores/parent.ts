import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { type Call, caller, type Channel, serve } from './ipc.ts'
import { isAddress, type KnownMark } from './marks.ts'
import { bytesIn, dateIn, listIn, number, objectIn, refuse, text } from './messages.ts'
import { documentHandlers, remoteDocuments } from './parent-documents.ts'
import { quoteHandlers, remoteQuotes } from './parent-quotes.ts'
import type { ChallengeStore, CollateralStore, StoredDocument, StoredEntry, Stores } from './stores.ts'

/** The name of the stores on the channel. */
const SERVICE = 'stores'

/** Answers a child's store calls in the parent, which alone holds the marks (design section 3, Challenge). */
export function serveStores(stores: Stores, child: Channel): void {
  const { challenges, collateral, documents, quotes } = stores
  // Only Redis can change its epoch while this process lives, or have another clock; what any other store says may be remembered by the child.
  const lasts = stores.kind === 'redis' ? 'a-call' : 'for-ever'
  serve(child, SERVICE, {
    epoch: async () => ({ epoch: await challenges.epoch(), lasts }),
    spend: async (id, ttl) => challenges.spend(text(id), number(ttl)),
    pay: async (id, digest, ttl) => challenges.pay(text(id), text(digest), number(ttl)),
    clockOffset: async () => ({ offset: await challenges.clockOffset(), lasts }),
    get: async (address) => collateral.get(addressIn(address)),
    put: async (document) => collateral.put(documentIn(document)),
    list: () => collateral.list(),
    mark: async (address) => collateral.mark(addressIn(address)),
    advanceMark: async (address, mark) => collateral.advanceMark(addressIn(address), knownMark(mark)),
    ...documentHandlers(documents),
    ...quoteHandlers(quotes),
    ping: () => stores.ping(),
  })
}

/** The parent's stores as a forked child sees them. Every call fails with `not-ready` when the parent is gone. */
export function parentStores(channel: Channel): Stores {
  const call = caller(channel, SERVICE)
  return {
    kind: 'parent',
    challenges: remoteChallenges(call),
    collateral: remoteCollateral(call),
    documents: remoteDocuments(call),
    quotes: remoteQuotes(call),
    ping: async () => {
      await call('ping')
    },
    close: async () => {},
  }
}

function remoteChallenges(call: Call): ChallengeStore {
  return {
    epoch: remembered(async () => lasting(await call('epoch'), 'epoch', bytesIn)),
    spend: async (id, ttl) => (await call('spend', id, ttl)) === true,
    pay: async (id, digest, ttl) => (await call('pay', id, digest, ttl)) === true,
    clockOffset: remembered(async () => lasting(await call('clockOffset'), 'offset', number)),
  }
}

type Lasting<T> = { readonly value: T; readonly lasts: 'a-call' | 'for-ever' }

function lasting<T>(answer: unknown, name: string, read: (value: unknown) => T): Lasting<T> {
  const members = objectIn(answer)
  return { value: read(members[name]), lasts: members['lasts'] === 'for-ever' ? 'for-ever' : 'a-call' }
}

/** Asks until an answer lasts for ever; a message to the parent and back costs as much as a tenth of an appraisal. */
function remembered<T>(ask: () => Promise<Lasting<T>>): () => Promise<T> {
  let kept: Lasting<T> | undefined
  return async () => {
    const answer = kept ?? (await ask())
    if (answer.lasts === 'for-ever') kept = answer
    return answer.value
  }
}

function remoteCollateral(call: Call): CollateralStore {
  return {
    get: async (address) => {
      const document = await call('get', address)
      return document === undefined ? undefined : documentIn(document)
    },
    put: async (document) => {
      await call('put', document)
    },
    list: async () => listIn(await call('list'), entryIn),
    mark: async (address) => markIn(await call('mark', address)),
    advanceMark: async (address, mark) => {
      await call('advanceMark', address, mark)
    },
  }
}

const addressIn = (value: unknown): CollateralAddress => (isAddress(value) ? value : refuse('an address'))

function entryIn(value: unknown): StoredEntry {
  const { address, fetchedAt, expiresAt } = objectIn(value)
  return { address: addressIn(address), fetchedAt: dateIn(fetchedAt), expiresAt: dateIn(expiresAt) }
}

const documentIn = (value: unknown): StoredDocument => ({ ...entryIn(value), bytes: bytesIn(objectIn(value)['bytes']) })

function knownMark(value: unknown): KnownMark {
  const { number: reached, thisUpdate } = objectIn(value)
  return { number: typeof reached === 'bigint' ? reached : refuse('a mark'), thisUpdate: dateIn(thisUpdate) }
}

function markIn(value: unknown): RollbackMark | undefined {
  if (value === undefined || value === 'strictest') return value
  return knownMark(value)
}
