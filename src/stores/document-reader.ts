import { type ListedVersion, openStanding, openVersion, openVersions, type Place, type Sealed } from './document-records.ts'
import type { HeadEntry, Ref } from './head.ts'
import type { DocumentVersion, Standing } from './stores.ts'
import type { LedgerParts, WatchedHead } from './watched-head.ts'

/** Reads what the head lists; undefined when it is not there or cannot be believed. */
export type RecordReader = {
  readonly versions: (place: Place) => Promise<readonly ListedVersion[] | undefined>
  readonly version: (place: Place, version: number) => Promise<DocumentVersion | undefined>
  readonly standing: (place: Place) => Promise<Standing | undefined>
}

/** Where a record is, under which counter, and how it is opened. */
type Wanted<T> = {
  readonly counter: number
  readonly ref: Ref
  readonly open: (kept: Sealed & { readonly place: Place; readonly counter: number }) => T | undefined
}

/** Times that a record is looked for again because it was replaced between the reading of the head and of the record. */
const MOST_ATTEMPTS = 5

/** Reads records; each that is missing or changed raises an alarm. */
export function createRecordReader(parts: LedgerParts, watched: WatchedHead): RecordReader {
  const { keys } = parts
  const versions: RecordReader['versions'] = (place) =>
    listed({ parts, watched, place }, ({ latest, versions: ref }) => ({ counter: latest, ref, open: (kept) => openVersions(keys, kept) }))
  return {
    versions,
    version: async (place, version) => {
      const entry = (await versions(place))?.find((each) => each.version === version)
      if (entry === undefined) return undefined
      const wanted = { counter: version, ref: entry.ref, open: (kept: Parameters<typeof openVersion>[1]) => openVersion(keys, kept) }
      return (await opened(parts, place, wanted)) ?? alarm(parts, place)
    },
    standing: (place) =>
      listed({ parts, watched, place }, ({ standing }) => standing && { ...standing, open: (kept) => openStanding(keys, kept) }),
  }
}

async function opened<T>({ shelf }: LedgerParts, place: Place, { counter, ref, open }: Wanted<T>): Promise<T | undefined> {
  const bytes = await shelf.get(ref)
  return bytes === undefined ? undefined : open({ place, counter, ref, bytes })
}

function alarm({ log }: LedgerParts, place: Place): undefined {
  log.error(
    { alarm: 'operators-record-forged', ...place },
    'an operators’ document was changed or removed by somebody else: it counts as absent',
  )
  return undefined
}

type From = { readonly parts: LedgerParts; readonly watched: WatchedHead; readonly place: Place }

/** For records that the head names itself, and that a change replaces. */
async function listed<T>({ parts, watched, place }: From, choose: (entry: HeadEntry) => Wanted<T> | undefined): Promise<T | undefined> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const seen = await watched.current()
    const entry = seen.head.parts[place.collection].entries.get(place.name)
    const wanted = entry && choose(entry)
    if (wanted === undefined) return undefined
    const record = await opened(parts, place, wanted)
    if (record !== undefined) return record
    if ((await watched.current()) === seen) break
  }
  return alarm(parts, place)
}
