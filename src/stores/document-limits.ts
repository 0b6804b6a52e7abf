import { AttestationError } from '../verifiers/problems.ts'
import type { Head, HeadEntry } from './head.ts'
import type { Place } from './document-records.ts'
import type { DocumentVersion, Standing } from './stores.ts'

/** How much a store takes. Every version is kept for ever, so only a bound on what is written bounds what is kept. */
export type DocumentLimits = {
  /** Documents of one collection. The head holds a line of about 160 bytes for each, and is read by every call. */
  readonly names: number
  /** Versions of one document: three years of one a day. Their list, 250 bytes for each, is written anew with every version. */
  readonly versions: number
  /** Versions and bytes of text of one collection. */
  readonly allVersions: number
  readonly allBytes: number
}

/** 256 MiB of text are about 360 MiB in Redis. */
export const DOCUMENT_LIMITS: DocumentLimits = { names: 1_000, versions: 1_000, allVersions: 10_000, allBytes: 256 * 1024 * 1024 }

/** Bytes of one document's text. */
const MOST_TEXT = 1024 * 1024
/** Bytes of JSON of one standing: a thousand revocations with 150 characters of reason, each escaped, are 343 KiB, so none is ever refused. */
const MOST_STANDING = 512 * 1024
/** Characters of the name of whoever wrote or changed something. */
const MOST_AUTHOR = 256
/** No separator of any store, so that a name can be part of a key. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

const fault = (what: string): never => {
  throw new Error(`operators’ documents: ${what}`)
}
const tooLarge = (what: string): never => {
  throw new AttestationError('request-too-large', `${what} is larger than the store takes`)
}
const full = (what: string): never => {
  throw new AttestationError('store-full', `the store already holds as many ${what} as it takes`)
}

/** Throws unless this can be kept as a version; what no caller can cause is a fault of ours. */
export function checkVersion(document: Omit<DocumentVersion, 'version'>): void {
  if (!NAME.test(document.name)) fault('not a name')
  if (!/^[0-9a-f]{64}$/.test(document.sha256)) fault('not a SHA-256')
  checkAuthor(document.author, document.created)
  if (Buffer.byteLength(document.text) > MOST_TEXT) tooLarge('the document')
}

/** Throws unless this can be kept as a standing. */
export function checkStanding(standing: Omit<Standing, 'counter'>): void {
  checkAuthor(standing.by, standing.at)
  const json: unknown = JSON.stringify(standing.value)
  if (typeof json !== 'string') return fault('a standing is not JSON')
  if (Buffer.byteLength(json) > MOST_STANDING) tooLarge('the standing')
}

function checkAuthor(author: string, at: Date): void {
  if (author.length === 0 || author.length > MOST_AUTHOR) fault('not a name of an author')
  if (Number.isNaN(at.getTime())) fault('not a date')
}

/** Throws `store-full` when one more version of `place` with this many bytes is more than the limits allow. */
export function checkRoom(limits: DocumentLimits, head: Head, { place, bytes }: { place: Place; bytes: number }): void {
  const { entries } = head.parts[place.collection]
  const sum = (of: (entry: HeadEntry) => number): number => [...entries.values()].reduce((total, entry) => total + of(entry), 0)
  const entry = entries.get(place.name)
  if (entry === undefined && entries.size >= limits.names) full('documents')
  if ((entry?.latest ?? 0) >= limits.versions) full('versions of this document')
  if (sum(({ latest }) => latest) >= limits.allVersions) full('versions')
  if (sum((each) => each.bytes) + bytes > limits.allBytes) full('bytes')
}
