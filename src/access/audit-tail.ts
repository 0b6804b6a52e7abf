import { open, readdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { lastLink, type ChainEnd } from './audit-chain.ts'

/** Longer than any line, and than what a failed write can leave behind the last one. */
const TAIL_BYTES = 1024 * 1024
/** Files beside one in which the end of its chain is looked for. */
const MOST_SIBLINGS = 10_000

/** Where the chain stands at the end of an open file, if it holds one; and whether anything stands behind it. */
export async function endOf(file: FileHandle): Promise<ChainEnd> {
  const stats = await file.stat()
  const size = stats.isFile() ? stats.size : 0
  const tail = new Uint8Array(Math.min(size, TAIL_BYTES))
  const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length)
  return lastLink(tail.subarray(0, bytesRead))
}

/**
 * Where the chain stands in the files beside one that is new: whoever moved it away while no service ran gave it a longer name, as
 * logrotate does. Of several, the one whose chain is the longest.
 */
export async function endOfSiblings(path: string): Promise<ChainEnd | undefined> {
  const name = basename(path)
  const names = (await readdir(dirname(path))).filter((other) => other !== name && other.startsWith(name))
  let best: ChainEnd | undefined
  for (const sibling of names.slice(0, MOST_SIBLINGS)) {
    // One after the other: the number of open files is bounded, and a start can wait.
    best = longer(best, await endOfSibling(join(dirname(path), sibling)))
  }
  return best
}

const longer = (a: ChainEnd | undefined, b: ChainEnd | undefined): ChainEnd | undefined =>
  (b?.link?.seq ?? 0) > (a?.link?.seq ?? 0) ? b : a

/** What cannot be read holds no chain. */
async function endOfSibling(path: string): Promise<ChainEnd | undefined> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return undefined
  try {
    return await endOf(file)
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}
