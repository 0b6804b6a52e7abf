import type { Judged } from '../event-log/digests.ts'
import { replay, type Replay } from '../event-log/replay.ts'
import type { ReadLog } from './read-logs.ts'

/** RTMR0 to 3 by number. */
export type RegisterNumber = 0 | 1 | 2 | 3

/** A register held against the logs; `departure` says where they leave it, and is undefined where they lead to it. */
export type Register = { readonly register: RegisterNumber; readonly departure: string | undefined }

const NUMBERS: readonly RegisterNumber[] = [0, 1, 2, 3]
const ZERO = new Uint8Array(48)

/**
 * Replays RTMR0 to 3. Every log that tells of a register must lead to its value; a register that no log tells of must be as it was at the start.
 */
export const replayRegisters = (
  logs: readonly ReadLog[],
  rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array],
): readonly Register[] =>
  NUMBERS.map((register) => ({ register, departure: departureOf(logs, { register, start: ZERO, end: rtmrs[register] }) }))

type Span = { readonly register: RegisterNumber; readonly start: Uint8Array; readonly end: Uint8Array }

function departureOf(logs: readonly ReadLog[], span: Span): string | undefined {
  const told = logs.map((log) => ({ log, replayed: replay(log.events, 'sha384', span) })).filter(({ replayed }) => replayed.events > 0)
  if (told.length === 0)
    return Buffer.compare(span.start, span.end) === 0 ? undefined : `RTMR${span.register} is ${hex(span.end)}, but no event extends it`
  const wrong = told.find(({ replayed }) => !replayed.holds)
  if (wrong === undefined) return undefined
  const { log, replayed } = wrong
  const registers = `RTMR${span.register} is ${hex(span.end)}, ${replayed.events} events of the ${log.kind} log lead to ${hex(replayed.value)}`
  return `${registers}: ${whereItDeparts(log.events, replayed)}`
}

/**
 * A register's value does not tell where a replay left it, unless the log is the true one with events behind it. Otherwise the most that can be
 * said: an event that lies about its data is where a log was changed, and nothing is known to be right from the register's first event on.
 */
function whereItDeparts(events: readonly Judged[], { register, surplus }: Replay): string {
  if (surplus !== undefined) return `it departs at event ${surplus}; what is before it leads to the register`
  const own = events.filter((event) => event.register === register)
  const liar = own.find(({ mismatch }) => mismatch)
  if (liar !== undefined) return `it departs at event ${liar.number}, whose digest is not that of its data, if not before`
  return `it departs at event ${own[0]?.number} or behind it`
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
