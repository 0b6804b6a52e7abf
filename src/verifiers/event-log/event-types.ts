import { readUefiVariable } from './uefi-variable.ts'

/** Event types that are looked at by number (TCG PC Client Platform Firmware Profile section 10.4.1). */
export const EVENT = {
  separator: 0x4,
  tag: 0x6,
  ipl: 0xd,
  variableDriverConfig: 0x80000001,
  variableBoot: 0x80000002,
  gpt: 0x80000006,
  action: 0x80000007,
  variableBoot2: 0x8000000c,
  variableAuthority: 0x800000e0,
} as const

/** What an event's digest is a digest of. */
export type Measured = {
  /** Readings of the data under which a digest may be theirs; the one that fits is what was measured. Empty: the data cannot be read. */
  readonly readings: (data: Uint8Array) => readonly Uint8Array[]
  /** Whether a digest that fits none of them is a lie, or a measurement of something that the log does not hold. */
  readonly otherwise: 'mismatch' | 'unknown'
}

const whole: Measured = { readings: (data) => [data], otherwise: 'mismatch' }

/** The class of types whose data determine the digest, where their data begin as they must (specification tdx.md section 8.1, table). */
const BY_TYPE: ReadonlyMap<number, Measured> = new Map<number, Measured>([
  [EVENT.separator, whole],
  [EVENT.action, whole],
  [EVENT.gpt, whole],
  [EVENT.variableDriverConfig, whole],
  // Shims before their commit 8a27a48 log one byte more than they hash (specification tpm.md section 9.3).
  [EVENT.variableAuthority, { readings: (data) => [data, data.subarray(0, -1)], otherwise: 'mismatch' }],
  // The GUID and the name are not hashed, so they mean nothing.
  [EVENT.variableBoot, { readings: (data) => variableData(data), otherwise: 'mismatch' }],
  [EVENT.variableBoot2, { readings: (data) => [data], otherwise: 'unknown' }],
])

function variableData(data: Uint8Array): readonly Uint8Array[] {
  const variable = readUefiVariable(data)
  return variable === undefined ? [] : [variable.data]
}

/** Tag of the attestation agent of confidential containers, `AAEL` as a number: `LEAA` on disk. */
const AAEL = Buffer.from('LEAA')
/** Tag, u32 size of the text, text. */
const AAEL_HEAD = 8

/** The text of an AAEL event; undefined for any other data. Not believed unless the whole data are. */
export function aaelText(data: Uint8Array): Buffer | undefined {
  if (data.length < AAEL_HEAD || !startsWith(data, AAEL)) return undefined
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return bytes.readUInt32LE(AAEL.length) === bytes.length - AAEL_HEAD ? bytes.subarray(AAEL_HEAD) : undefined
}

const aael: Measured = { readings: (data) => (aaelText(data) === undefined ? [] : [data]), otherwise: 'mismatch' }

/** GRUB's prefixes; they are not hashed. */
const COMMAND_LINE = 'kernel_cmdline: '
const GRUB_TEXTS = ['grub_cmd: ', COMMAND_LINE].map((prefix) => Buffer.from(prefix))

/** Whether the data are labelled as the command line of a kernel. The label is not hashed. */
export const isCommandLine = (data: Uint8Array): boolean => startsWith(data, Buffer.from(COMMAND_LINE))

const startsWith = (data: Uint8Array, prefix: Uint8Array): boolean => Buffer.compare(data.subarray(0, prefix.length), prefix) === 0

function grubText(data: Uint8Array): Measured | undefined {
  const prefix = GRUB_TEXTS.find((candidate) => startsWith(data, candidate))
  if (prefix === undefined) return undefined
  const text = data.subarray(prefix.length)
  // Older GRUBs hash the NUL too (specification tpm.md section 10.4); the text is the same.
  return { readings: () => (text.at(-1) === 0 ? [text.subarray(0, -1), text] : [text]), otherwise: 'mismatch' }
}

/** What an event of this type and data measured; undefined where the data do not determine the digest. */
export function measuredBy(type: number, data: Uint8Array): Measured | undefined {
  if (type === EVENT.tag) return startsWith(data, AAEL) ? aael : undefined
  return type === EVENT.ipl ? grubText(data) : BY_TYPE.get(type)
}
