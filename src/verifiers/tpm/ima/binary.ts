import type { ImaEntry } from './entry.ts'
import { malformedList } from './malformed.ts'
import { entryOf, LEGACY_DIGEST_BYTES, LEGACY_PATH_BYTES, TEMPLATE_NAME_BYTES, templateOf, type Template } from './templates.ts'

/** How a list in binary begins: PCR 10 as the little-endian machines write it that this service can attest. */
export const BINARY_START = Buffer.from([10, 0, 0, 0])

/** Lengths that a template hash may have: which one a list has depends on the file that it was read from. */
const HASH_LENGTHS = [20, 32, 48, 64] as const
type HashLength = (typeof HASH_LENGTHS)[number]

/** Bytes that say how long an entry's hash is, at least: register, hash, length and name of the template, next length. */
const HEAD_BYTES = 4 + 64 + 4 + TEMPLATE_NAME_BYTES + 4

/** A whole entry, and the bytes that it took. */
export type Taken = { readonly entry: ImaEntry; readonly bytes: number }

type Head = { readonly template: Template; readonly hash: Buffer; readonly end: number }

/**
 * The entry at the beginning of these bytes (specification tpm.md section 12.2: little-endian lengths); undefined where it goes on behind
 * their end. Throws `tpm-ima-malformed`.
 */
export function readRecord(bytes: Buffer, number: number): Taken | undefined {
  const head = headOf(bytes, number)
  if (head === undefined) return undefined
  const { template, hash, end } = head
  const taken = template.isLegacy ? legacyValues(bytes, end, number) : framedValues(bytes, end, { template, number })
  if (taken === undefined) return undefined
  return { entry: entryOf({ number, templateHash: hash }, template, taken.values), bytes: taken.end }
}

/** The hash has the length behind which the name of a template follows. */
function headOf(bytes: Buffer, number: number): Head | undefined {
  if (bytes.byteLength < 4) return undefined
  if (!bytes.subarray(0, 4).equals(BINARY_START)) throw malformedList(number, 'is not of PCR 10')
  for (const length of HASH_LENGTHS) {
    const named = templateBehind(bytes, length)
    if (named !== undefined) return { ...named, hash: bytes.subarray(4, 4 + length) }
  }
  if (bytes.byteLength < HEAD_BYTES) return undefined
  throw malformedList(number, 'is of no known template')
}

function templateBehind(bytes: Buffer, hashLength: HashLength): Omit<Head, 'hash'> | undefined {
  const at = 4 + hashLength
  if (bytes.byteLength < at + 4) return undefined
  const length = bytes.readUInt32LE(at)
  if (length > TEMPLATE_NAME_BYTES || bytes.byteLength < at + 4 + length) return undefined
  const template = templateOf(bytes.toString('latin1', at + 4, at + 4 + length))
  return template === undefined ? undefined : { template, end: at + 4 + length }
}

type Values = { readonly values: readonly Buffer[]; readonly end: number }

/** The oldest template: a digest without a length, then the length of the path and the path without NUL. */
function legacyValues(bytes: Buffer, at: number, number: number): Values | undefined {
  const pathAt = at + LEGACY_DIGEST_BYTES + 4
  if (bytes.byteLength < pathAt) return undefined
  const length = bytes.readUInt32LE(pathAt - 4)
  if (length >= LEGACY_PATH_BYTES) throw malformedList(number, 'its path is longer than its template has room for')
  const end = pathAt + length
  return bytes.byteLength < end ? undefined : { values: [bytes.subarray(at, pathAt - 4), bytes.subarray(pathAt, end)], end }
}

type Framing = { readonly template: Template; readonly number: number }

function framedValues(bytes: Buffer, at: number, { template, number }: Framing): Values | undefined {
  if (bytes.byteLength < at + 4) return undefined
  const end = at + 4 + bytes.readUInt32LE(at)
  if (bytes.byteLength < end) return undefined
  const values: Buffer[] = []
  let from = at + 4
  for (const _ of template.fields) {
    const value = framedAt(bytes.subarray(from, end))
    if (value === undefined) throw malformedList(number, 'a field goes on behind the end of its data')
    values.push(value)
    from += 4 + value.byteLength
  }
  if (from !== end) throw malformedList(number, 'has more data than its template has fields')
  return { values, end }
}

function framedAt(bytes: Buffer): Buffer | undefined {
  if (bytes.byteLength < 4) return undefined
  const length = bytes.readUInt32LE(0)
  return length > bytes.byteLength - 4 ? undefined : bytes.subarray(4, 4 + length)
}
