/** Integers of certificates: a serial number of 20 bytes (RFC 5280 section 4.1.2.2), with the leading zero of a positive one. */
const MAX_INTEGER_BYTES = 21
/** Object identifiers: twice the longest one that is met, the simulator's marker with its 128-bit arc. */
const MAX_OID_BYTES = 48

/** The number that the contents of an INTEGER encode; undefined unless minimal (X.690 section 8.3) and of a bounded length. */
export function readInteger(content: Uint8Array): bigint | undefined {
  const [first, second] = content
  if (first === undefined || content.length > MAX_INTEGER_BYTES) return undefined
  if (second !== undefined && isPadding(first, second)) return undefined
  return BigInt.asIntN(8 * content.length, BigInt(`0x${hexOf(content)}`))
}

/** Nine equal leading bits: the first byte says nothing that the second does not, so the encoding is not minimal. */
export const isPadding = (first: number, second: number): boolean => (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80)

/** The dotted form of the contents of an OBJECT IDENTIFIER; undefined unless minimal (X.690 section 8.19) and of a bounded length. */
export function readOid(content: Uint8Array): string | undefined {
  if (content.length === 0 || content.length > MAX_OID_BYTES || isContinued(content.at(-1))) return undefined
  const arcs: (number | bigint)[] = []
  for (let start = 0, end = 0; end < content.length; end += 1) {
    // A first septet of zero says nothing.
    if (content[start] === 0x80) return undefined
    if (isContinued(content[end])) continue
    arcs.push(readArc(content.subarray(start, end + 1)))
    start = end + 1
  }
  return dotted(arcs)
}

const isContinued = (byte = 0): boolean => byte >= 0x80

/** Seven bits a byte; numbers hold seven of those, and a bigint what is longer. */
const readArc = (septets: Uint8Array): number | bigint =>
  septets.length <= 7
    ? septets.reduce((arc, septet) => arc * 128 + (septet & 0x7f), 0)
    : septets.reduce((arc, septet) => (arc << 7n) | BigInt(septet & 0x7f), 0n)

/** The first two arcs share one number: 40 times the first (0, 1 or 2) plus the second. */
function dotted([joint = 0, ...rest]: readonly (number | bigint)[]): string {
  const first = joint < 80 ? Math.floor(Number(joint) / 40) : 2
  const second = typeof joint === 'bigint' ? joint - 80n : joint - 40 * first
  return [first, second, ...rest].join('.')
}

/** UTCTime counts years 1950 to 2049 by two digits (RFC 5280 section 4.1.2.5.1). */
const UTC_TIME = { tag: 0x17, pattern: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ } as const
/** GeneralizedTime is for years that UTCTime cannot hold: from 2050. */
const GENERALIZED_TIME = { tag: 0x18, pattern: /^(20[5-9]\d|2[1-9]\d\d|[3-9]\d{3})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ } as const

/** The same for any year: some authorities write it where UTCTime is due. */
const ANY_GENERALIZED_TIME = { tag: 0x18, pattern: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ } as const

/** The instant that the contents of a time element name; undefined unless written as RFC 5280 demands and on the calendar. */
export const readTime = (tag: number, content: Uint8Array): Date | undefined => timeBy(GENERALIZED_TIME, tag, content)

/** The same where GeneralizedTime may name any year. */
export const readAnyTime = (tag: number, content: Uint8Array): Date | undefined => timeBy(ANY_GENERALIZED_TIME, tag, content)

function timeBy(generalized: { readonly tag: number; readonly pattern: RegExp }, tag: number, content: Uint8Array): Date | undefined {
  const rule = tag === UTC_TIME.tag ? UTC_TIME : generalized
  const [, year, month, day, hour, minute, second] = rule.pattern.exec(latin1(content)) ?? []
  if (tag !== rule.tag || year === undefined) return undefined
  const text = `${year.length === 4 ? year : fullYear(year)}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = new Date(text)
  return !Number.isNaN(time.getTime()) && time.toISOString() === text ? time : undefined
}

const fullYear = (twoDigits: string): string => `${Number(twoDigits) < 50 ? '20' : '19'}${twoDigits}`

/** Lower-case hex of bytes. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** Bytes as text, one character each. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

/** Whether two byte strings are equal. Nothing compared with it is secret. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
