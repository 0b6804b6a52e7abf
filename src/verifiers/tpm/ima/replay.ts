import type { PcrBank } from '../claims.ts'
import type { Pause } from '../context.ts'
import { hasItsHash } from './entry.ts'
import type { Evaluation } from './evaluation.ts'
import { ImaList } from './list.ts'
import { isMalformedList } from './malformed.ts'
import { Register, type Padding } from './register.ts'

/** A list, and the value of PCR 10 that its beginning must lead to. */
export type Replay = {
  readonly list: Uint8Array | AsyncIterable<Uint8Array>
  readonly bank: PcrBank
  readonly quoted: Uint8Array
  readonly paddings: readonly Padding[]
  /** Entries that were seen before, and the value behind them. */
  readonly before: { readonly entries: number; readonly value: Uint8Array } | undefined
  readonly evaluation: Evaluation
  readonly pause: Pause
}

/** The beginning of a list that leads to PCR 10, or why there is none; `entries` are those read. */
export type Replayed =
  | { readonly attested: number; readonly unattested: number; readonly value: Buffer; readonly padding: Padding }
  | { readonly failure: 'malformed' | 'template-hash' | 'no-match'; readonly why: string; readonly entries: number }

/** Entries are evaluated as they come, and no further than PCR 10 tells of them (specification tpm.md section 12.4). Rejects with what reading the list throws. */
export async function replay(input: Replay): Promise<Replayed> {
  const list = new ImaList(input.list, input.before?.entries ?? 0)
  try {
    return await follow(list, input)
  } finally {
    await list.close()
  }
}

async function follow(list: ImaList, input: Replay): Promise<Replayed> {
  const { bank, before, pause } = input
  const registers = input.paddings.map((padding) => new Register(bank, padding, before?.value))
  const progress = { entries: before?.entries ?? 0 }
  try {
    // Where an earlier appraisal ended, the quote may end, too: nothing ran since.
    const found = before === undefined ? undefined : matching(registers, input.quoted)
    const outcome = found ?? (await search(list, registers, { input, progress }))
    if (!(outcome instanceof Register)) return { failure: outcome.failure, why: outcome.why, entries: progress.entries }
    const { value, padding } = outcome
    return { attested: progress.entries, unattested: await list.countRest(pause), value, padding }
  } catch (error) {
    if (!isMalformedList(error)) throw error
    return { failure: 'malformed', why: error.message, entries: progress.entries }
  }
}

type Search = { readonly input: Replay; readonly progress: { entries: number } }
type Missed = { readonly failure: 'template-hash' | 'no-match'; readonly why: string }

async function search(list: ImaList, registers: readonly Register[], { input, progress }: Search): Promise<Register | Missed> {
  for (;;) {
    const entry = await list.next()
    if (entry === undefined) return { failure: 'no-match', why: `${progress.entries} entries` }
    if (!hasItsHash(entry)) return { failure: 'template-hash', why: `entry ${entry.number} has another` }
    for (const register of registers) register.extend(entry)
    input.evaluation.take(entry)
    progress.entries = entry.number
    const found = matching(registers, input.quoted)
    if (found !== undefined) return found
    const others = input.pause()
    if (others !== undefined) await others
  }
}

const matching = (registers: readonly Register[], quoted: Uint8Array): Register | undefined =>
  registers.find((register) => register.equals(quoted))
