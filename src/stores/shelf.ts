import type { Ref } from './head.ts'

/** What one change writes: new records, then the head that lists them, then away with the records that it no longer lists. */
export type Change = {
  readonly head: Uint8Array
  readonly puts: ReadonlyMap<Ref, Uint8Array>
  readonly drops: readonly Ref[]
}

/** Where the head and the records of operators' documents are kept. It compares bytes and understands none. */
export type Shelf = {
  readonly head: () => Promise<Uint8Array | undefined>
  /** {@link startOf} of the head, by which a change of it shows; cheaper than the head. */
  readonly headStart: () => Promise<string>
  readonly get: (ref: Ref) => Promise<Uint8Array | undefined>
  /** Applies the change if the head still is `held`, wholly or not at all; false, and nothing written, if it is not. */
  readonly commit: (held: Uint8Array | undefined, change: Change) => Promise<boolean>
}

/** Bytes of a sealed record up to its value: magic, seal and counter fit in. A multiple of three, so that base64 has no rest. */
const START_BYTES = 57
/** Characters of base64 that hold the start of a head. */
export const START_CHARACTERS = (START_BYTES / 3) * 4

/** The start of a head, which holds its seal; empty when there is no head. */
export const startOf = (head: Uint8Array | undefined): string => Buffer.from(head?.subarray(0, START_BYTES) ?? []).toString('base64')

/** Whether two values, of which either may be absent, are the same. */
export const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

/** A shelf of one process. */
export function memoryShelf(): Shelf {
  let head: Uint8Array | undefined
  const records = new Map<Ref, Uint8Array>()
  return {
    head: async () => head,
    headStart: async () => startOf(head),
    get: async (ref) => records.get(ref),
    commit: async (held, change) => {
      if (!sameBytes(head, held)) return false
      for (const [ref, bytes] of change.puts) records.set(ref, bytes)
      head = change.head
      for (const ref of change.drops) records.delete(ref)
      return true
    },
  }
}
