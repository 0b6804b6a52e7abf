import type { DerDocument } from './der.ts'
import { AttestationError } from './problems.ts'

/** A JSON value. A number that is not a plainly written integer below 2^53 in size is NaN: nothing that is read here asks for such. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject
/** Members by name, in the order of the text. A map: no name of a member can mean anything to the language. */
export type JsonObject = ReadonlyMap<string, Json>

/** A member of the outermost object, with the text that its value was read from. */
export type JsonMember = { readonly value: Json; readonly source: string }

/** Longest text that is read (design section 3, Limits: other collateral). */
const MAX_BYTES = 1024 * 1024
/** Containers inside containers (specification tdx.md section 10.6). */
const MAX_DEPTH = 32

/**
 * Reads JSON (RFC 8259) strictly: UTF-8 without a mark, no member twice in any object, at most 32 levels, nothing behind the value.
 * Throws AttestationError with the document's code.
 */
export const parseJson = (bytes: Uint8Array, document: DerDocument): Json => JsonReader.all(bytes, document, (reader) => reader.value(0))

/** Reads the same where the outermost value must be an object, and keeps the source of each of its members. */
export function parseJsonMembers(bytes: Uint8Array, document: DerDocument): ReadonlyMap<string, JsonMember> {
  return JsonReader.all(bytes, document, (reader) => {
    const sources = new Map<string, JsonMember>()
    reader.object(0, (name, member) => sources.set(name, member))
    return sources
  })
}

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/
const LITERAL = /true|false|null/y
const LITERALS = new Map<string, Json>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** One pass over the text: what is verified and what is used are cut out by the same reader, so they cannot disagree. */
class JsonReader {
  readonly #text: string
  readonly #document: DerDocument
  #at = 0

  private constructor(text: string, document: DerDocument) {
    this.#text = text
    this.#document = document
  }

  static all<T>(bytes: Uint8Array, document: DerDocument, read: (reader: JsonReader) => T): T {
    const reader = new JsonReader(decode(bytes, document), document)
    const value = read(reader)
    reader.#match(SPACE)
    if (reader.#at < reader.#text.length) throw reader.#malformed('something follows the value')
    return value
  }

  value(depth: number): Json {
    this.#match(SPACE)
    const first = this.#text[this.#at]
    if (first === '{') return this.object(depth)
    if (first === '[') return this.#array(depth)
    return first === '"' ? this.#string() : this.#scalar()
  }

  object(depth: number, see?: (name: string, member: JsonMember) => void): JsonObject {
    const members = new Map<string, Json>()
    this.#items('{}', depth, () => {
      this.#match(SPACE)
      const name = this.#string()
      if (members.has(name)) throw this.#malformed('a member stands there twice')
      this.#expect(':')
      this.#match(SPACE)
      const start = this.#at
      const value = this.value(depth + 1)
      members.set(name, value)
      see?.(name, { value, source: this.#text.slice(start, this.#at) })
    })
    return members
  }

  #array(depth: number): readonly Json[] {
    const items: Json[] = []
    this.#items('[]', depth, () => items.push(this.value(depth + 1)))
    return items
  }

  #items(brackets: '{}' | '[]', depth: number, readItem: () => void): void {
    if (depth >= MAX_DEPTH) throw this.#malformed(`it is nested deeper than ${MAX_DEPTH} levels`)
    const [open = '', close = ''] = brackets
    this.#expect(open)
    if (this.#take(close)) return
    do readItem()
    while (this.#take(','))
    this.#expect(close)
  }

  #string(): string {
    const start = this.#at
    if (this.#text[start] !== '"') throw this.#malformed('no string where one is due')
    let end = start + 1
    let isEscaped = false
    while (this.#text[end] !== '"') {
      // NaN at the end of the text, so that an open string fails here, too.
      const unit = this.#text.charCodeAt(end)
      if (!(unit >= 0x20)) throw this.#malformed('a string is not closed or holds a control character')
      isEscaped ||= unit === BACKSLASH
      end += unit === BACKSLASH ? 2 : 1
    }
    this.#at = end + 1
    return isEscaped ? this.#unescape(this.#text.slice(start, end + 1)) : this.#text.slice(start + 1, end)
  }

  /** A string whose ends are known: the language's own reader knows the escapes. */
  #unescape(literal: string): string {
    try {
      return String(JSON.parse(literal))
    } catch (cause) {
      throw this.#malformed('a string has an escape that does not exist', cause)
    }
  }

  #scalar(): Json {
    const numeral = this.#match(NUMBER)
    if (numeral !== '') return toNumber(numeral)
    const value = LITERALS.get(this.#match(LITERAL))
    if (value === undefined) throw this.#malformed('no value where one is due')
    return value
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [matched = ''] = pattern.exec(this.#text) ?? []
    this.#at += matched.length
    return matched
  }
  #take(mark: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#at] !== mark) return false
    this.#at += 1
    return true
  }
  #expect(mark: string): void {
    if (!this.#take(mark)) throw this.#malformed(`no ${mark} where one is due`)
  }
  #malformed(why: string, cause?: unknown): AttestationError {
    const { what, code } = this.#document
    return new AttestationError(code, `${what} @${this.#at}: ${why}`, { at: what, cause })
  }
}

const BACKSLASH = 0x5c

function toNumber(numeral: string): number {
  const value = INTEGER.test(numeral) ? Number(numeral) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}

function decode(bytes: Uint8Array, { what, code }: DerDocument): string {
  if (bytes.length > MAX_BYTES) throw new AttestationError(code, `${what} is larger than ${MAX_BYTES} bytes`, { at: what })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new AttestationError(code, `${what} is not UTF-8`, { at: what, cause })
  }
}
