import { AttestationError, type ProblemCode } from './problems.ts'

/** How one kind of document is read. `code` is thrown for whatever is wrong, `at` names the document. */
export type JsonRules = {
  readonly code: ProblemCode
  readonly at: string
  /** Deepest nesting that is read. */
  readonly depth: number
  /** Most braces, brackets, commas and strings that are read: megabytes of tiny members would hold the process for long. */
  readonly marks: number
}

/** Anything else would let two readers of one document see two different contents. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a document as JSON. Refuses what `JSON.parse` would let through or repair: bytes that are not UTF-8, members that appear twice
 * (under any spelling), nesting deeper than the rules allow, and `__proto__`. Throws AttestationError with the code of the rules.
 */
export const readJson = (bytes: Uint8Array, rules: JsonRules): unknown => new StrictJson(rules).read(bytes)

/** One open object or array. `names` is undefined in an array; `expects` tells whether the next string is a member's name. */
type Frame = { readonly names: Set<string> | undefined; expects: 'name' | 'value' }

class StrictJson {
  readonly #rules: JsonRules

  constructor(rules: JsonRules) {
    this.#rules = rules
  }

  read(bytes: Uint8Array): unknown {
    const text = this.#decode(bytes)
    this.#scan(text)
    return this.#parse(text)
  }

  #decode(bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes)
    } catch {
      throw this.#malformed(`the ${this.#rules.at} is not UTF-8`)
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch {
      // V8's message quotes the document, so it is not passed on.
      throw this.#malformed(`the ${this.#rules.at} is not JSON`)
    }
  }

  /**
   * Follows the structure of JSON text. Text that is not JSON may be followed wrongly, but never past its end, and `JSON.parse` refuses it
   * afterwards; in JSON text every member name is seen.
   */
  #scan(text: string): void {
    const frames: Frame[] = []
    const structural = /["{}[\],]/g
    let marks = 0
    for (let match = structural.exec(text); match !== null; match = structural.exec(text)) {
      marks += 1
      if (marks > this.#rules.marks) throw this.#malformed(`more than ${this.#rules.marks} values and members`)
      const top = frames.at(-1)
      if (match[0] === '"') structural.lastIndex = this.#readString(text, match.index, top)
      else this.#step(match[0], frames, match.index)
    }
  }

  #step(mark: string, frames: Frame[], at: number): void {
    if (mark === '{' || mark === '[') {
      if (frames.length === this.#rules.depth) throw this.#malformed(`nesting is deeper than ${this.#rules.depth} at character ${at}`)
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
  #readString(text: string, start: number, top: Frame | undefined): number {
    const end = this.#stringEnd(text, start)
    if (top?.names === undefined || top.expects === 'value') return end
    const name = this.#unescape(text.slice(start, end))
    if (name === '__proto__') throw this.#malformed(`a member has a forbidden name at character ${start}`)
    if (top.names.has(name)) throw this.#malformed(`a member appears a second time at character ${start}`)
    top.names.add(name)
    top.expects = 'value'
    return end
  }

  /** The position after the closing quote. */
  #stringEnd(text: string, start: number): number {
    let quote = text.indexOf('"', start + 1)
    while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
    if (quote === -1) throw this.#malformed(`the ${this.#rules.at} is not JSON`)
    return quote + 1
  }

  /** `"\u0061"` and `"a"` are one name. */
  #unescape(quoted: string): string {
    if (!quoted.includes('\\')) return quoted.slice(1, -1)
    return String(this.#parse(quoted))
  }

  #malformed(why: string): AttestationError {
    return new AttestationError(this.#rules.code, why, { at: this.#rules.at })
  }
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text[before] === '\\') before -= 1
  return (at - before) % 2 === 0
}
