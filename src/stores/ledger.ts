import { AttestationError } from '../verifiers/problems.ts'
import { checkRoom, checkStanding, checkVersion, DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts'
import { createRecordReader, type RecordReader } from './document-reader.ts'
import { type Place, sealStanding, sealVersion, sealVersions } from './document-records.ts'
import { type HeadEntry, withEntry } from './head.ts'
import type { Collection, Decision, DocumentStore, DocumentVersion, Standing, StoreKeys } from './stores.ts'
import { type LedgerParts, RefusedHead, watchHead, type WatchedHead } from './watched-head.ts'

/** Times that a change is tried again because another document was changed meanwhile. */
const MOST_ATTEMPTS = 10

/** A document that has no version yet. */
const NO_ENTRY: HeadEntry = { latest: 0, bytes: 0, versions: '' }

type Ledger = { readonly keys: StoreKeys; readonly watched: WatchedHead; readonly records: RecordReader; readonly limits: DocumentLimits }

/** Operators' documents on a shelf: one implementation for memory, files and Redis, so that all of them refuse the same. */
export function createDocumentStore(parts: LedgerParts, limits: DocumentLimits = DOCUMENT_LIMITS): DocumentStore {
  const watched = watchHead(parts)
  const records = createRecordReader(parts, watched)
  const ledger: Ledger = { keys: parts.keys, watched, records, limits }
  return {
    revision: (collection) => revision(watched, collection),
    names: async (collection) => [...(await watched.current()).head.parts[collection].entries.keys()].toSorted(),
    versions: async (collection, name) => ((await records.versions({ collection, name })) ?? []).map(({ ref: _ref, ...entry }) => entry),
    read: (collection, name, version) => records.version({ collection, name }, version),
    standing: (collection, name) => records.standing({ collection, name }),
    revoked: async (collection, name) => (await watched.glance()).head.parts[collection].entries.get(name)?.standing?.revoked ?? [],
    append: (collection, document, expectedLatest) => append(ledger, { collection, document }, expectedLatest),
    advance: (collection, standing, expectedCounter) => advance(ledger, { collection, standing }, expectedCounter),
  }
}

async function revision(watched: WatchedHead, collection: Collection): Promise<string | undefined> {
  try {
    return String((await watched.glance()).head.parts[collection].counter)
  } catch (error) {
    if (error instanceof RefusedHead) return undefined
    throw error
  }
}

type Draft = { readonly collection: Collection; readonly document: Omit<DocumentVersion, 'version'> }

async function append(ledger: Ledger, { collection, document }: Draft, expectedLatest: number): Promise<DocumentVersion | 'conflict'> {
  checkVersion(document)
  const { name, sha256, text, author, created } = document
  const next: DocumentVersion = { name, version: expectedLatest + 1, sha256, text, author, created: new Date(created) }
  return attempted(() => appendOnce(ledger, { collection, name }, next))
}

async function appendOnce(ledger: Ledger, place: Place, next: DocumentVersion): Promise<DocumentVersion | 'conflict' | 'again'> {
  const seen = await ledger.watched.current()
  const before = seen.head.parts[place.collection].entries.get(place.name) ?? NO_ENTRY
  if (before.latest !== next.version - 1) return 'conflict'
  const bytes = Buffer.byteLength(next.text)
  checkRoom(ledger.limits, seen.head, { place, bytes })
  const earlier = before.latest === 0 ? [] : await ledger.records.versions(place)
  if (earlier === undefined) return unreadable(place.name)
  if (earlier.length !== before.latest) return 'conflict'
  const version = sealVersion(ledger.keys, place, next)
  const list = sealVersions(ledger.keys, place, [...earlier, { ...next, ref: version.ref }])
  const head = withEntry(seen.head, place, { ...before, latest: next.version, bytes: before.bytes + bytes, versions: list.ref })
  const puts = new Map([version, list].map((sealed) => [sealed.ref, sealed.bytes]))
  const written = await ledger.watched.commit(seen, head, { puts, drops: before.latest === 0 ? [] : [before.versions] })
  return written ? next : 'again'
}

type Move = { readonly collection: Collection; readonly standing: Decision }

async function advance(ledger: Ledger, { collection, standing }: Move, expectedCounter: number): Promise<Standing | 'conflict'> {
  checkStanding(standing)
  const place = { collection, name: standing.name }
  return attempted(async () => {
    const seen = await ledger.watched.current()
    const entry = seen.head.parts[collection].entries.get(standing.name)
    if (entry === undefined || !(await isExpected(ledger, { place, entry }, expectedCounter))) return 'conflict'
    const { name, value, by, at } = standing
    const next: Standing = { name, counter: (entry.standing?.counter ?? 0) + 1, value, by, at: new Date(at) }
    const sealed = sealStanding(ledger.keys, place, next)
    const revoked = revokedAfter(entry, standing)
    const head = withEntry(seen.head, place, { ...entry, standing: { counter: next.counter, ref: sealed.ref, revoked } })
    const drops = entry.standing === undefined ? [] : [entry.standing.ref]
    return (await ledger.watched.commit(seen, head, { puts: new Map([[sealed.ref, sealed.bytes]]), drops })) ? next : 'again'
  })
}

/** Whatever a decision says, what was revoked before stays so. */
function revokedAfter({ latest, standing }: HeadEntry, { revoked = [] }: Decision): readonly number[] {
  if (revoked.some((version) => !Number.isInteger(version) || version < 1 || version > latest))
    throw new Error('operators’ documents: a version that is not there is revoked')
  return [...new Set([...(standing?.revoked ?? []), ...revoked])].toSorted((a, b) => a - b)
}

/** A standing that cannot be believed counts as absent, also for whoever replaces it; the counter goes on from what the head says. */
async function isExpected(ledger: Ledger, at: { place: Place; entry: HeadEntry }, expected: number): Promise<boolean> {
  if ((at.entry.standing?.counter ?? 0) === expected) return true
  return expected === 0 && (await ledger.records.standing(at.place)) === undefined
}

function unreadable(name: string): never {
  throw new AttestationError('not-ready', `the list of versions of "${name}" cannot be believed: nothing is added to it`, {
    retryAfter: 30,
  })
}

async function attempted<T>(change: () => Promise<T | 'again'>): Promise<T> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const result = await change()
    if (result !== 'again') return result
  }
  throw new AttestationError('not-ready', 'operators’ documents change too often to be changed', { retryAfter: 1 })
}
