import { AttestationError, type ProblemCode } from '../problems.ts'
import { Reader } from '../reader.ts'

/** How one kind of log is read; the format is the same for firmware TPMs (PCRs) and for confidential guests (CCEL). */
export type LogRules = {
  /** The code of whatever is wrong with the bytes. */
  readonly code: ProblemCode
  /** Bounds: bytes of the log, events, and the highest register index. */
  readonly bytes: number
  readonly events: number
  readonly maxIndex: number
  /** Formats beside the crypto-agile one; absent: none. `sha1`: records of one SHA-1 digest, as firmware without other banks logs them. */
  readonly legacy?: 'sha1'
}

/** One record of a log (TCG PC Client Platform Firmware Profile, TCG_PCR_EVENT2). Nothing in it is believed; its bytes are windows on the log. */
type LogEvent = {
  /** Place in the log, from 0; the header is not counted. */
  readonly number: number
  /** Register index as logged: a PCR, or an index of measurement registers (CCEL). */
  readonly index: number
  readonly type: number
  /** By TPM_ALG_ID: every declared algorithm once. */
  readonly digests: ReadonlyMap<number, Uint8Array>
  readonly data: Uint8Array
}

/** A log that was read to its end. `algorithms`: digest sizes by TPM_ALG_ID, as its header declares them. */
export type Tcg2Log = { readonly algorithms: ReadonlyMap<number, number>; readonly events: readonly LogEvent[] }

/** EV_NO_ACTION: says something, extends nothing. */
export const EV_NO_ACTION = 3

/** Larger data than any firmware logs; specification tdx.md section 8.1. */
const MAX_EVENT_BYTES = 1024 * 1024
const MAX_ALGORITHMS = 8
const MAX_DIGEST_BYTES = 64
/** Index behind the last event: padding follows, or records that extend no register (Windows appends such "trust points"). */
const END = 0xffffffff

/** Digest sizes by TPM_ALG_ID (TCG Algorithm Registry): SHA-1, SHA-256, SHA-384, SHA-512, SM3-256, SHA3-256, SHA3-384, SHA3-512. */
const DIGEST_BYTES: ReadonlyMap<number, number> = new Map([
  [0x0004, 20],
  [0x000b, 32],
  [0x000c, 48],
  [0x000d, 64],
  [0x0012, 32],
  [0x0027, 32],
  [0x0028, 48],
  [0x0029, 64],
])

/**
 * Reads a TCG2 crypto-agile log (specifications tdx.md section 8.1, tpm.md section 9.1), to its end or to its padding. Throws AttestationError
 * with the code of the rules; its message names the event and the byte offset.
 */
export function parseTcg2(bytes: Uint8Array, rules: LogRules): Tcg2Log {
  if (bytes.length > rules.bytes)
    throw new AttestationError(rules.code, `event_log @0: ${bytes.length} bytes are more than ${rules.bytes}`, { at: 'event_log' })
  return Reader.all(bytes, { what: 'event_log', code: rules.code }, (r) => {
    if (rules.legacy === 'sha1' && isLegacy(bytes))
      return { algorithms: SHA1_ALONE, events: readEvents(r, { bytes, algorithms: SHA1_ALONE, rules, digests: readSha1 }) }
    const algorithms = readHeader(r, rules)
    return { algorithms, events: readEvents(r, { bytes, algorithms, rules, digests: readDigests }) }
  })
}

/** SHA-1 by its TPM_ALG_ID, which older logs do not declare. */
const SHA1 = 0x0004
const SHA1_ALONE: ReadonlyMap<number, number> = new Map([[SHA1, 20]])
/** Index, type, SHA-1 digest and size of the first record; what identifies a crypto-agile log is behind them. */
const RECORD_HEAD = 32
const SPEC_ID = Buffer.from('Spec ID Event03\0')

/** Whether a log begins with the header of a crypto-agile one. */
export const isCryptoAgile = (bytes: Uint8Array): boolean =>
  Buffer.compare(bytes.subarray(RECORD_HEAD, RECORD_HEAD + SPEC_ID.length), SPEC_ID) === 0

/** A first record that is a record, and not that header (specification tpm.md section 9.1). */
const isLegacy = (bytes: Uint8Array): boolean => bytes.length >= RECORD_HEAD && !isCryptoAgile(bytes)

const readSha1 = (r: Reader, at: string): ReadonlyMap<number, Uint8Array> => new Map([[SHA1, r.window(`${at}.digest`, 20)]])

/** The first record has the form of the older SHA-1 logs, and declares the algorithms of all that follow. */
function readHeader(r: Reader, rules: LogRules): ReadonlyMap<number, number> {
  // Firmware differs in the index (0 or 1); nothing is extended by this record.
  if (r.u32le('header.pcrIndex') > rules.maxIndex) throw r.malformed('header.pcrIndex', `is over ${rules.maxIndex}`)
  if (r.u32le('header.eventType') !== EV_NO_ACTION) throw r.malformed('header.eventType', 'is not EV_NO_ACTION')
  r.zeros('header.digest', 20)
  const size = sizeOf(r, 'header.event')
  return Reader.all(r.bytes('header.event', size), { what: 'event_log.header', code: rules.code }, readSpecId)
}

