import { AttestationRefused, type ProblemCode } from './problems.ts'

/** Whatever JSON can say. */
type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** An object of JSON. */
export type JsonObject = { readonly [name: string]: Json | undefined }

/** Tokens nest five deep, key sets three. */
const MAX_DEPTH = 16

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an object of JSON in UTF-8 that is nested no deeper than {@link MAX_DEPTH} and names no member twice: of two members with one name,
 * readers take one or the other (RFC 8259 section 4). Throws `code`.
 */
export function readObject(bytes: Uint8Array, code: ProblemCode): JsonObject {
  const refuse = (why: string, cause?: unknown): AttestationRefused => new AttestationRefused(code, { why }, cause)
  let text: string
  let value: unknown
  try {
    text = utf8.decode(bytes)
    value = JSON.parse(text)
  } catch (cause) {
    throw refuse('it is not JSON in UTF-8', cause)
  }
  const fault = faultIn(text)
  if (fault !== undefined) throw refuse(fault)
  if (!isObject(value)) throw refuse('it is not an object')
  return value
}

/** Whether something is an object, as JSON has them. */
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const [QUOTE, BACKSLASH, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x3a, 0x7b, 0x7d]
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d]

/** What `JSON.parse` does not mind in a text that it has read. A list has a set of names, too, which stays empty. */
function faultIn(text: string): string | undefined {
  const open: Set<string>[] = []
  let fault: string | undefined
  for (let at = 0; at < text.length && fault === undefined; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      fault = isName(text, end) ? secondName(open.at(-1), text.slice(at, end)) : undefined
      at = end - 1
    } else fault = nesting(open, code)
  }
  return fault
}

function nesting(open: Set<string>[], code: number): string | undefined {
  if (code === OPEN || code === OPEN_LIST) open.push(new Set())
  else if (code === CLOSE || code === CLOSE_LIST) open.pop()
  return open.length > MAX_DEPTH ? `it is nested deeper than ${MAX_DEPTH}` : undefined
}

/** Behind the quote that ends the string. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === BACKSLASH) before -= 1
  return (at - before) % 2 === 0
}

/** In valid JSON a colon follows a name, and nothing else. */
function isName(text: string, end: number): boolean {
  let at = end
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}

/** One name has many spellings: `\u0061` is `a`. */
function secondName(names: Set<string> | undefined, spelled: string): string | undefined {
  const name = spelled.includes('\\') ? String(JSON.parse(spelled)) : spelled.slice(1, -1)
  if (names?.has(name) === true) return `it names ${spelled} twice`
  names?.add(name)
  return undefined
}
