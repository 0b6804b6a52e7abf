import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, removePartials, writeAtomic } from './atomic.ts'
import type { Ref } from './head.ts'
import { type Change, sameBytes, type Shelf, startOf } from './shelf.ts'

const SUFFIX = '.record'

/** A shelf of files that can be swept. */
export type FileShelf = Shelf & {
  /** Removes every record but these: what a killed writer had not listed yet, or no longer. */
  readonly sweep: (keep: ReadonlySet<Ref>) => Promise<void>
}

/**
 * A shelf in a folder that one process owns. Records are written first, each whole or not at all; the renaming of the head is the moment
 * in which all of them count; what it replaced is removed last.
 */
export async function fileShelf(folder: string): Promise<FileShelf> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removePartials(folder)
  const headPath = join(folder, 'head')
  const pathOf = (ref: Ref): string => join(folder, `${ref}${SUFFIX}`)
  const head = (): Promise<Uint8Array | undefined> => readIfThere(headPath)
  const remove = async (refs: Iterable<Ref>): Promise<void> => {
    // A record that stays is swept at the next start; nothing lists it.
    for (const ref of refs) await rm(pathOf(ref), { force: true }).catch(() => undefined)
  }
  const write = async (change: Change): Promise<void> => {
    try {
      for (const [ref, bytes] of change.puts) await writeAtomic(pathOf(ref), bytes)
      await writeAtomic(headPath, change.head)
    } catch (error) {
      // The head may have been renamed before its folder could be flushed: then its records stay.
      const left = await head().catch(() => change.head)
      if (!sameBytes(left, change.head)) await remove(change.puts.keys())
      throw error
    }
  }
  const commit: Shelf['commit'] = async (held, change) => {
    if (!sameBytes(await head(), held)) return false
    await write(change)
    await remove(change.drops)
    return true
  }
  return {
    head,
    headStart: async () => startOf(await head()),
    get: (ref) => readIfThere(pathOf(ref)),
    commit: oneAtATime(commit),
    sweep: async (keep) => {
      const kept = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length))
      await remove(kept.filter((ref) => !keep.has(ref)))
    },
  }
}

/** Comparing and writing must not be interrupted by another change of the same process. */
function oneAtATime(commit: Shelf['commit']): Shelf['commit'] {
  let last: Promise<unknown> = Promise.resolve()
  return (held, change) => {
    const result = last.then(() => commit(held, change))
    last = result.catch(() => undefined)
    return result
  }
}
