import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'

/** A mark that could be read: where a list stands in its vendor's sequence. */
export type KnownMark = Exclude<RollbackMark, 'strictest'>
/** All marks of a store; few, because only documents that vendors replace have one: lists, and status documents of families of platforms. */
export type MarkTable = ReadonlyMap<CollateralAddress, KnownMark>

/** The higher of two marks, by number and by date separately, so that neither can ever go back. */
export const higherMark = (a: KnownMark, b: KnownMark): KnownMark => ({
  number: a.number > b.number ? a.number : b.number,
  thisUpdate: a.thisUpdate > b.thisUpdate ? a.thisUpdate : b.thisUpdate,
})

/** Whether a document with this mark is older, in either respect, than what was seen before. */
export const isOlder = (candidate: KnownMark, seen: KnownMark): boolean =>
  candidate.number < seen.number || candidate.thisUpdate < seen.thisUpdate

/** A copy of the table with one mark advanced. */
export function advanced(table: MarkTable, address: CollateralAddress, mark: KnownMark): MarkTable {
  const seen = table.get(address)
  return new Map(table).set(address, seen === undefined ? mark : higherMark(seen, mark))
}

/** Both tables in one, the higher mark of each address. */
export const mergedMarks = (a: MarkTable, b: MarkTable): MarkTable =>
  [...b].reduce<MarkTable>((table, [address, mark]) => advanced(table, address, mark), a)

/** Whether `a` holds every mark of `b` at least as high. */
export const covers = (a: MarkTable, b: MarkTable): boolean =>
  [...b].every(([address, mark]) => {
    const seen = a.get(address)
    return seen !== undefined && !isOlder(seen, mark)
  })

/** The table as bytes to be sealed: sorted lines of JSON, numbers as decimal text because a CRL number may have 20 bytes. */
export const encodeMarks = (table: MarkTable): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      [...table]
        .map(([address, mark]) => [address, String(mark.number), mark.thisUpdate.toISOString()] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
  )

/** The opposite of {@link encodeMarks}, for bytes whose seal was checked; undefined if they are not a table. */
export function decodeMarks(bytes: Uint8Array): MarkTable | undefined {
  const rows = parsed(bytes)
  if (!Array.isArray(rows)) return undefined
  const entries = rows.map(decodeRow)
  const known = entries.filter((entry) => entry !== undefined)
  return known.length === entries.length ? new Map(known) : undefined
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

function decodeRow(row: unknown): [CollateralAddress, KnownMark] | undefined {
  if (!Array.isArray(row)) return undefined
  const [address, number, date]: unknown[] = row
  if (!isAddress(address) || typeof number !== 'string' || typeof date !== 'string') return undefined
  const thisUpdate = new Date(date)
  if (!/^\d{1,60}$/.test(number) || Number.isNaN(thisUpdate.getTime())) return undefined
  return [address, { number: BigInt(number), thisUpdate }]
}

/** The alphabet of addresses: no dot and no backslash, so that one can name a file. */
const ADDRESS = /^(amd|intel|tpm)(\/[A-Za-z0-9-]{1,130}){1,6}$/

/** Whether a value is shaped like an address of ours. */
export const isAddress = (value: unknown): value is CollateralAddress => typeof value === 'string' && ADDRESS.test(value)
