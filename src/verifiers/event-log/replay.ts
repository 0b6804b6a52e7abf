import { hash as hashOnce } from 'node:crypto'
import { EV_NO_ACTION, type Tcg2Log } from './tcg2.ts'

/** One event that extends a register, whichever kind of log tells of it. */
export type Extension = {
  /** Place in its log, from 0. */
  readonly number: number
  /** Register, counted as the technology counts. */
  readonly register: number
  readonly type: number
  readonly digest: Uint8Array
  /** What the log says was measured; undefined where it was left out. */
  readonly data: Uint8Array | undefined
}

/** One bank of registers: which digests of a log extend it, by which hash, and which index means which register (undefined: none). */
export type Bank = {
  /** TPM_ALG_ID. */
  readonly algorithm: number
  readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly registerOf: (index: number) => number | undefined
}

/** A register as a log leads to it. */
export type Replay = {
  readonly register: number
  /** How many events of the log extend it. */
  readonly events: number
  /** The value behind the last of them. */
  readonly value: Uint8Array
  /** Whether that is the register's value. */
  readonly holds: boolean
  /** The first event behind the register's value, where only the first events of the log lead to it. */
  readonly surplus: number | undefined
}

/**
 * The events of a log that extend registers of a bank, in order. EV_NO_ACTION and indexes without a register extend nothing, so whoever
 * carries the log can put in what he likes: they are left out here, and nothing that is read from this list can come from them.
 */
export const extensions = (log: Tcg2Log, bank: Bank): readonly Extension[] =>
  log.events.flatMap(({ number, index, type, digests, data }) => {
    const register = type === EV_NO_ACTION ? undefined : bank.registerOf(index)
    const digest = digests.get(bank.algorithm)
    return register === undefined || digest === undefined ? [] : [{ number, register, type, digest, data }]
  })

/** What a register holds at the start and at the end. */
export type Span = { readonly register: number; readonly start: Uint8Array; readonly end: Uint8Array }

/** A register behind one digest more. */
export function extended(value: Uint8Array, digest: Uint8Array, hash: Bank['hash']): Uint8Array {
  const both = new Uint8Array(value.length + digest.length)
  both.set(value)
  both.set(digest, value.length)
  return hashOnce(hash, both, 'buffer')
}

/** Extends one register by its events: value = H(value ‖ digest) for each, in the order of the log. */
export function replay(events: readonly Extension[], hash: Bank['hash'], { register, start, end }: Span): Replay {
  const own = events.filter((event) => event.register === register)
  let value = start
  let surplus: number | undefined
  for (const { number, digest } of own) {
    if (surplus === undefined && Buffer.compare(value, end) === 0) surplus = number
    value = extended(value, digest, hash)
  }
  const holds = Buffer.compare(value, end) === 0
  return { register, events: own.length, value, holds, surplus: holds ? undefined : surplus }
}
