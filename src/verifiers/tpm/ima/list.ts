import type { Pause } from '../context.ts'
import { readLine } from './ascii.ts'
import { BINARY_START, readRecord } from './binary.ts'
import type { ImaEntry } from './entry.ts'
import { Intake, portionsOf } from './intake.ts'
import { isMalformedList, malformedList } from './malformed.ts'

/** Bounds of one list; an operator can lower the first by the limit of its route. */
const MOST = {
  bytes: 64 * 1024 * 1024,
  /** An entry has 50 bytes at least. */
  entries: 1_000_000,
  /** Buffers of policies and certificates are the longest: twice as many digits as bytes. */
  entryBytes: 128 * 1024,
}

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)
const TAIL_PORTION = 64 * 1024

/** Reads a list entry by entry, in ASCII or binary as its first bytes tell, and never holds it (specification tpm.md section 12). */
export class ImaList {
  readonly #intake: Intake
  #form: 'ascii' | 'binary' | undefined
  /** Number of the entry that comes next. */
  #next: number

  /** `before`: entries that an earlier appraisal has seen, and which are not sent again. */
  constructor(list: Uint8Array | AsyncIterable<Uint8Array>, before: number) {
    this.#intake = new Intake(portionsOf(list))
    this.#next = before + 1
  }

  /** The next entry; undefined at the end. Rejects with `tpm-ima-malformed`, and with what reading the list throws. */
  async next(): Promise<ImaEntry | undefined> {
    for (;;) {
      const entry = this.#read()
      if (entry !== undefined) return this.#counted(entry)
      if (this.#intake.waiting > MOST.entryBytes) throw malformedList(this.#next, `is longer than ${MOST.entryBytes} bytes`)
      if (!(await this.#fill())) return this.#last()
    }
  }

  /** How many entries are left, none of which is evaluated: nothing attests them. Consumes them. */
  async countRest(pause: Pause): Promise<number> {
    return this.#form === 'binary' ? this.#countRecords(pause) : this.#countLines(pause)
  }

  /** Tells the source that no more is wanted. */
  close(): Promise<void> {
    return this.#intake.close()
  }

  async #countLines(pause: Pause): Promise<number> {
    let count = 0
    let isOpen = false
    for (;;) {
      const portion = this.#intake.peek(Math.min(this.#intake.waiting, TAIL_PORTION)) ?? NOTHING
      count += linesIn(portion)
      if (portion.byteLength > 0) isOpen = portion.at(-1) !== NEWLINE
      this.#intake.skip(portion.byteLength)
      await pause()
      if (this.#intake.waiting === 0 && !(await this.#fill())) return isOpen ? count + 1 : count
    }
  }

  /** Behind what is no entry, nobody can tell where the next one begins: the rest counts as one. */
  async #countRecords(pause: Pause): Promise<number> {
    const before = this.#next
    try {
      while ((await this.next()) !== undefined) await pause()
      return this.#next - before
    } catch (error) {
      if (!isMalformedList(error)) throw error
      this.#intake.skip(this.#intake.waiting)
      await this.#countLines(pause)
      return this.#next - before + 1
    }
  }

  #read(): ImaEntry | undefined {
    this.#form ??= formOf(this.#intake.peek(BINARY_START.byteLength))
    if (this.#form === undefined) return undefined
    return this.#form === 'ascii' ? this.#line() : this.#record()
  }

  #line(): ImaEntry | undefined {
    const line = this.#intake.line()
    return line === undefined ? undefined : readLine(line, this.#next)
  }

  #record(): ImaEntry | undefined {
    const { waiting } = this.#intake
    const bytes = this.#intake.peek(Math.min(waiting, MOST.entryBytes)) ?? NOTHING
    const taken = readRecord(bytes, this.#next)
    if (taken !== undefined) this.#intake.skip(taken.bytes)
    return taken?.entry
  }

  /** What waits when the list has ended: a last line without a newline, nothing, or part of a record. */
  #last(): ImaEntry | undefined {
    const rest = this.#intake.peek(this.#intake.waiting)
    if (rest === undefined || rest.byteLength === 0) return undefined
    if (this.#form === 'binary') throw malformedList(this.#next, 'goes on behind the end of the list')
    this.#intake.skip(rest.byteLength)
    return this.#counted(readLine(rest, this.#next))
  }

  #counted(entry: ImaEntry): ImaEntry {
    if (this.#next > MOST.entries) throw malformedList(this.#next, `is one more than ${MOST.entries}`)
    this.#next += 1
    return entry
  }

  async #fill(): Promise<boolean> {
    const more = await this.#intake.fill()
    if (this.#intake.total > MOST.bytes) throw malformedList(this.#next, `more than ${MOST.bytes} bytes`)
    return more
  }
}

const formOf = (start: Buffer | undefined): 'ascii' | 'binary' | undefined =>
  start === undefined ? undefined : start.equals(BINARY_START) ? 'binary' : 'ascii'

function linesIn(portion: Buffer): number {
  let count = 0
  for (let at = portion.indexOf(NEWLINE); at >= 0; at = portion.indexOf(NEWLINE, at + 1)) count += 1
  return count
}
