import { failed, passed, skipped } from '../../checks.ts'
import { attempt } from '../../der-attempt.ts'
import { parseTcg2, type Tcg2Log } from '../../event-log/tcg2.ts'
import { AttestationError } from '../../problems.ts'
import type { Check } from '../../verifier.ts'
import type { PcrBank } from '../claims.ts'
import type { Pause, TpmRigour } from '../context.ts'
import type { BootClaims } from './claims.ts'
import { judgeContents } from './judge-contents.ts'
import { bankOf, byPcr, HOST_LOG, startupLocality } from './log.ts'
import { replayPcrs, type Departure, type Replayed } from './replay-pcrs.ts'
import { BANK, COMPLETE, DIGESTS, GRUB, LOCALITY, PARSES, REPLAYS, SECURE_BOOT, SEPARATORS_HOLD } from './rows.ts'

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

const ALL = [PARSES, BANK, LOCALITY, REPLAYS, COMPLETE, SEPARATORS_HOLD, DIGESTS, SECURE_BOOT, GRUB]

/** Checks that were made, with the rest skipped: what is behind a log that cannot be held against the quote means nothing. */
const ended = (checks: readonly Check[], why: string): BootJudgement => ({
  checks: [...checks, ...ALL.slice(checks.length).map((row) => skipped(row, why))],
  claims: null,
})

/** Judges the event log that came with a quote (specification tpm.md sections 9 to 11). Never throws. */
export function judgeBoot(input: BootInput): BootJudgement {
  const steps = judging(input)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same, with others at work between its steps: the longest log takes longer than a hundred quotes. */
export async function judgeBootInTurns(input: BootInput, pause: Pause | undefined): Promise<BootJudgement> {
  const steps = judging(input)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await pause?.()
  }
}

/** In steps that each take about as long: reading, replay, what the events say. */
type Steps = Generator<undefined, BootJudgement, undefined>

function* judging(input: BootInput): Steps {
  const log = attempt(() => parseTcg2(input.eventLog, HOST_LOG))
  if (log instanceof AttestationError) return ended([failed(PARSES, log.message)], 'the log cannot be read')
  yield
  const read = passed(PARSES, `${log.events.length} events`)
  const banks = [...log.algorithms.keys()]
  if (!banks.includes(bankOf(input.bank).algorithm))
    return ended([read, failed(BANK, `no digests of ${input.bank}`)], 'the log is of other banks')
  const locality = startupLocality(log)
  const before = [read, passed(BANK, input.bank)]
  if (typeof locality === 'string') return ended([...before, failed(LOCALITY, locality)], 'what PCR 0 starts with is not known')
  return yield* judgeReplay({ input, log, locality }, [...before, passed(LOCALITY, `locality ${locality}`)])
}

type Readable = { readonly input: BootInput; readonly log: Tcg2Log; readonly locality: number }

function* judgeReplay({ input, log, locality }: Readable, before: readonly Check[]): Steps {
  const { bank, pcrs, rigour } = input
  const events = byPcr(log, bank)
  const required = rigour.replayedPcrs
  const replayed = replayPcrs({ bank, pcrs, events, locality, workaround: rigour.exitBootServicesWorkaround, required })
  const departed = replayed.departures.filter(({ pcr }) => required.includes(pcr))
  const [wrong, untold] = (['mismatch', 'incomplete'] as const).map((kind) => departed.filter((departure) => departure.kind === kind))
  const checks = [...before, departureCheck(REPLAYS, wrong ?? [], replayed), departureCheck(COMPLETE, untold ?? [], replayed)]
  if (departed.length > 0) return ended(checks, 'the log does not lead to the quote')
  yield
  const contents = judgeContents({ bank, rigour, log, events, replayed, locality })
  return { checks: [...checks, ...contents.checks], claims: contents.claims }
}

const names = (pcrs: readonly number[]): string => (pcrs.length === 0 ? 'no PCR' : `PCR ${pcrs.join(', ')}`)

function departureCheck(row: typeof REPLAYS | typeof COMPLETE, wrong: readonly Departure[], { pcrs, departures, added }: Replayed): Check {
  if (wrong.length > 0) return failed(row, `${names(wrong.map(({ pcr }) => pcr))}: ${wrong.map(({ why }) => why).join('; ')}`)
  const others = departures.map(({ pcr }) => pcr)
  const untrusted = others.length === 0 ? '' : `; not asked and not trusted: ${names(others)}`
  const handover = added.length === 0 ? '' : `; PCR 5 with ${added.length} events of ExitBootServices that the log lacks`
  return passed(row, `${names(pcrs)}${handover}${untrusted}`)
}
