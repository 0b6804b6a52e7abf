import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Ref } from './head.ts'
import { openRecord, sealRecord, type StoredRecord } from './record.ts'
import type { Collection, DocumentVersion, Standing, StoreKeys, VersionEntry } from './stores.ts'

/** A document by its place: names are unique in their collection only. */
export type Place = { readonly collection: Collection; readonly name: string }
/** One row of the list of versions: the entry, and where its record is. */
export type ListedVersion = VersionEntry & { readonly ref: Ref }
/** A record that is about to be kept. */
export type Sealed = { readonly ref: Ref; readonly bytes: Uint8Array }

type Kind = 'operators-versions' | 'operators-document' | 'operators-standing'
type Which = { readonly place: Place; readonly counter: number }

const sha256 = (bytes: Uint8Array): Ref => createHash('sha256').update(bytes).digest('hex')
const named = (purpose: Kind, { collection, name }: Place): Pick<StoredRecord, 'purpose' | 'name'> => ({
  purpose,
  name: `${collection}/${name}`,
})

function seal(keys: StoreKeys, purpose: Kind, record: Which & { readonly value: unknown }): Sealed {
  const value = Buffer.from(JSON.stringify(record.value))
  const bytes = sealRecord(keys, { ...named(purpose, record.place), counter: record.counter, value })
  return { ref: sha256(bytes), bytes }
}

/** The JSON of a kept record; undefined unless it is the one that `ref` names, with this place and counter. */
function open(keys: StoreKeys, purpose: Kind, kept: Which & Sealed): unknown {
  if (sha256(kept.bytes) !== kept.ref) return undefined
  const record = openRecord(keys, named(purpose, kept.place), kept.bytes)
  if (record === 'forged' || record.counter !== kept.counter) return undefined
  return JSON.parse(Buffer.from(record.value).toString('utf8'))
}

const date = z.iso.datetime().transform((text) => new Date(text))
const VERSIONS = z.array(z.tuple([z.string(), z.string(), z.string(), date]))
const DOCUMENT = z.strictObject({ sha256: z.string(), text: z.string(), author: z.string(), created: date })
const STANDING = z.strictObject({ value: z.unknown(), by: z.string(), at: date })

/** The list of all versions of a document; its counter is the latest one. */
export const sealVersions = (keys: StoreKeys, place: Place, versions: readonly ListedVersion[]): Sealed =>
  seal(keys, 'operators-versions', {
    place,
    counter: versions.length,
    value: versions.map((v) => [v.sha256, v.ref, v.author, v.created.toISOString()]),
  })

/** Opens a list of versions; undefined when it is not the one that the head names. */
export function openVersions(keys: StoreKeys, kept: Which & Sealed): readonly ListedVersion[] | undefined {
  const rows = VERSIONS.safeParse(open(keys, 'operators-versions', kept))
  if (!rows.success || rows.data.length !== kept.counter) return undefined
  const { name } = kept.place
  return rows.data.map(([digest, ref, author, created], i) => ({ name, version: i + 1, sha256: digest, ref, author, created }))
}

/** One version with its text; its counter is the version. */
export function sealVersion(keys: StoreKeys, place: Place, document: DocumentVersion): Sealed {
  const { sha256: digest, text, author, created } = document
  const value = { sha256: digest, text, author, created: created.toISOString() }
  return seal(keys, 'operators-document', { place, counter: document.version, value })
}

/** Opens a version; undefined when it is not the one that the list names. */
export function openVersion(keys: StoreKeys, kept: Which & Sealed): DocumentVersion | undefined {
  const document = DOCUMENT.safeParse(open(keys, 'operators-document', kept))
  return document.success ? { name: kept.place.name, version: kept.counter, ...document.data } : undefined
}

/** A standing; its counter is the standing's. */
export const sealStanding = (keys: StoreKeys, place: Place, { counter, value, by, at }: Standing): Sealed =>
  seal(keys, 'operators-standing', { place, counter, value: { value, by, at: at.toISOString() } })

/** Opens a standing; undefined when it is not the one that the head names. */
export function openStanding(keys: StoreKeys, kept: Which & Sealed): Standing | undefined {
  const standing = STANDING.safeParse(open(keys, 'operators-standing', kept))
  if (!standing.success) return undefined
  const { value, by, at } = standing.data
  return { name: kept.place.name, counter: kept.counter, value, by, at }
}
