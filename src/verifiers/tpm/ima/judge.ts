import type { PcrBank } from '../claims.ts'
import type { ImaState, QuoteClock } from '../context.ts'
import type { Check } from '../../verifier.ts'
import type { ImaClaims } from './claims.ts'
import type { ImaRules } from './rules.ts'

/** An IMA list, and all that it is judged by. */
export type ImaInput = {
  readonly imaLog: Uint8Array | AsyncIterable<Uint8Array>
  readonly rules: ImaRules
  /** The bank that is relied on, and its verified values. */
  readonly bank: PcrBank
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  /** Every bank that was quoted and verified. */
  readonly quotedBanks: ReadonlyMap<PcrBank, ReadonlyMap<number, Uint8Array>>
  /** Lower-case hex; null where the key's public area was not seen: nothing can be continued then. */
  readonly akName: string | null
  readonly clock: QuoteClock
  readonly state: ImaState | undefined
  readonly now: Date
  /** Lets others work between two portions of a long list. */
  readonly pause?: (() => Promise<void>) | undefined
}

/** What became of it. Claims exist only where TPM-61 to 63 and 69 passed; a state only beside claims. */
export type ImaJudgement = { readonly checks: readonly Check[]; readonly claims: ImaClaims | null; readonly state?: ImaState }

/** Judges an IMA list against PCR 10 (specification tpm.md section 12, TPM-61 to 63 and 69). Throws only what reading the list throws. */
export async function judgeIma(_input: ImaInput): Promise<ImaJudgement> {
  return { checks: [], claims: null }
}
