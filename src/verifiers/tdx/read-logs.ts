import { judgeData, type Judged } from '../event-log/digests.ts'
import type { Places } from '../event-log/facts.ts'
import { extensions, type Bank } from '../event-log/replay.ts'
import { parseTcg2, type LogRules } from '../event-log/tcg2.ts'
import { AttestationError } from '../problems.ts'
import { dstackEvents } from './dstack-events.ts'
import { parseDstackLog, type DstackEntry } from './dstack.ts'

/** CCEL (specification tdx.md section 8.1): bounds, and UEFI's indexes of measurement registers, where 0 is MRTD and extends nothing. */
const CCEL: LogRules = { code: 'tdx-event-log-malformed', bytes: 4 * 1024 * 1024, events: 4096, maxIndex: 4 }
/** RTMRs are extended by SHA-384 digests (TPM_ALG_SHA384). */
const RTMRS: Bank = { algorithm: 0x000c, hash: 'sha384', registerOf: (index) => (index === 0 ? undefined : index - 1) }

/** Which RTMR holds what (sections 8.1, 8.2 and 8.4). */
export const PLACES: Places = { secureBoot: 0, applications: 1, commandLine: 2, runtime: 3 }

/** A log that was read, in the one form that both kinds have. */
export type ReadLog = {
  readonly kind: 'ccel' | 'dstack'
  /** Events in the log, those included that extend nothing. */
  readonly count: number
  /** What extends RTMR0 to 3. */
  readonly events: readonly Judged[]
  /** The runtime log itself; undefined for a CCEL. */
  readonly entries?: readonly DstackEntry[]
}

/** Reads the logs that were sent, CCEL first. Throws AttestationError tdx-event-log-malformed. */
export function readLogs(sent: { eventLog: Uint8Array | undefined; runtimeLog: Uint8Array | undefined }): readonly ReadLog[] {
  return [
    ...(sent.eventLog === undefined ? [] : [readCcel(sent.eventLog)]),
    ...(sent.runtimeLog === undefined ? [] : [readRuntimeLog(sent.runtimeLog)]),
  ]
}

function readCcel(bytes: Uint8Array): ReadLog {
  const log = parseTcg2(bytes, CCEL)
  if (!log.algorithms.has(RTMRS.algorithm))
    throw new AttestationError(CCEL.code, 'event_log.header: SHA-384 is not declared, so no event extends an RTMR', { at: 'event_log' })
  const events = extensions(log, RTMRS).map((event) => judgeData(event, RTMRS.hash))
  return { kind: 'ccel', count: log.events.length, events }
}

function readRuntimeLog(bytes: Uint8Array): ReadLog {
  const entries = parseDstackLog(bytes)
  return { kind: 'dstack', count: entries.length, events: dstackEvents(entries), entries }
}
