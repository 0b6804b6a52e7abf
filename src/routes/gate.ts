import { AttestationError } from '../verifiers/problems.ts'

/** Deepest nesting that is read (design section 3); our own messages need six levels. */
const MAX_DEPTH = 32

/**
 * Most braces, brackets, commas and strings that are read. A request of eight items with sixteen certificates each has under 1,000; two
 * megabytes of tiny members would hold the process for a third of a second.
 */
const MAX_MARKS = 20_000

/** Anything else would let two readers of one body see two different requests. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a body as JSON. Refuses what `JSON.parse` would let through or repair: bytes that are not UTF-8, members that appear twice
 * (under any spelling), nesting over 32, and `__proto__`. Throws `request-malformed`.
 */
export function readStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  scan(text)
  return parse(text)
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed('the body is not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // V8's message quotes the body, so it is not passed on.
    throw malformed('the body is not JSON')
  }
}

/** One open object or array. `names` is undefined in an array; `expects` tells whether the next string is a member's name. */
type Frame = { readonly names: Set<string> | undefined; expects: 'name' | 'value' }

/**
 * Follows the structure of JSON text. Text that is not JSON may be followed wrongly, but never past its end, and `JSON.parse` refuses it
 * afterwards; in JSON text every member name is seen.
 */
function scan(text: string): void {
  const frames: Frame[] = []
  const structural = /["{}[\],]/g
  let marks = 0
  for (let match = structural.exec(text); match !== null; match = structural.exec(text)) {
    marks += 1
    if (marks > MAX_MARKS) throw malformed(`more than ${MAX_MARKS} values and members`)
    const top = frames.at(-1)
    if (match[0] === '"') structural.lastIndex = readString(text, match.index, top)
    else step(match[0], frames, match.index)
  }
}

function step(mark: string, frames: Frame[], at: number): void {
  if (mark === '{' || mark === '[') {
    if (frames.length === MAX_DEPTH) throw malformed(`nesting is deeper than ${MAX_DEPTH} at character ${at}`)
    frames.push(mark === '{' ? { names: new Set(), expects: 'name' } : { names: undefined, expects: 'value' })
    return
  }
  if (mark !== ',') {
    frames.pop()
    return
  }
  const top = frames.at(-1)
  if (top?.names !== undefined) top.expects = 'name'
}

/** Notes a member's name where one is due; returns where the string ends. */
function readString(text: string, start: number, top: Frame | undefined): number {
  const end = stringEnd(text, start)
  if (top?.names === undefined || top.expects === 'value') return end
  const name = unescape(text.slice(start, end))
  if (name === '__proto__') throw malformed(`a member has a forbidden name at character ${start}`)
  if (top.names.has(name)) throw malformed(`a member appears a second time at character ${start}`)
  top.names.add(name)
  top.expects = 'value'
  return end
}

/** The position after the closing quote. */
function stringEnd(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  if (quote === -1) throw malformed('the body is not JSON')
  return quote + 1
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text[before] === '\\') before -= 1
  return (at - before) % 2 === 0
}

/** `"\u0061"` and `"a"` are one name. */
function unescape(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  return String(parse(quoted))
}

const malformed = (why: string) => new AttestationError('request-malformed', why, { at: 'body' })
