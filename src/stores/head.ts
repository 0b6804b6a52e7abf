import { z } from 'zod'
import { openRecord, sealRecord } from './record.ts'
import { COLLECTIONS, type Collection, type StoreKeys } from './stores.ts'

/** SHA-256 of a sealed record, 64 hexadecimal digits: its address in the store, and what the head says that is kept there. */
export type Ref = string

/** What the head says of one document. Both numbers only grow. */
export type HeadEntry = {
  readonly latest: number
  /** Bytes of text of all versions. */
  readonly bytes: number
  /** The record that lists the versions. */
  readonly versions: Ref
  readonly standing?: {
    readonly counter: number
    readonly ref: Ref
    /** Versions that never count again; here, so that losing the record of the standing does not bring them back. Only grows. */
    readonly revoked: readonly number[]
  }
}

/** The documents of one collection by name, and how often any of them changed. */
type HeadPart = { readonly counter: number; readonly entries: ReadonlyMap<string, HeadEntry> }

/** The one list of all operators' documents with their counters (design section 1.4). */
export type Head = { readonly counter: number; readonly parts: Readonly<Record<Collection, HeadPart>> }

/** One value for each collection. */
const forEach = <T>(value: (collection: Collection) => T): Record<Collection, T> => ({
  policies: value('policies'),
  'reference-values': value('reference-values'),
  'token-keys': value('token-keys'),
})

/** A head with the bytes that it was read from; `undefined` when the store holds none. */
export type SeenHead = { readonly bytes: Uint8Array | undefined; readonly head: Head }

const NAME = { purpose: 'operators-head', name: 'documents' } as const
const NOTHING: HeadPart = { counter: 0, entries: new Map() }

/** The head of a store in which no document was ever written. */
export const EMPTY: SeenHead = { bytes: undefined, head: { counter: 0, parts: forEach(() => NOTHING) } }

/** The next head: one document's entry replaced. */
export function withEntry(head: Head, at: { collection: Collection; name: string }, entry: HeadEntry): Head {
  const part = head.parts[at.collection]
  const next: HeadPart = { counter: part.counter + 1, entries: new Map(part.entries).set(at.name, entry) }
  return { counter: head.counter + 1, parts: { ...head.parts, [at.collection]: next } }
}

/** Whether `found` may come after `seen`: nothing is missing, no counter is lower, and what has the same counter is the same. */
export function follows(found: Head, seen: Head): boolean {
  if (found.counter <= seen.counter) return false
  return COLLECTIONS.every((collection) => partFollows(found.parts[collection], seen.parts[collection]))
}

const partFollows = (found: HeadPart, seen: HeadPart): boolean =>
  found.counter >= seen.counter && [...seen.entries].every(([name, entry]) => entryFollows(found.entries.get(name), entry))

function entryFollows(found: HeadEntry | undefined, seen: HeadEntry): boolean {
  if (found === undefined || !advances([found.latest, found.versions], [seen.latest, seen.versions])) return false
  const revoked = new Set(found.standing?.revoked)
  return advances(standingOf(found), standingOf(seen)) && (seen.standing?.revoked ?? []).every((version) => revoked.has(version))
}

const standingOf = ({ standing }: HeadEntry): readonly [number, Ref] =>
  standing === undefined ? [0, ''] : [standing.counter, standing.ref]

const advances = ([number, ref]: readonly [number, Ref], [before, refBefore]: readonly [number, Ref]): boolean =>
  number > before || (number === before && ref === refBefore)

/** A head as kept: a sealed record of JSON, whose counter is the head's. */
export const sealHead = (keys: StoreKeys, head: Head): Uint8Array =>
  sealRecord(keys, { ...NAME, counter: head.counter, value: Buffer.from(JSON.stringify(rowsOf(head))) })

/** Opens what {@link sealHead} made; `forged` as in `openRecord`. Throws when a newer version wrote it. */
export function openHead(keys: StoreKeys, bytes: Uint8Array): SeenHead | 'forged' {
  const record = openRecord(keys, NAME, bytes)
  if (record === 'forged') return 'forged'
  const rows = HEAD.safeParse(JSON.parse(Buffer.from(record.value).toString('utf8')))
  if (!rows.success) return 'forged'
  const parts = forEach((collection) => partOf(rows.data[collection]))
  return { bytes: Uint8Array.from(bytes), head: { counter: record.counter, parts } }
}

const counter = z.int().min(0)
const ref = z.string().regex(/^[0-9a-f]{64}$/)
/** Counter, record, and what was revoked. */
const STANDING = z.tuple([counter, ref], z.int().min(1))
/** Name, latest version, bytes, list of versions; the standing, if there is one. */
const ROW = z.tuple([z.string(), counter, counter, ref, STANDING.optional()])
const PART = z.strictObject({ counter, rows: z.array(ROW) })
/** Heads of before there were keys in them have no such part. */
const HEAD = z.strictObject({ policies: PART, 'reference-values': PART, 'token-keys': PART.default({ counter: 0, rows: [] }) })

const rowsOf = ({ parts }: Head): z.infer<typeof HEAD> => forEach((collection) => partRows(parts[collection]))

const partRows = (part: HeadPart): z.infer<typeof PART> => ({
  counter: part.counter,
  rows: [...part.entries].map(([name, { latest, bytes, versions, standing }]) =>
    standing === undefined
      ? [name, latest, bytes, versions]
      : [name, latest, bytes, versions, [standing.counter, standing.ref, ...standing.revoked]],
  ),
})

const partOf = (part: z.infer<typeof PART>): HeadPart => ({
  counter: part.counter,
  entries: new Map(part.rows.map(([name, ...row]) => [name, entryOf(row)])),
})

function entryOf([latest, bytes, versions, standing]: [number, number, Ref, (z.infer<typeof STANDING> | undefined)?]): HeadEntry {
  const entry = { latest, bytes, versions }
  if (standing === undefined) return entry
  const [at, record, ...revoked] = standing
  return { ...entry, standing: { counter: at, ref: record, revoked } }
}
