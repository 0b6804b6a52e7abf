import { createSecretKey, randomBytes } from 'node:crypto'
import { createLog } from '../telemetry/log.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { processMemory } from './head-memory.ts'
import { createDocumentStore } from './ledger.ts'
import { advanced, type MarkTable } from './marks.ts'
import { memoryShelf } from './shelf.ts'
import { createQuoteStore, memoryQuotes, MOST_QUOTES } from './quotes.ts'
import type { ChallengeStore, CollateralStore, DocumentStore, QuoteStore, StoredDocument, Stores } from './stores.ts'

/** Spent marks that are kept at once, about 150 bytes each: an hour of 250 appraisals a second at a lifetime of seven minutes is a tenth of it. */
const MOST_MARKS = 1_000_000

/** Everything in this process: for tests, one-shot commands, and the challenges of the file store. */
export function memoryStores(): Stores {
  return {
    kind: 'memory',
    challenges: memoryChallenges(),
    collateral: memoryCollateral(),
    documents: memoryDocuments(),
    quotes: memoryQuoteStore(),
    ping: async () => {},
    close: async () => {},
  }
}

/**
 * Challenges of one process. The epoch is drawn anew at every start, since every start loses the marks.
 * `clock` is monotonic, in milliseconds, so that a step of the wall clock ends no mark early.
 */
export function memoryChallenges(clock: () => number = () => performance.now(), mostMarks = MOST_MARKS): ChallengeStore {
  const epoch = new Uint8Array(randomBytes(4))
  const spent = expiringTable(clock, mostMarks)
  const paid = expiringTable(clock, mostMarks)
  return {
    epoch: async () => epoch.slice(),
    spend: async (id, ttlSeconds) => spent(id, '', ttlSeconds).created,
    pay: async (id, digest, ttlSeconds) => paid(id, digest, ttlSeconds).value === digest,
    clockOffset: async () => 0,
  }
}

type SetIfAbsent = (key: string, value: string, ttlSeconds: number) => { readonly created: boolean; readonly value: string }

/** "Set if absent" with a lifetime. A full table refuses rather than forgets. */
function expiringTable(clock: () => number, most: number): SetIfAbsent {
  const table = new Map<string, { value: string; until: number }>()
  return (key, value, ttlSeconds) => {
    const now = clock()
    dropExpired(table, now)
    const seen = table.get(key)
    if (seen !== undefined && seen.until > now) return { created: false, value: seen.value }
    if (table.size >= most) throw new AttestationError('overloaded', 'the table of spent challenges is full', { retryAfter: 30 })
    table.delete(key)
    table.set(key, { value, until: now + ttlSeconds * 1000 })
    return { created: true, value }
  }
}

/** Marks of one kind live equally long, so the oldest are in front; each call pays for the few that ended since the last one. */
function dropExpired(table: Map<string, { until: number }>, now: number): void {
  for (const [key, { until }] of table) {
    if (until > now) return
    table.delete(key)
  }
}

/** Documents and marks of one process. */
function memoryCollateral(): CollateralStore {
  const documents = new Map<CollateralAddress, StoredDocument>()
  let marks: MarkTable = new Map()
  return {
    get: async (address) => documents.get(address),
    put: async (document) => {
      documents.set(document.address, { ...document, bytes: document.bytes.slice() })
    },
    list: async () => [...documents.values()].map(({ address, fetchedAt, expiresAt }) => ({ address, fetchedAt, expiresAt })),
    mark: async (address) => marks.get(address),
    advanceMark: async (address, mark) => {
      marks = advanced(marks, address, mark)
    },
  }
}

/** Last quotes of one process, sealed with a key of its own. */
const memoryQuoteStore = (): QuoteStore =>
  createQuoteStore({ shelf: memoryQuotes(MOST_QUOTES), keys: { stored: createSecretKey(randomBytes(32)) }, log: createLog('silent') })

/** Operators' documents of one process, sealed with a key of its own: nobody else could change them, so nothing is ever to be said. */
const memoryDocuments = (): DocumentStore =>
  createDocumentStore({
    shelf: memoryShelf(),
    memory: processMemory(),
    keys: { stored: createSecretKey(randomBytes(32)) },
    log: createLog('silent'),
  })
