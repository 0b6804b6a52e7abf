import { parseTcg2, type Tcg2Log } from '../event-log/tcg2.ts'
import { typeText } from '../event-log/type-names.ts'
import type { Unreadable } from '../inspect-certificate.ts'
import { HOST_LOG, startupLocality } from './boot/log.ts'
import { isViolation, type ImaEntry } from './ima/entry.ts'
import { ImaList } from './ima/list.ts'
import { isMalformedList } from './ima/malformed.ts'
import { algorithmName } from './inspect-names.ts'

/** What an event log says, not held against any PCR. Its types and the order of its records are the word of whoever sent it. */
export type EventLogView = {
  readonly trusted: false
  /** Banks that it has digests of. */
  readonly algorithms: readonly string[]
  readonly events: number
  /** What PCR 0 would start with; 0 where the log does not tell. */
  readonly startup_locality: number | Unreadable
  /** How many events of each type there are for each PCR; `pcr` is null for records behind the end of the log, which are of none. */
  readonly events_by_pcr: readonly { readonly pcr: number | null; readonly type: string; readonly events: number }[]
}

/** A summary of an event log. Throws AttestationError tpm-eventlog-malformed. */
export function inspectEventLog(bytes: Uint8Array): EventLogView {
  const log = parseTcg2(bytes, HOST_LOG)
  const locality = startupLocality(log)
  return {
    trusted: false,
    algorithms: [...log.algorithms.keys()].map(algorithmName),
    events: log.events.length,
    startup_locality: typeof locality === 'number' ? locality : { code: 'tpm-eventlog-startup-locality-invalid', detail: locality },
    events_by_pcr: countsOf(log),
  }
}

/** By PCR and then by type, each ascending. */
function countsOf({ events }: Tcg2Log): EventLogView['events_by_pcr'] {
  const counts = new Map<number, Map<number, number>>()
  for (const { index, type } of events) {
    const own = counts.get(index) ?? new Map<number, number>()
    counts.set(index, counted(own, type))
  }
  return ascending(counts).flatMap(([index, own]) =>
    ascending(own).map(([type, n]) => ({ pcr: index > HOST_LOG.maxIndex ? null : index, type: typeText(type), events: n })),
  )
}

const counted = <K>(counts: Map<K, number>, key: K): Map<K, number> => counts.set(key, (counts.get(key) ?? 0) + 1)

const ascending = <T>(counts: ReadonlyMap<number, T>): readonly (readonly [number, T])[] => [...counts].toSorted(([a], [b]) => a - b)

/** What an IMA list says, not held against PCR 10. */
export type ImaLogView = {
  readonly trusted: false
  /** Entries that were read: all of them, unless `fault` says why no more could be. */
  readonly entries: number
  readonly violations: number
  readonly templates: readonly { readonly template: string; readonly entries: number }[]
  readonly fault: Unreadable | null
}

/** A summary of an IMA list, as far as it can be read. Rejects only with what reading the list throws. */
export async function inspectImaLog(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<ImaLogView> {
  const tally: Tally = { entries: 0, violations: 0, templates: new Map() }
  const fault = await count(new ImaList(bytes, 0), tally)
  const templates = [...tally.templates].map(([template, entries]) => ({ template, entries }))
  return { trusted: false, entries: tally.entries, violations: tally.violations, templates, fault }
}

type Tally = { entries: number; violations: number; readonly templates: Map<string, number> }

/** Counts entries up to the end, or to what is none. */
async function count(list: ImaList, tally: Tally): Promise<Unreadable | null> {
  try {
    for (let entry = await list.next(); entry !== undefined; entry = await list.next()) take(entry, tally)
    return null
  } catch (error) {
    if (!isMalformedList(error)) throw error
    return { code: 'tpm-ima-malformed', detail: error.message }
  } finally {
    await list.close()
  }
}

function take(entry: ImaEntry, tally: Tally): void {
  tally.entries += 1
  tally.violations += isViolation(entry) ? 1 : 0
  counted(tally.templates, entry.template)
}
