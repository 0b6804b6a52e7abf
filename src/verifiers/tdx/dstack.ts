import { AttestationError } from '../problems.ts'
import { readJson } from '../strict-json.ts'

/** A runtime log as dstack keeps it (specification tdx.md section 8.3). Nothing in it is believed. */
export type DstackEntry = {
  /** Place in the log, from 0. */
  readonly number: number
  readonly imr: 0 | 1 | 2 | 3
  readonly type: number
  /** undefined where it was left out, which only runtime events may do. */
  readonly digest: Uint8Array | undefined
  readonly name: string
  readonly payload: Uint8Array
  /** How a runtime event is hashed. */
  readonly version: 1 | 2
  readonly preimage: string | undefined
}

/** dstack's own event type; the TCG knows nothing of it. */
export const DSTACK_RUNTIME_EVENT = 0x08000001

const MAX_BYTES = 1024 * 1024
const MAX_EVENTS = 4096
/** An event of seven members has 22 braces, commas and strings. */
const JSON_RULES = { code: 'tdx-event-log-malformed', at: 'runtime_log', depth: 32, marks: 24 * MAX_EVENTS } as const

/** Reads a runtime log strictly; members that are not known are left alone. Throws AttestationError tdx-event-log-malformed with the event. */
export function parseDstackLog(bytes: Uint8Array): readonly DstackEntry[] {
  if (bytes.length > MAX_BYTES) throw malformed(`${bytes.length} bytes are more than ${MAX_BYTES}`)
  const log = readJson(bytes, JSON_RULES)
  if (!Array.isArray(log)) throw malformed('is not an array')
  if (log.length > MAX_EVENTS) throw malformed(`${log.length} events are more than ${MAX_EVENTS}`)
  return log.map((value: unknown, number) => readEntry(value, number))
}

function readEntry(value: unknown, number: number): DstackEntry {
  if (!isRecord(value)) throw malformed(`event ${number} is not an object`)
  const field = new Fields(value, number)
  const type = field.uint32('event_type')
  const digest = field.hex('digest', '')
  if (digest.length !== 48 && (digest.length > 0 || type !== DSTACK_RUNTIME_EVENT))
    throw malformed(`event ${number}.digest is not 48 bytes in hex`)
  return {
    number,
    type,
    imr: field.oneOf('imr', [0, 1, 2, 3]),
    digest: digest.length === 0 ? undefined : digest,
    name: field.text('event'),
    payload: field.hex('event_payload'),
    version: field.oneOf('version', [1, 2], 1),
    preimage: field.optionalText('preimage'),
  }
}

/** The members of one event, each with its type. */
class Fields {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #number: number

  constructor(members: Readonly<Record<string, unknown>>, number: number) {
    this.#members = members
    this.#number = number
  }

  oneOf<T extends number>(name: string, values: readonly T[], absent?: T): T {
    const value = this.#members[name] ?? absent
    const found = values.find((candidate) => candidate === value)
    if (found === undefined) throw this.#wrong(name, `one of ${values.join(', ')}`)
    return found
  }

  uint32(name: string): number {
    const value = this.#members[name]
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value
    throw this.#wrong(name, 'a number of 32 bits')
  }

  text(name: string, absent?: string): string {
    const value = this.#members[name] ?? absent
    // A lone surrogate has no UTF-8, so what was hashed could not be told.
    if (typeof value === 'string' && value.isWellFormed()) return value
    throw this.#wrong(name, 'text')
  }

  optionalText(name: string): string | undefined {
    return this.#members[name] === undefined ? undefined : this.text(name)
  }

  /** Lower case only: one spelling for one value. */
  hex(name: string, absent?: string): Uint8Array {
    const text = this.text(name, absent)
    if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw this.#wrong(name, 'hex in lower case')
    return new Uint8Array(Buffer.from(text, 'hex'))
  }

  #wrong(name: string, due: string): AttestationError {
    return malformed(`event ${this.#number}.${name} is not ${due}`)
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const malformed = (why: string): AttestationError =>
  new AttestationError('tdx-event-log-malformed', `runtime_log: ${why}`, { at: 'runtime_log' })
