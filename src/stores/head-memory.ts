import type { Telemetry } from '../telemetry/log.ts'
import { readIfThere, writeAtomic } from './atomic.ts'
import { EMPTY, openHead, type SeenHead } from './head.ts'
import type { StoreKeys } from './stores.ts'

/** The highest head that this process has seen, and perhaps a file that outlives the process. */
export type HeadMemory = {
  /** `forged`: the file cannot be believed, so no head can be trusted to be the highest until an operator removes it. */
  readonly highest: () => SeenHead | 'forged'
  /** Remembers a head if it is higher, at once for this process; rejects when the file cannot be written. */
  readonly raise: (seen: SeenHead) => Promise<void>
}

/** A memory that lives only as long as this process. */
export function processMemory(): HeadMemory {
  let highest = EMPTY
  return {
    highest: () => highest,
    raise: async (seen) => {
      if (seen.head.counter > highest.head.counter) highest = seen
    },
  }
}

/** A memory with a file behind it. */
export async function fileMemory({ path, keys, log }: { path: string; keys: StoreKeys; log: Telemetry }): Promise<HeadMemory> {
  const kept = await readIfThere(path)
  const first = kept === undefined ? EMPTY : openHead(keys, kept)
  if (first === 'forged') {
    log.error({ alarm: 'operators-head-forged', path }, 'the remembered head of operators’ documents was changed by somebody else')
    return { highest: () => 'forged', raise: async () => {} }
  }
  let [highest, saved] = [first, first]
  let writing: Promise<void> = Promise.resolve()
  const write = async (): Promise<void> => {
    const { bytes } = highest
    if (highest === saved || bytes === undefined) return
    const written = highest
    await writeAtomic(path, bytes)
    saved = written
  }
  return {
    highest: () => highest,
    raise: async (seen) => {
      if (seen.head.counter > highest.head.counter) highest = seen
      if (highest === saved) return
      // One writer at a time; after a failed write the next call writes what is the highest then.
      writing = writing.catch(() => undefined).then(write)
      await writing
    },
  }
}
