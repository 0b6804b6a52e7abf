import { failed } from '../../checks.ts'
import type { Check } from '../../verifier.ts'
import type { PcrBank } from '../claims.ts'
import type { TpmRigour } from '../context.ts'
import type { BootClaims } from './claims.ts'

/** An event log, and the quote that it is held against. */
export type BootInput = {
  readonly eventLog: Uint8Array
  /** The bank that is relied on, and its quoted PCRs by index. */
  readonly bank: PcrBank
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  readonly rigour: TpmRigour
}

/** TPM-43 to 50 and 56, and what the log proves; `claims` are null where one of these checks failed. */
export type BootJudgement = { readonly checks: readonly Check[]; readonly claims: BootClaims | null }

const PARSES = {
  id: 'TPM-43',
  title: 'The event log follows its format',
  expected: 'a log that is read to its end',
  code: 'tpm-eventlog-malformed',
} as const

/** Judges the event log that came with a quote (specification tpm.md sections 9 to 11). Never throws. */
export const judgeBoot = (input: BootInput): BootJudgement => ({
  checks: [failed(PARSES, `${input.eventLog.length} bytes, which nothing reads yet`)],
  claims: null,
})
