import { AttestationError, type ProblemCode } from './problems.ts'
import { readAnyTime, readInteger, readOid, readTime } from './der-values.ts'

/** Universal tags that certificates and revocation lists use (X.690 section 8). */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** The tag byte of a constructed element `[number]`, as EXPLICIT tagging and implicit sequences have it. */
export const explicitTag = (number: 0 | 1 | 2 | 3): number => 0xa0 | number

/** The deepest nesting of a certificate in the vectors is nine; more than this is an attack, not a document. */
export const MAX_DEPTH = 32

/** One element: its tag byte, its contents, and the whole encoding with its header. The arrays are views of the input. */
export type Element = { readonly tag: number; readonly content: Uint8Array; readonly whole: Uint8Array }

/** Bit of a tag byte: the contents are elements. */
const CONSTRUCTED = 0x20

/** How a document calls itself in errors, and the code that its malformation has. */
export type DerDocument = { readonly what: string; readonly code: ProblemCode }

/** Where an element's contents start and end. */
type Extent = { readonly start: number; readonly end: number }

/**
 * Reads DER (X.690 section 10) once, forwards only: definite and minimal lengths, one-byte tags, bounded depth, every byte used.
 * Elements are views of the input, so whoever keeps them hands in a copy. Every failure is an AttestationError with the document's code.
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #document: DerDocument
  readonly #depth: number
  #at = 0

  private constructor(bytes: Uint8Array, document: DerDocument, depth: number) {
    this.#bytes = bytes
    this.#document = document
    this.#depth = depth
  }

  /** Decodes the whole of `bytes`; any byte that the decoder leaves behind is an error. */
  static all<T>(bytes: Uint8Array, document: DerDocument, decode: (r: DerReader) => T): T {
    return new DerReader(bytes, document, 0).#finish(decode)
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }
  /** The tag byte of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** The next element, whatever its tag. */
  any(field: string): Element {
    const tag = this.nextTag
    // 1Fh in the low bits starts a tag of several bytes, which nothing that is read here uses; 00 ends indefinite lengths.
    if (tag === undefined || tag === 0 || (tag & 0x1f) === 0x1f) throw this.malformed(field, 'has no tag that this format uses')
    const from = this.#at
    const { start, end } = readLength(this.#bytes, from + 1) ?? { start: 0, end: -1 }
    if (end < 0 || end > this.#bytes.length) throw this.malformed(field, 'has a length that is not minimal, not definite or not there')
    this.#at = end
    return { tag, content: this.#bytes.subarray(start, end), whole: this.#bytes.subarray(from, end) }
  }

  /** The next element, which must have this tag. */
  expect(field: string, tag: number): Element {
    if (this.nextTag !== tag) throw this.malformed(field, `is not of type ${hexByte(tag)}`)
    return this.any(field)
  }

  /** Decodes the whole contents of the next element, which must have this tag. */
  nested<T>(field: string, tag: number, decode: (r: DerReader) => T): T {
    return this.within(field, this.expect(field, tag).content, decode)
  }

  /** Decodes bytes one level below this reader, for formats that carry DER inside an octet string or beside it. */
  within<T>(field: string, bytes: Uint8Array, decode: (r: DerReader) => T): T {
    if (this.#depth >= MAX_DEPTH) throw this.malformed(field, `is nested deeper than ${MAX_DEPTH} levels`)
    const document = { what: `${this.#document.what}.${field}`, code: this.#document.code }
    return new DerReader(bytes, document, this.#depth + 1).#finish(decode)
  }

  /** Decodes a SEQUENCE. */
  sequence<T>(field: string, decode: (r: DerReader) => T): T {
    return this.nested(field, TAG.SEQUENCE, decode)
  }

  /** The decoded contents of an element if the next one has this tag, else undefined. */
  optional<T>(field: string, tag: number, decode: (r: DerReader) => T): T | undefined {
    return this.nextTag === tag ? this.nested(field, tag, decode) : undefined
  }

  /** Decodes elements until none is left. */
  list<T>(decode: (r: DerReader) => T): readonly T[] {
    const items: T[] = []
    while (this.left > 0) items.push(decode(this))
    return items
  }

  /** INTEGER of any size, minimal. */
  integer(field: string): bigint {
    return this.#defined(field, readInteger(this.expect(field, TAG.INTEGER).content), 'is not minimal DER')
  }
  /** OBJECT IDENTIFIER in dotted form; equal texts mean equal encodings, since only the minimal encoding is read. */
  oid(field: string): string {
    return this.oidWithEncoding(field).oid
  }
  /** OBJECT IDENTIFIER in dotted form and as encoded. */
  oidWithEncoding(field: string): { readonly oid: string; readonly encoded: Uint8Array } {
    const encoded = this.expect(field, TAG.OID).content
    return { oid: this.#defined(field, readOid(encoded), 'is not minimal DER'), encoded }
  }
  /** UTCTime until 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5), both in whole seconds of UTC. */
  time(field: string): Date {
    const element = this.any(field)
    return this.#defined(field, readTime(element.tag, element.content), 'is not a time as RFC 5280 writes it')
  }
  /** The same, but GeneralizedTime for any year, as some authorities write it. */
  anyTime(field: string): Date {
    const element = this.any(field)
    return this.#defined(field, readAnyTime(element.tag, element.content), 'is not a time in whole seconds of UTC')
  }
  /** BOOLEAN TRUE. Where the default is FALSE, DER leaves FALSE out, so TRUE is the only value there is. */
  true(field: string): true {
    const { content } = this.expect(field, TAG.BOOLEAN)
    if (content.length !== 1 || content[0] !== 0xff) throw this.malformed(field, 'is not the encoding of TRUE')
    return true
  }
  /** NULL. */
  null(field: string): null {
    if (this.expect(field, TAG.NULL).content.length > 0) throw this.malformed(field, 'is not empty')
    return null
  }
  /** OCTET STRING. */
  octets(field: string): Uint8Array {
    return this.expect(field, TAG.OCTET_STRING).content
  }
  /** BIT STRING of whole bytes. */
  bitBytes(field: string): Uint8Array {
    const { content } = this.expect(field, TAG.BIT_STRING)
    if (content[0] !== 0) throw this.malformed(field, 'is not a bit string of whole bytes')
    return content.subarray(1)
  }

  /** The error for a field that breaks a rule, located. */
  malformed(field: string, why: string): AttestationError {
    const at = `${this.#document.what}.${field}`
    return new AttestationError(this.#document.code, `${at} @${this.#at}: ${why}`, { at })
  }

  #defined<T>(field: string, value: T | undefined, why: string): T {
    if (value === undefined) throw this.malformed(field, why)
    return value
  }
  #finish<T>(decode: (r: DerReader) => T): T {
    const value = decode(this)
    if (this.left > 0) throw this.malformed('end', `${this.left} bytes follow the last element`)
    return value
  }
}

const hexByte = (byte: number): string => `${byte.toString(16).padStart(2, '0')}h`

/**
 * Where the contents of an element lie, given where its length starts (X.690 section 10.1). undefined: indefinite, longer than
 * needed, or above three length bytes (16 MiB, twice the largest document that is read).
 */
export function readLength(bytes: Uint8Array, at: number): Extent | undefined {
  const first = bytes[at] ?? 0x80
  if (first < 0x80) return { start: at + 1, end: at + 1 + first }
  const digits = bytes.subarray(at + 1, at + 1 + (first & 0x7f))
  if (digits.length !== (first & 0x7f) || digits.length > 3) return undefined
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0)
  const start = at + 1 + digits.length
  return length < (LEAST_LENGTH[digits.length] ?? Infinity) ? undefined : { start, end: start + length }
}

/** The smallest length that needs this many bytes behind the first; none may follow it in the indefinite form. */
const LEAST_LENGTH: Readonly<Record<number, number>> = { 1: 0x80, 2: 0x100, 3: 0x10000 }

/**
 * Proves that bytes are well-formed DER throughout: lengths, tags, nesting, and nothing left over. It does not recurse.
 * Throws AttestationError with the document's code.
 */
export function checkWellFormed(bytes: Uint8Array, document: DerDocument): void {
  let level = [bytes]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw tooDeep(document)
    level = level.flatMap((content) => constructedIn(content, document))
  }
}

const constructedIn = (content: Uint8Array, document: DerDocument): Uint8Array[] =>
  DerReader.all(content, document, (r) => r.list((inner) => inner.any('element')))
    .filter((element) => (element.tag & CONSTRUCTED) !== 0)
    .map((element) => element.content)

const tooDeep = ({ what, code }: DerDocument): AttestationError =>
  new AttestationError(code, `${what} is nested deeper than ${MAX_DEPTH} levels`, { at: what })
