import type { Json, JsonObject } from '../json.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import type { TcbStatus } from './claims.ts'

/** YYYY-MM-DDTHH:MM:SSZ and nothing else (specification tdx.md section 4.1). */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const HEX = /^[0-9a-fA-F]*$/
/** Names of advisories and components go into claims. */
const NAME = /^[\x20-\x7e]{1,128}$/

/** One object of a signed document, its members taken one by one; every fault is an AttestationError with the document's code. */
export class Fields {
  readonly #members: JsonObject
  readonly #path: string
  readonly #document: FieldsDocument

  constructor(value: Json | undefined, path: string, document: FieldsDocument) {
    this.#path = path
    this.#document = document
    if (!(value instanceof Map)) throw this.malformed('', 'is no object')
    this.#members = value
  }

  /** Whether a member is there at all. */
  has(name: string): boolean {
    return this.#members.has(name)
  }
  /** A text of printable ASCII. */
  name(name: string): string {
    const value = this.#members.get(name)
    if (typeof value !== 'string' || !NAME.test(value)) throw this.malformed(name, 'is no text of 1 to 128 printable characters')
    return value
  }
  /** The same; null where the member is absent. */
  optionalName(name: string): string | null {
    return this.has(name) ? this.name(name) : null
  }
  /** An integer from 0 to `max`, both included. */
  integer(name: string, max: number): number {
    const value = this.#members.get(name)
    if (typeof value !== 'number' || !(value >= 0 && value <= max)) throw this.malformed(name, `is no integer from 0 to ${max}`)
    return value
  }
  /** So many bytes in hex of either case. */
  hex(name: string, length: number): Uint8Array {
    const value = this.#members.get(name)
    if (typeof value !== 'string' || value.length !== 2 * length || !HEX.test(value))
      throw this.malformed(name, `is not ${length} bytes in hex`)
    return new Uint8Array(Buffer.from(value, 'hex'))
  }
  /** An instant in whole seconds of UTC that is on the calendar. */
  time(name: string): Date {
    const value = this.#members.get(name)
    const date = new Date(typeof value === 'string' && TIME.test(value) ? value : Number.NaN)
    if (Number.isNaN(date.getTime()) || secondsOf(date) !== value) throw this.malformed(name, 'is not a time as Intel writes it')
    return date
  }
  /** One object. */
  object(name: string): Fields {
    return new Fields(this.#members.get(name), this.at(name), this.#document)
  }
  /** A list of `min` to `max` objects, each of which `read` reads. */
  objects<T>(name: string, [min, max]: readonly [min: number, max: number], read: (fields: Fields) => T): readonly T[] {
    return this.#list(name, [min, max]).map((value, index) => read(new Fields(value, `${this.at(name)}[${index}]`, this.#document)))
  }
  /** A list of at most `max` texts of printable ASCII; empty where the member is absent. */
  optionalNames(name: string, max: number): readonly string[] {
    if (!this.has(name)) return []
    return this.#list(name, [0, max]).map((value) => {
      if (typeof value !== 'string' || !NAME.test(value)) throw this.malformed(name, 'holds something else than short texts')
      return value
    })
  }
  /**
   * A TCB status that is among `known`. Another one is noted, for it makes the whole document unusable (TDX-59); until that is said, it stands as the worst.
   */
  status<S extends TcbStatus>(name: string, known: readonly S[]): S | 'Revoked' {
    const text = this.name(name)
    const status = known.find((one) => one === text)
    if (status === undefined) this.#document.unrecognised.push(text)
    return status ?? 'Revoked'
  }

  /** Where a member stands, for errors. */
  at(name: string): string {
    return name === '' ? this.#path : `${this.#path}.${name}`
  }
  /** The error for a member that breaks a rule. */
  malformed(name: string, why: string): AttestationError {
    return new AttestationError(this.#document.code, `${this.at(name)} ${why}`, { at: this.at(name) })
  }

  #list(name: string, [min, max]: readonly [min: number, max: number]): readonly Json[] {
    const items = this.#members.get(name)
    if (!Array.isArray(items) || items.length < min || items.length > max) throw this.malformed(name, `is no list of ${min} to ${max}`)
    return items
  }
}

/** The code that faults of a document have, and the statuses in it that are not known. */
export type FieldsDocument = { readonly code: ProblemCode; readonly unrecognised: string[] }

/** Reads a signed document; TDX-59 comes after every rule of its form. Throws AttestationError with `code`, or tdx-tcb-status-unrecognized. */
export function readFields<T>(value: Json, where: { readonly path: string; readonly code: ProblemCode }, read: (fields: Fields) => T): T {
  const document: FieldsDocument = { code: where.code, unrecognised: [] }
  const result = read(new Fields(value, where.path, document))
  const [unknown] = document.unrecognised
  if (unknown !== undefined) throw new AttestationError('tdx-tcb-status-unrecognized', `tcbStatus ${unknown}`, { at: where.path })
  return result
}

/** RFC 3339 in whole seconds, as Intel writes it. */
export const secondsOf = (date: Date): string => `${date.toISOString().slice(0, -5)}Z`