/** TCG_EfiSpecIDEvent. */
function readSpecId(r: Reader): ReadonlyMap<number, number> {
  if (Buffer.compare(r.bytes('signature', SPEC_ID.length), SPEC_ID) !== 0) throw r.malformed('signature', 'is not "Spec ID Event03"')
  // platformClass, specVersionMinor, specVersionMajor, specErrata, uintnSize: change nothing of what follows.
  r.bytes('platformClass', 8)
  const algorithms = readAlgorithms(r)
  r.bytes('vendorInfo', r.u8('vendorInfoSize'))
  return algorithms
}

function readAlgorithms(r: Reader): ReadonlyMap<number, number> {
  const count = r.u32le('numberOfAlgorithms')
  if (count === 0 || count > MAX_ALGORITHMS) throw r.malformed('numberOfAlgorithms', `${count} is not 1 to ${MAX_ALGORITHMS}`)
  const sizes = new Map<number, number>()
  for (let place = 0; place < count; place += 1) {
    const [algorithm, size] = [r.u16le('algId'), r.u16le('digestSize')]
    if (sizes.has(algorithm)) throw r.malformed('algId', `0x${algorithm.toString(16)} is declared twice`)
    if (!isSizeOf(algorithm, size)) throw r.malformed('digestSize', `${size} is no size of 0x${algorithm.toString(16)}`)
    sizes.set(algorithm, size)
  }
  return sizes
}

/** Algorithms that are not known are skipped by the size that the log declares. */
function isSizeOf(algorithm: number, size: number): boolean {
  const known = DIGEST_BYTES.get(algorithm)
  return known === undefined ? size > 0 && size <= MAX_DIGEST_BYTES : size === known
}

type Reading = {
  readonly bytes: Uint8Array
  readonly algorithms: ReadonlyMap<number, number>
  readonly rules: LogRules
  readonly digests: (r: Reader, at: string, algorithms: ReadonlyMap<number, number>) => ReadonlyMap<number, Uint8Array>
}

function readEvents(r: Reader, log: Reading): readonly LogEvent[] {
  const events: LogEvent[] = []
  let ended = false
  while (r.left > 0 && !isPadding(log.bytes.subarray(r.offset))) {
    if (events.length === log.rules.events) throw r.malformed('events', `are more than ${log.rules.events}`)
    const event = readEvent(r, events.length, log)
    if (ended && event.index !== END) throw r.malformed(`event ${event.number}`, 'follows the end of the log')
    ended = event.index === END
    events.push(event)
  }
  r.window('padding', r.left)
  return events
}

/**
 * Logs lie in areas that were filled with FF (EDK2) or with zeros (td-shim) before: the end is an index of FFFFFFFF, or index and type both
 * zero, and whatever is behind it must be such padding too.
 */
function isPadding(rest: Uint8Array): boolean {
  if (rest[0] === 0) return rest.length >= 8 && isAll(rest, 0)
  if (rest.length < 4 || !isAll(rest.subarray(0, 4), 0xff)) return false
  return isAll(rest.subarray(4), 0xff) || isAll(rest.subarray(4), 0)
}

/** Whether there is nothing but one value, however long: the first byte is it, and each is equal to the next. */
function isAll(bytes: Uint8Array, value: number): boolean {
  return bytes.length === 0 || (bytes[0] === value && Buffer.compare(bytes.subarray(0, -1), bytes.subarray(1)) === 0)
}

function readEvent(r: Reader, number: number, log: Reading): LogEvent {
  const at = `event ${number}`
  const index = r.u32le(`${at}.index`)
  const type = r.u32le(`${at}.type`)
  checkIndex(r, { at, index, type }, log.rules)
  const digests = log.digests(r, at, log.algorithms)
  const data = r.window(`${at}.event`, sizeOf(r, `${at}.event`))
  return { number, index, type, digests, data }
}

function checkIndex(r: Reader, event: { at: string; index: number; type: number }, rules: LogRules): void {
  if (event.index === END && event.type !== EV_NO_ACTION) throw r.malformed(`${event.at}.index`, 'the end of the log is not padding')
  if (event.index !== END && event.index > rules.maxIndex)
    throw r.malformed(`${event.at}.index`, `${event.index} is over ${rules.maxIndex}`)
}

/** Exactly the declared algorithms, each once: a second digest of one bank would leave two stories to choose from. */
function readDigests(r: Reader, at: string, algorithms: ReadonlyMap<number, number>): ReadonlyMap<number, Uint8Array> {
  const count = r.u32le(`${at}.digestCount`)
  if (count !== algorithms.size) throw r.malformed(`${at}.digestCount`, `${count} digests, ${algorithms.size} algorithms are declared`)
  const digests = new Map<number, Uint8Array>()
  for (let place = 0; place < count; place += 1) {
    const algorithm = r.u16le(`${at}.algId`)
    const size = algorithms.get(algorithm)
    if (size === undefined) throw r.malformed(`${at}.algId`, `0x${algorithm.toString(16)} is not declared`)
    if (digests.has(algorithm)) throw r.malformed(`${at}.algId`, `0x${algorithm.toString(16)} appears twice`)
    digests.set(algorithm, r.window(`${at}.digest`, size))
  }
  return digests
}

function sizeOf(r: Reader, field: string): number {
  const size = r.u32le(`${field}Size`)
  if (size > MAX_EVENT_BYTES) throw r.malformed(`${field}Size`, `${size} bytes are more than ${MAX_EVENT_BYTES}`)
  return size
}
