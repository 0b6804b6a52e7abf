import { failed, skipped } from '../checks.ts'
import type { EventLogClaims } from '../event-log/claims.ts'
import type { Check } from '../verifier.ts'

/** The logs that came with a quote, and what they are held against. */
export type EventLogInput = {
  /** CCEL: TCG2 crypto-agile format. */
  readonly eventLog: Uint8Array | undefined
  /** Runtime events as JSON, as dstack keeps them. */
  readonly runtimeLog: Uint8Array | undefined
  /** RTMR0 to 3 of the quote, 48 bytes each. */
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  /** The registers that must replay; events of the others stay untrusted when theirs does not. */
  readonly replayedRtmrs: readonly (0 | 1 | 2 | 3)[]
}

/** TDX-83 to 86, and what the logs prove; `claims` are null without a log and where one of these checks failed. */
export type EventLogJudgement = { readonly checks: readonly Check[]; readonly claims: EventLogClaims | null }

const PARSES = { id: 'TDX-83', title: 'Event logs follow their format', expected: 'no event log', code: 'tdx-event-log-malformed' } as const

/** Judges the logs that came with a quote (specification tdx.md section 8). Never throws. */
export function judgeEventLogs(input: EventLogInput): EventLogJudgement {
  const sent = input.eventLog !== undefined || input.runtimeLog !== undefined
  return { checks: [sent ? failed(PARSES, 'a log') : skipped(PARSES, 'no log was sent')], claims: null }
}
