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
  const members = countMembers(value, MAX_DEPTH)
  if (members === undefined) throw refuse(`it is nested deeper than ${MAX_DEPTH}`)
  if (members !== countColons(text)) throw refuse('it names a member twice')
  if (!isObject(value)) throw refuse('it is not an object')
  return value
}

/** Whether something is an object, as JSON has them. */
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** How many members all objects have together; undefined if there are more levels. */
function countMembers(value: unknown, levels: number): number | undefined {
  if (typeof value !== 'object' || value === null) return 0
  if (levels === 0) return undefined
  const inside = Object.values(value)
  let count = Array.isArray(value) ? 0 : inside.length
  for (const one of inside) {
    const more = countMembers(one, levels - 1)
    if (more === undefined) return undefined
    count += more
  }
  return count
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]

/** Colons outside strings: in JSON one for every member that is written, of which a reader keeps one of each name. */
function countColons(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === COLON) count += 1
    if (code === QUOTE) at = endOfString(text, at)
  }
  return count
}

/** Where the quote is that ends the string. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === BACKSLASH) before -= 1
  return (at - before) % 2 === 0
}
