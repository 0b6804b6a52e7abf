import { join } from 'node:path'
import type { Telemetry } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { openVersions, type Place } from './document-records.ts'
import { type FileShelf, fileShelf } from './file-shelf.ts'
import type { Head, HeadEntry, Ref } from './head.ts'
import { processMemory } from './head-memory.ts'
import { createDocumentStore } from './ledger.ts'
import { COLLECTIONS, type DocumentStore, type StoreKeys } from './stores.ts'
import { watchHead } from './watched-head.ts'

/**
 * Operators' documents in a data folder, which its process has locked. The head lies in the same folder, so whoever can put back the whole
 * folder while the service is down is not noticed; while it runs, he is.
 */
export async function fileDocuments({ dataDir, keys, log }: { dataDir: string; keys: StoreKeys; log: Telemetry }): Promise<DocumentStore> {
  const shelf = await fileShelf(join(dataDir, 'documents'))
  const parts = { shelf, memory: processMemory(), keys, log }
  await believed(
    watchHead(parts)
      .current()
      .then(({ head }) => sweep(shelf, keys, head)),
  )
  return createDocumentStore(parts)
}

/** A head that cannot be believed does not keep a service from starting: it answers `not-ready`. A newer version's does. */
export async function believed(checked: Promise<void>): Promise<void> {
  await checked.catch((error: unknown) => {
    if (!(error instanceof AttestationError)) throw error
  })
}

async function sweep(shelf: FileShelf, keys: StoreKeys, head: Head): Promise<void> {
  const listed = COLLECTIONS.flatMap((collection) =>
    [...head.parts[collection].entries].map(([name, entry]) => ({ place: { collection, name }, entry })),
  )
  const keep: Ref[] = []
  for (const each of listed) {
    const refs = await refsOf(shelf, keys, each)
    // With a list that cannot be read nobody knows what is listed; an operator may want to put it back.
    if (refs === undefined) return
    keep.push(...refs)
  }
  await shelf.sweep(new Set(keep))
}

type Listed = { readonly place: Place; readonly entry: HeadEntry }

async function refsOf(shelf: FileShelf, keys: StoreKeys, { place, entry }: Listed): Promise<readonly Ref[] | undefined> {
  const bytes = await shelf.get(entry.versions)
  const versions = bytes && openVersions(keys, { place, counter: entry.latest, ref: entry.versions, bytes })
  return versions && [entry.versions, ...versions.map(({ ref }) => ref), ...(entry.standing === undefined ? [] : [entry.standing.ref])]
}
