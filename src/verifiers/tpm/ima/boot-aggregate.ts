import { hash } from 'node:crypto'
import type { PcrBank } from '../claims.ts'
import type { BootAggregate } from './claims.ts'
import type { ImaEntry } from './entry.ts'

/** Every bank that was quoted and verified. */
export type QuotedBanks = ReadonlyMap<PcrBank, ReadonlyMap<number, Uint8Array>>

/** Name of the entry that ties a list to the boot before it. */
export const BOOT_AGGREGATE = 'boot_aggregate'

/** The PCRs that kernels take the digest of: since 5.8 two more than before (specification tpm.md section 12.4). */
const SPANS = [
  ['0-9', 10],
  ['0-7', 8],
] as const

/** Which PCRs the entry's digest is that of; `different`, or `not-quoted` where too few PCRs of its bank were quoted to tell. */
export function bootAggregateOf({ digest }: ImaEntry, banks: QuotedBanks): NonNullable<BootAggregate> | 'different' | 'not-quoted' {
  const bank = bankOf(digest.algorithm, banks)
  const spans = SPANS.flatMap(([name, count]) => {
    const values = bank === undefined ? undefined : firstOf(bank, count)
    return values === undefined ? [] : [{ name, expected: hash(digest.algorithm, values, 'buffer') }]
  })
  if (spans.length === 0) return 'not-quoted'
  return spans.find(({ expected }) => expected.equals(digest.bytes))?.name ?? 'different'
}

const bankOf = (algorithm: string, banks: QuotedBanks): ReadonlyMap<number, Uint8Array> | undefined =>
  [...banks].find(([name]) => name === algorithm)?.[1]

/** The first `count` PCRs one after the other; undefined where one of them was not quoted. */
function firstOf(bank: ReadonlyMap<number, Uint8Array>, count: number): Buffer | undefined {
  const values = Array.from({ length: count }, (_, i) => bank.get(i)).filter((value) => value !== undefined)
  return values.length === count ? Buffer.concat(values) : undefined
}
