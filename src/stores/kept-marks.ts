import type { Telemetry } from '../telemetry/log.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { readIfThere, writeAtomic } from './atomic.ts'
import { covers, decodeMarks, encodeMarks, type KnownMark, type MarkTable, mergedMarks } from './marks.ts'
import { openRecord, sealRecord } from './record.ts'
import type { StoreKeys } from './stores.ts'

/** The name in the seal of the table of marks: one table, one record, so that no mark can be left out of it. */
export const MARKS = { purpose: 'marks', name: 'collateral' } as const

/** Marks in memory with a file behind them. */
export type KeptMarks = {
  readonly get: (address: CollateralAddress) => RollbackMark | undefined
  /** The whole table; empty when it is unreadable. */
  readonly table: () => MarkTable
  readonly advance: (address: CollateralAddress, mark: KnownMark) => Promise<void>
  readonly merge: (table: MarkTable) => Promise<void>
}

type Options = { readonly path: string; readonly keys: StoreKeys; readonly log: Telemetry }

/** Marks that live only as long as this process. */
export function memoryMarks(): KeptMarks {
  let table: MarkTable = new Map()
  const merge = async (other: MarkTable): Promise<void> => {
    table = mergedMarks(table, other)
  }
  return { get: (address) => table.get(address), table: () => table, merge, advance: (address, mark) => merge(new Map([[address, mark]])) }
}

/** Reads the table of a data folder. A table that cannot be believed makes every mark the strictest, until an operator removes the file. */
export async function keptMarks({ path, keys, log }: Options): Promise<KeptMarks> {
  const first = await load({ path, keys, log })
  if (first === 'strictest') return { get: () => 'strictest', table: () => new Map(), advance: async () => {}, merge: async () => {} }
  let { table, counter } = first
  let saved = table
  let writing: Promise<void> = Promise.resolve()
  const write = async (): Promise<void> => {
    const written = table
    counter += 1
    await writeAtomic(path, sealRecord(keys, { ...MARKS, counter, value: encodeMarks(written) }))
    saved = written
  }
  const merge = async (other: MarkTable): Promise<void> => {
    table = mergedMarks(table, other)
    if (covers(saved, other)) return
    // One writer at a time; a failed write does not stop the next, which writes the whole table.
    writing = writing.catch(() => undefined).then(write)
    await writing
  }
  return {
    get: (address) => table.get(address),
    table: () => table,
    merge,
    advance: (address, mark) => merge(new Map([[address, mark]])),
  }
}

async function load({ path, keys, log }: Options): Promise<{ table: MarkTable; counter: number } | 'strictest'> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return { table: new Map(), counter: 0 }
  const record = openRecord(keys, MARKS, bytes)
  const table = record === 'forged' ? undefined : decodeMarks(record.value)
  if (record !== 'forged' && table !== undefined) return { table, counter: record.counter }
  log.error(
    { alarm: 'marks-forged', path },
    'the rollback marks were changed by somebody else: every revocation list counts as rolled back',
  )
  return 'strictest'
}
