import { failed, passed, skipped } from '../../checks.ts'
import type { ProblemCode } from '../../problems.ts'
import type { Check } from '../../verifier.ts'
import type { PcrBank } from '../claims.ts'
import type { ImaState, Pause, QuoteClock } from '../context.ts'
import type { QuotedBanks } from './boot-aggregate.ts'
import type { ImaClaims } from './claims.ts'
import { continuityOf } from './continuity.ts'
import { Evaluation } from './evaluation.ts'
import type { ImaOutcomes } from './outcomes.ts'
import type { Padding } from './register.ts'
import { replay, type Replayed } from './replay.ts'
import type { ImaRules } from './rules.ts'

/** An IMA list, and all that it is judged by. */
export type ImaInput = {
  readonly imaLog: Uint8Array | AsyncIterable<Uint8Array>
  readonly rules: ImaRules
  /** The bank that is relied on, and its verified values. */
  readonly bank: PcrBank
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  readonly quotedBanks: QuotedBanks
  /** Lower-case hex; null where the key's public area was not seen: nothing can be continued then. */
  readonly akName: string | null
  readonly clock: QuoteClock
  readonly state: ImaState | undefined
  readonly now: Date
  readonly pause?: Pause | undefined
}

/** What became of it. Claims exist only where TPM-61 to 63 and 69 passed; a state only beside claims. */
export type ImaJudgement = { readonly checks: readonly Check[]; readonly claims: ImaClaims | null; readonly state?: ImaState }

type Row = { readonly id: string; readonly title: string; readonly code: ProblemCode; readonly expected: string }

const CONTINUED: Row = {
  id: 'TPM-69',
  title: 'The state continues the list of this boot',
  code: 'tpm-ima-state-stale',
  expected: 'the key, bank and boot of the state, within a day of the whole list',
}
const PARSES: Row = {
  id: 'TPM-61',
  title: 'The IMA list follows its format',
  code: 'tpm-ima-malformed',
  expected: 'entries of PCR 10 in ASCII or binary',
}
const HASHES: Row = {
  id: 'TPM-62',
  title: 'Every entry has the hash of its data',
  code: 'tpm-ima-template-hash-mismatch',
  expected: 'the hash of the template data',
}
const REPLAYS: Row = {
  id: 'TPM-63',
  title: 'A beginning of the list leads to PCR 10',
  code: 'tpm-ima-replay-mismatch',
  expected: 'the quoted value of PCR 10, behind one entry or more',
}

/** The checks of a list in the order in which they are answered, by the failure that ends them. */
const ROWS = [
  [PARSES, 'malformed'],
  [HASHES, 'template-hash'],
  [REPLAYS, 'no-match'],
] as const

/** The register that the kernel extends. */
const PCR = 10

/** Judges an IMA list against PCR 10 (specification tpm.md section 12, TPM-61 to 63 and 69). Rejects only with what reading the list throws. */
export async function judgeIma(input: ImaInput): Promise<ImaJudgement> {
  const continued = continuityCheck(input)
  if (continued.outcome === 'fail') return refusedBy(continued)
  const quoted = input.pcrs.get(PCR)
  if (quoted === undefined) return refusedBy(failed({ ...REPLAYS, code: 'tpm-pcr-not-quoted' }, 'PCR 10 is not quoted'), continued)
  return judgeList(input, quoted, continued)
}

async function judgeList(input: ImaInput, quoted: Uint8Array, continued: Check): Promise<ImaJudgement> {
  const { imaLog: list, bank, rules, quotedBanks: banks, state: before, pause = nobodyWaits } = input
  const evaluation = new Evaluation({ rules, banks, before: before?.outcomes })
  const replayed = await replay({ list, bank, quoted, paddings: paddingsOf(input), before, evaluation, pause })
  const checks = [...checksOf(replayed), continued]
  if ('failure' in replayed) return { checks, claims: null }
  return { checks, ...proven(replayed, evaluation.outcomes(replayed.padding === 'legacy'), input) }
}

const nobodyWaits: Pause = () => undefined

function continuityCheck({ state, ...input }: ImaInput): Check {
  if (state === undefined) return skipped(CONTINUED, 'the whole list is here')
  const continuity = continuityOf({ ...input, state })
  if (continuity === 'stale') return failed(CONTINUED, 'another, or an older one')
  if (continuity === 'regressed') return failed({ ...CONTINUED, code: 'tpm-ima-state-regressed' }, 'a quote from before the state')
  return passed(CONTINUED, `${state.entries} entries before`)
}

const refusedBy = (...checks: readonly Check[]): ImaJudgement => ({ checks, claims: null })

/** Which way the kernel extends does not change within a boot. */
function paddingsOf({ bank, rules, state }: ImaInput): readonly Padding[] {
  if (state !== undefined) return [state.outcomes.legacyPadding ? 'legacy' : 'own-hash']
  return bank !== 'sha1' && rules.legacyPadding === 'allow' ? ['own-hash', 'legacy'] : ['own-hash']
}

function checksOf(replayed: Replayed): readonly Check[] {
  const failure = 'failure' in replayed ? replayed.failure : undefined
  const end = ROWS.findIndex(([, ends]) => ends === failure)
  return ROWS.slice(0, end < 0 ? ROWS.length : end + 1).map(([row, ends]) =>
    'failure' in replayed && ends === failure ? failed(row, replayed.why) : passed(row, actualOf(replayed)),
  )
}

const actualOf = (replayed: Replayed): string => `${'failure' in replayed ? replayed.entries : replayed.attested} entries`

type Attested = Exclude<Replayed, { readonly failure: unknown }>

function proven(
  { attested, unattested, value }: Attested,
  outcomes: ImaOutcomes,
  { akName, bank, clock, state, now }: ImaInput,
): Omit<ImaJudgement, 'checks'> {
  const wholeListAt = state?.wholeListAt ?? now
  const claims: ImaClaims = {
    attested_entries: attested,
    unattested_entries: unattested,
    value: value.toString('hex'),
    boot_aggregate: outcomes.bootAggregate,
    boot_aggregate_verified: outcomes.bootAggregate !== null,
    violations: outcomes.faults.violation?.count ?? 0,
    accepted: outcomes.accepted,
    faults: outcomes.faults,
    legacy_padding: outcomes.legacyPadding,
    continued: state !== undefined,
    whole_list_at: wholeListAt.toISOString(),
  }
  if (akName === null) return { claims }
  return { claims, state: { akName, bank, clock, entries: attested, value, wholeListAt, outcomes } }
}
