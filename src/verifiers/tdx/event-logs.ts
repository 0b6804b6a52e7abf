import { failed, passed, skipped } from '../checks.ts'
import { attempt } from '../der-attempt.ts'
import type { DstackFacts, EventLogClaims } from '../event-log/claims.ts'
import type { Judged } from '../event-log/digests.ts'
import { bootFacts } from '../event-log/facts.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { brokenRule, dstackFacts } from './dstack-rules.ts'
import type { DstackEntry } from './dstack.ts'
import { PLACES, readLogs, type ReadLog } from './read-logs.ts'
import { replayRegisters, type Register, type RegisterNumber } from './replay-registers.ts'

/** The logs that came with a quote, and what they are held against. */
export type EventLogInput = {
  /** CCEL: TCG2 crypto-agile format. */
  readonly eventLog: Uint8Array | undefined
  /** Runtime events as JSON, as dstack keeps them. */
  readonly runtimeLog: Uint8Array | undefined
  /** RTMR0 to 3 of the quote, 48 bytes each. */
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  /** The registers that must replay; events of the others stay untrusted when theirs does not. */
  readonly replayedRtmrs: readonly RegisterNumber[]
}

/** TDX-83 to 86, and what the logs prove; `claims` are null without a log and where one of these checks failed. */
export type EventLogJudgement = { readonly checks: readonly Check[]; readonly claims: EventLogClaims | null }

const PARSES = {
  id: 'TDX-83',
  title: 'Event logs follow their format',
  expected: 'logs that are read to their end',
  code: 'tdx-event-log-malformed',
} as const
const REPLAYS = {
  id: 'TDX-84',
  title: 'Event logs lead to the registers of the quote',
  expected: 'the values of the quote, by one SHA-384 digest for each event',
  code: 'tdx-event-log-replay-mismatch',
} as const
const DIGESTS = {
  id: 'TDX-85',
  title: 'Digests are those of the data, where the data determine them',
  expected: 'the SHA-384 digest of the data',
  code: 'tdx-event-digest-mismatch',
} as const
const DSTACK = {
  id: 'TDX-86',
  title: 'Runtime events of dstack keep their rules',
  expected: 'every name of the system once, in its phase, with the digest of name and payload',
  code: 'tdx-dstack-event-log-invalid',
} as const

/** Judges the logs that came with a quote (specification tdx.md section 8). Never throws. */
export function judgeEventLogs(input: EventLogInput): EventLogJudgement {
  const rules = [PARSES, REPLAYS, DIGESTS, DSTACK]
  const logs = attempt(() => readLogs(input))
  if (logs instanceof AttestationError) {
    const [first, ...rest] = [failed(PARSES, logs.message), ...rules.slice(1).map((rule) => skipped(rule, 'the log cannot be read'))]
    return { checks: [first, ...rest], claims: null }
  }
  if (logs.length === 0) return { checks: rules.map((rule) => skipped(rule, 'no log was sent')), claims: null }
  return judge(logs, input)
}

function judge(logs: readonly ReadLog[], input: EventLogInput): EventLogJudgement {
  const registers = replayRegisters(logs, input.rtmrs)
  const entries = logs.find(({ kind }) => kind === 'dstack')?.entries
  const checks = [
    passed(PARSES, logs.map(({ kind, count }) => `${kind}: ${count} events`).join(', ')),
    replayCheck(registers, input.replayedRtmrs),
    digestCheck(logs),
    entries === undefined ? skipped(DSTACK, 'no runtime log was sent') : dstackCheck(entries),
  ]
  const refused = checks.some(({ outcome }) => outcome === 'fail')
  return { checks, claims: refused ? null : claimsOf(logs, registers) }
}

const names = (registers: readonly Register[]): string => registers.map(({ register }) => `RTMR${register}`).join(', ')

function replayCheck(registers: readonly Register[], required: readonly RegisterNumber[]): Check {
  const departed = registers.filter(({ departure }) => departure !== undefined)
  const first = departed.find(({ register }) => required.includes(register))
  if (first?.departure !== undefined) return failed(REPLAYS, first.departure)
  const replayed = names(registers.filter(({ departure }) => departure === undefined))
  const others = departed.length === 0 ? '' : `; not asked and not trusted: ${names(departed)}`
  return passed(REPLAYS, `${replayed === '' ? 'no register' : replayed}${others}`)
}

function digestCheck(logs: readonly ReadLog[]): Check {
  const lies = logs.flatMap(({ kind, events }) => events.filter(({ mismatch }) => mismatch).map((event) => ({ kind, event })))
  const first = lies[0]
  if (first === undefined) return passed(DIGESTS, 'every digest of such an event is')
  const { kind, event } = first
  const type = `type 0x${event.type.toString(16)}`
  return failed(DIGESTS, `${kind} event ${event.number} (${type}, RTMR${event.register}) has another digest than its data`)
}

function dstackCheck(entries: readonly DstackEntry[]): Check {
  const broken = brokenRule(entries)
  return broken === undefined ? passed(DSTACK, `${entries.length} events keep them`) : failed(DSTACK, broken)
}

/** null where no event replays: a log without events leads to registers that nothing was measured into, and proves as much. */
function claimsOf(logs: readonly ReadLog[], registers: readonly Register[]): EventLogClaims | null {
  const replayed = registers.filter(({ departure }) => departure === undefined).map(({ register }) => register)
  const events = replayed.flatMap((register) => eventsOf(logs, register))
  if (events.length === 0) return null
  return {
    source: sourceOf(logs.filter((log) => log.events.some(({ register }) => replayed.some((other) => other === register)))),
    events: logs.reduce((sum, { count }) => sum + count, 0),
    replayed,
    facts: bootFacts({ events, hash: 'sha384' }, PLACES),
    dstack: replayed.includes(3) ? runtimeFacts(logs) : null,
  }
}

/** A log that tells of no register that replays proves nothing, so it is no source. */
const sourceOf = (telling: readonly ReadLog[]): EventLogClaims['source'] =>
  telling.length === 2 ? 'ccel+dstack' : (telling[0]?.kind ?? 'ccel')

/** Where two logs tell of one replayed register, both lead to it, so they tell the same digests; the CCEL holds more data and is the first. */
const eventsOf = (logs: readonly ReadLog[], register: RegisterNumber): readonly Judged[] =>
  logs.map((log) => log.events.filter((event) => event.register === register)).find((events) => events.length > 0) ?? []

function runtimeFacts(logs: readonly ReadLog[]): DstackFacts | null {
  const entries = logs.flatMap((log) => log.entries ?? []).filter(({ imr }) => imr === 3)
  return entries.length === 0 ? null : dstackFacts(entries)
}
