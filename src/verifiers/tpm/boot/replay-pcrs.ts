import { digestOf } from '../../event-log/digests.ts'
import { replay, type Extension } from '../../event-log/replay.ts'
import type { PcrBank } from '../claims.ts'
import { PCR_BYTES } from './log.ts'
import { extend, PHASE_PATHS } from './phases.ts'

/** A log's events held against a quote. */
export type Replaying = {
  readonly bank: PcrBank
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  readonly events: ReadonlyMap<number, readonly Extension[]>
  readonly locality: number
  readonly workaround: 'allow' | 'refuse'
  /** PCRs that must replay. */
  readonly required: readonly number[]
}

/** A PCR that the log does not lead to. `kind`: whether it has events, or was extended by something that the log does not tell. */
export type Departure = { readonly pcr: number; readonly kind: 'mismatch' | 'incomplete'; readonly why: string }

/** How the quoted PCRs compare with the log. */
export type Replayed = {
  /** PCRs that the log leads to, ascending. */
  readonly pcrs: readonly number[]
  readonly departures: readonly Departure[]
  /** Events of PCR 5 that the log lacks, in order, where it needed them. */
  readonly added: readonly string[]
  /** Phases of systemd's boot behind the events of PCR 11, where the log needed them. */
  readonly phases: readonly string[]
}

/** What firmware measures of ExitBootServices. */
export const INVOCATION = 'Exit Boot Services Invocation'
const SUCCESS = 'Exit Boot Services Returned with Success'
const FAILURE = 'Exit Boot Services Returned with Failure'
/** What logs lack that were read before the firmware handed over (specification tpm.md section 9.4). */
const HANDOVERS: readonly (readonly string[])[] = [
  [INVOCATION, SUCCESS],
  [INVOCATION, FAILURE],
  [INVOCATION, FAILURE, SUCCESS],
]

/** PCRs of dynamic roots of trust start with ones, all others with zeros; PCR 0 with the locality of the startup behind. */
function startOf(pcr: number, { bank, locality }: Replaying): Uint8Array {
  if (pcr >= 17 && pcr <= 22) return new Uint8Array(PCR_BYTES[bank]).fill(0xff)
  const zeros = new Uint8Array(PCR_BYTES[bank])
  return pcr === 0 ? zeros.with(zeros.length - 1, locality) : zeros
}

/** Replays every PCR of the quote (section 9.4). */
export function replayPcrs(input: Replaying): Replayed {
  const strict = [...input.pcrs.keys()].toSorted((a, b) => a - b).map((pcr) => ({ pcr, departure: departureOf(pcr, input) }))
  const handover = missingHandover(strict, input)
  const phases = phasesBehind(input)
  const forgiven = (pcr: number): boolean => (pcr === 5 && handover !== undefined) || (pcr === 11 && phases !== undefined)
  return {
    pcrs: strict.filter(({ pcr, departure }) => departure === undefined || forgiven(pcr)).map(({ pcr }) => pcr),
    departures: strict.flatMap(({ pcr, departure }) => (departure === undefined || forgiven(pcr) ? [] : [departure])),
    added: handover ?? [],
    phases: phases ?? [],
  }
}

const valueOf = (pcr: number, { pcrs }: Replaying): Uint8Array => pcrs.get(pcr) ?? new Uint8Array()

function departureOf(pcr: number, input: Replaying): Departure | undefined {
  const [start, end] = [startOf(pcr, input), valueOf(pcr, input)]
  const own = input.events.get(pcr) ?? []
  const replayed = replay(own, input.bank, { register: pcr, start, end })
  if (replayed.holds) return undefined
  if (own.length === 0) return { pcr, kind: 'incomplete', why: `PCR ${pcr} is ${hex(end)}, but no event extends it` }
  const where = replayed.surplus === undefined ? '' : `; what is before event ${replayed.surplus} leads to it`
  return { pcr, kind: 'mismatch', why: `PCR ${pcr} is ${hex(end)}, ${own.length} events lead to ${hex(replayed.value)}${where}` }
}

/** Tried where, of PCR 5 and those that must replay, PCR 5 alone does not. */
function missingHandover(
  all: readonly { readonly pcr: number; readonly departure: Departure | undefined }[],
  input: Replaying,
): readonly string[] | undefined {
  const asked = [5, ...input.required]
  const departed = all.filter(({ pcr, departure }) => departure !== undefined && asked.includes(pcr)).map(({ pcr }) => pcr)
  if (input.workaround === 'refuse' || departed.length !== 1 || departed[0] !== 5 || !input.events.has(5)) return undefined
  return HANDOVERS.find((texts) => leadsTo(5, texts, input))
}

/** systemd extends PCR 11 long after the firmware's log has ended (section 11); the quote shows which phases there were. */
const phasesBehind = (input: Replaying): readonly string[] | undefined =>
  input.events.has(11) && input.pcrs.has(11) ? PHASE_PATHS.find((phases) => leadsTo(11, phases, input)) : undefined

/** Whether the events of a PCR lead to its value with digests of texts behind them. */
function leadsTo(pcr: number, texts: readonly string[], input: Replaying): boolean {
  const digests = (input.events.get(pcr) ?? []).map(({ digest }) => digest)
  const behind = texts.map((text) => digestOf(Buffer.from(text), input.bank))
  return Buffer.compare(extend(startOf(pcr, input), [...digests, ...behind], input.bank), valueOf(pcr, input)) === 0
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
