import { judge, notAsked, type Question } from '../check.ts'
import type { EventLogClaims } from '../../verifiers/event-log/claims.ts'
import { asked, type TdxRule } from './rule.ts'

type Kind = 'ccel' | 'dstack'

/** Which logs a policy may ask for, and where they are sent. */
const LOGS: readonly { readonly kind: Kind; readonly question: Question }[] = [
  {
    kind: 'ccel',
    question: asked('TDX-83', 'An event log of the boot came with the quote', ['tdx-event-log-required', 'tdx.event_log.ccel']),
  },
  {
    kind: 'dstack',
    question: asked('TDX-83', 'A log of runtime events came with the quote', ['tdx-event-log-required', 'tdx.event_log.dstack']),
  },
]

const holds = (log: EventLogClaims | null, kind: Kind): boolean => log !== null && log.source.split('+').includes(kind)

/** The policy’s part of TDX-83. Only a log that passed TDX-83 to TDX-86 is in the claims. */
export const requiredLogs: TdxRule = ({ claims: { event_log: log }, policy }) =>
  LOGS.map(({ kind, question }) => {
    const actual = log?.source ?? 'no log'
    return policy.event_log[kind] === 'any' ? notAsked(question, actual) : judge(question, holds(log, kind), { actual, expected: kind })
  })

const REPLAYED = asked('TDX-84', 'The logs replay to every register that the policy names', [
  'tdx-event-log-replay-mismatch',
  'tdx.event_log.replayed_rtmrs',
])

/** The policy’s part of TDX-84, asked of whoever sends a log. */
export const replayedRegisters: TdxRule = ({ claims: { event_log: log }, policy: { event_log: policy } }) => {
  if (log === null) return [notAsked(REPLAYED, 'no log')]
  const complete = policy.replayed_rtmrs.every((register) => log.replayed.includes(register))
  return [judge(REPLAYED, complete, { actual: log.replayed.join(', '), expected: policy.replayed_rtmrs.join(', ') })]
}

/** Title of the question about Secure Boot. */
export const SECURE_BOOT_TITLE = 'A replayed log proves that Secure Boot was on'

const SECURE_BOOT = asked('BOOT', SECURE_BOOT_TITLE, ['tdx-secure-boot-required', 'tdx.event_log.secure_boot'])

const STATES = new Map([
  [true, 'on'],
  [false, 'off'],
  [null, 'not proven'],
])

/** Secure Boot, which only an event log can tell of a TD (section 8.1). */
export const secureBoot: TdxRule = ({ claims: { event_log: log }, policy: { event_log: policy } }) => {
  const state = log?.facts.secure_boot ?? null
  const actual = STATES.get(state) ?? 'not proven'
  return [policy.secure_boot === 'any' ? notAsked(SECURE_BOOT, actual) : judge(SECURE_BOOT, state === true, { actual, expected: 'on' })]
}
