import type { TpmEvidence } from '../src/verifiers/verifier.ts'
import { allPcrs, bootLog, HOST, type Event } from './boot-log.ts'
import type { TpmExhibit } from './tpm-judged.ts'
import { testEvidence } from './tpm-quotes.ts'

/** What a host quotes and sends beside it; registers that are left out are those that the events of the log lead to. */
export type Shown = {
  readonly events?: readonly Event[]
  /** Bytes in place of the log of the events; `none`: no log. */
  readonly log?: Uint8Array | 'none'
  /** Registers of SHA-256, all of which are quoted. */
  readonly registers?: ReadonlyMap<number, Uint8Array>
  readonly imaLog?: Uint8Array
}

/** Evidence of a host: a quote of its registers, and its log. */
function hostEvidence({ events = HOST, log = bootLog(events), registers = allPcrs(events), imaLog }: Shown = {}): TpmEvidence {
  const pcrs = [...registers.keys()]
  const values = { sha256: Object.fromEntries([...registers].map(([pcr, value]) => [String(pcr), value])) }
  return {
    ...testEvidence([{ selections: [{ bank: 'sha256', pcrs }], values }]),
    ...(log === 'none' ? {} : { eventLog: log }),
    ...(imaLog === undefined ? {} : { imaLog }),
  }
}

/** The question about such a host, under these members of the policy. */
export const hostExhibit = (shown: Shown, policy: NonNullable<TpmExhibit['policy']> = {}): TpmExhibit => ({
  evidence: hostEvidence(shown),
  policy,
})
