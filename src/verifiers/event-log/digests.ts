import { hash as hashOnce } from 'node:crypto'
import { measuredBy } from './event-types.ts'
import type { Bank, Extension } from './replay.ts'

/**
 * An event with the bytes that its digest is of. `measured` is undefined where the log does not hold them; `mismatch`: the data say that they
 * are what was measured, and are not. Only `measured` of a register that replays means anything: what is logged beside it (type, prefixes,
 * names) is whatever the carrier of the log likes.
 */
export type Judged = Extension & { readonly measured: Uint8Array | undefined; readonly mismatch: boolean }

/** Holds an event's data against its digest (specification tdx.md section 8.1, tpm.md section 9.3). */
export function judgeData(event: Extension, hash: Bank['hash']): Judged {
  const rule = event.data === undefined ? undefined : measuredBy(event.type, event.data)
  if (event.data === undefined || rule === undefined) return { ...event, measured: undefined, mismatch: false }
  const measured = rule.readings(event.data).find((bytes) => Buffer.compare(digestOf(bytes, hash), event.digest) === 0)
  return { ...event, measured, mismatch: measured === undefined && rule.otherwise === 'mismatch' }
}

/** One digest; without an object for each, which costs more than hashing the few bytes of an event. */
export const digestOf = (bytes: Uint8Array, hash: Bank['hash']): Buffer => hashOnce(hash, bytes, 'buffer')
