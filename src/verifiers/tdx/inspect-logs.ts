import { readable, type Unreadable } from '../inspect-certificate.ts'
import type { Judged } from '../event-log/digests.ts'
import { typeText } from '../event-log/type-names.ts'
import { hexOf } from '../der-values.ts'
import { readLogs, type ReadLog } from './read-logs.ts'

/** One event that extends a register. What the log says of it may be anything; only the digests are measured. */
type EventView = {
  readonly number: number
  /** Of the RTMR. */
  readonly register: number
  /** Name and number of the type, which is not measured. */
  readonly type: string
  readonly digest: string
  /** Whether the digest is that of the data: `yes`, `no`, or `unknown` where the data do not determine it. */
  readonly digest_of_data: 'yes' | 'no' | 'unknown'
  /** The beginning of the data as text, where they are text. */
  readonly text: string | null
}

/** A log that came along, as it can be read; null: none was sent. */
export type LogView = { readonly events: number; readonly extensions: readonly EventView[] } | Unreadable | null

/** Longer data are told by their beginning. */
const TOLD = 200
const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u

function textOf(data: Uint8Array | undefined): string | null {
  if (data === undefined) return null
  const text = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, TOLD)).toString('utf8').replace(/\0+$/, '')
  return PRINTABLE.test(text) && !text.includes('\ufffd') ? text : null
}

const eventView = ({ number, register, type, digest, data, measured, mismatch }: Judged): EventView => ({
  number,
  register,
  type: typeText(type),
  digest: hexOf(digest),
  digest_of_data: measured !== undefined ? 'yes' : mismatch ? 'no' : 'unknown',
  text: textOf(data),
})

const logView = (logs: readonly ReadLog[]): LogView => {
  const [log] = logs
  return log === undefined ? null : { events: log.count, extensions: log.events.map(eventView) }
}

/** What a CCEL and a runtime log say, each by itself; events that extend no register are counted and not shown. */
export const inspectLogs = (sent: { eventLog?: Uint8Array | undefined; runtimeLog?: Uint8Array | undefined }) => ({
  event_log: readable(() => logView(readLogs({ eventLog: sent.eventLog, runtimeLog: undefined }))),
  runtime_log: readable(() => logView(readLogs({ eventLog: undefined, runtimeLog: sent.runtimeLog }))),
})
