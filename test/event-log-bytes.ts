import { createHash } from 'node:crypto'

/** One record of a TCG2 log. `digests`: by TPM_ALG_ID, in order; absent: the SHA-384 of the data. */
export type Logged = {
  readonly index: number
  readonly type: number
  readonly data: Uint8Array
  readonly digests?: readonly (readonly [algorithm: number, digest: Uint8Array])[]
}

/** What the header of a log says; what is left out is as EDK2 writes it. */
export type Header = {
  readonly index?: number
  readonly type?: number
  readonly digest?: Uint8Array
  readonly signature?: string
  readonly algorithms?: readonly (readonly [algorithm: number, size: number])[]
  readonly count?: number
  readonly vendorInfo?: Uint8Array
  readonly size?: number
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >>> 8])
/** 32 bits, little-endian. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** SHA-384 by another function than the verifier's. */
export const sha384 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-384 alone, as in every CCEL. */
const SHA384 = 0x000c

const AS_EDK2_WRITES_IT = {
  index: 1,
  type: 3,
  digest: new Uint8Array(20),
  signature: 'Spec ID Event03\0',
  algorithms: [[SHA384, 48]],
  vendorInfo: new Uint8Array(),
} as const

/** The first record of a log. */
export function headerBytes(changes: Header = {}): Buffer {
  const header = { ...AS_EDK2_WRITES_IT, ...changes }
  const event = Buffer.concat([
    Buffer.from(header.signature, 'latin1'),
    Buffer.from('0000000000020002', 'hex'),
    u32(header.count ?? header.algorithms.length),
    ...header.algorithms.flatMap(([algorithm, size]) => [u16(algorithm), u16(size)]),
    Buffer.from([header.vendorInfo.length]),
    header.vendorInfo,
  ])
  return Buffer.concat([u32(header.index), u32(header.type), header.digest, u32(header.size ?? event.length), event])
}

/** One TCG_PCR_EVENT2. */
export function recordBytes({ index, type, data, digests = [[SHA384, sha384(data)]] }: Logged): Buffer {
  const values = digests.flatMap(([algorithm, digest]) => [u16(algorithm), digest])
  return Buffer.concat([u32(index), u32(type), u32(digests.length), ...values, u32(data.length), data])
}

/** A whole log with padding behind it. */
export const logBytes = (events: readonly Logged[], padding = Buffer.alloc(16, 0xff), header = headerBytes()): Uint8Array =>
  new Uint8Array(Buffer.concat([header, ...events.map(recordBytes), padding]))

/** Text as the data of an event. */
export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

/** UEFI_VARIABLE_DATA. */
export function variableBytes(guid: string, name: string, data: Uint8Array): Uint8Array {
  const lengths = Buffer.concat([u32(name.length), u32(0), u32(data.length), u32(0)])
  return new Uint8Array(Buffer.concat([Buffer.from(guid, 'hex'), lengths, Buffer.from(name, 'utf16le'), data]))
}

/** EFI_GLOBAL_VARIABLE as it lies in memory. */
export const GLOBAL_VARIABLE = '61dfe48bca93d211aa0d00e098032b8c'

/** An event of the attestation agent of confidential containers. */
export const aaelBytes = (line: string): Uint8Array => new Uint8Array(Buffer.concat([Buffer.from('LEAA'), u32(line.length), text(line)]))

/** RTMR0 to 3 behind these events, by the first digest of each. */
export function rtmrsOf(events: readonly Logged[]): readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array] {
  const registers: [Uint8Array, Uint8Array, Uint8Array, Uint8Array] = [0, 1, 2, 3].map(() => new Uint8Array(48)) as never
  for (const { index, type, data, digests } of events) {
    const old = registers[index - 1]
    if (old !== undefined && type !== 3) registers[index - 1] = new Uint8Array(sha384(old, digests?.[0]?.[1] ?? sha384(data)))
  }
  return registers
}
