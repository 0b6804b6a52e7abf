import { hash } from 'node:crypto'
import type { PcrBank } from '../verifiers/tpm/claims.ts'

/** Something that a boot measures: into which PCR, what the log tells of it, and what is hashed. */
export type Measurement = {
  readonly pcr: number
  readonly type: number
  readonly data: Uint8Array
  /** What the digests are of; absent: the data. */
  readonly hashed?: Uint8Array
  /** `no`: the PCR is extended, and no log of the firmware tells of it. */
  readonly logged?: 'no'
}

/** Types of events that the simulator's hosts log (specification tpm.md section 9.2). */
export const EVENT_TYPE = {
  noAction: 0x3,
  separator: 0x4,
  tag: 0x6,
  scrtmVersion: 0x8,
  ipl: 0xd,
  configuration: 0x80000001,
  application: 0x80000003,
  action: 0x80000007,
  firmwareBlob: 0x80000008,
  authority: 0x800000e0,
} as const

/** Ids and digest lengths of the hashes of banks. */
const BANKS: Readonly<Record<PcrBank, { readonly id: number; readonly bytes: number }>> = {
  sha1: { id: 0x0004, bytes: 20 },
  sha256: { id: 0x000b, bytes: 32 },
  sha384: { id: 0x000c, bytes: 48 },
  sha512: { id: 0x000d, bytes: 64 },
}

/** Bytes of a digest of a bank. */
export const bankBytes = (bank: PcrBank): number => BANKS[bank].bytes

/** A digest by the hash of a bank. */
export const digestIn = (bank: PcrBank, ...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(hash(bank, Buffer.concat(parts), 'buffer'))

/** What a PCR of a bank is extended with. */
export const measuredIn = (bank: PcrBank, { data, hashed = data }: Measurement): Uint8Array => digestIn(bank, hashed)

/** Text as UTF-8. */
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** Text as UTF-16, little-endian, as UEFI writes it. */
export const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'))

/** Numbers of 32 bits, little-endian. */
export function u32le(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [place, value] of values.entries()) bytes.writeUInt32LE(value, 4 * place)
  return new Uint8Array(bytes)
}

const u16le = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >>> 8)

/** The log of a firmware with the digests of these banks (specification tpm.md section 9.1); measurements that no firmware logs are not in it. */
export function tcg2Log(measurements: readonly Measurement[], banks: readonly PcrBank[]): Uint8Array {
  const records = measurements.filter(({ logged }) => logged === undefined).map((one) => record(one, banks))
  return new Uint8Array(Buffer.concat([header(banks), ...records]))
}

/** TCG_PCR_EVENT2. */
function record(measurement: Measurement, banks: readonly PcrBank[]): Uint8Array {
  const { pcr, type, data } = measurement
  const digests = banks.flatMap((bank) => [u16le(BANKS[bank].id), measuredIn(bank, measurement)])
  return Buffer.concat([u32le(pcr, type, banks.length), ...digests, u32le(data.length), data])
}

/** The first record has the form of SHA-1 logs and declares the banks of the others. */
function header(banks: readonly PcrBank[]): Uint8Array {
  const declared = banks.flatMap((bank) => [u16le(BANKS[bank].id), u16le(BANKS[bank].bytes)])
  // Platform class, version 2.0, errata, and the size of UINTN.
  const version = [u32le(0), Uint8Array.of(0, 2, 0, 2)]
  const specId = Buffer.concat([utf8('Spec ID Event03\0'), ...version, u32le(banks.length), ...declared, Uint8Array.of(0)])
  return Buffer.concat([u32le(0, EVENT_TYPE.noAction), new Uint8Array(20), u32le(specId.length), specId])
}
