import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Follows what is in a folder by looking at it; asking the system to tell misses changes on network file systems. */
export type FolderWatch = {
  /**
   * Looks once. True when the folder is otherwise than when it was last taken, and was the same at the two latest looks: a checkout that
   * is under way is not read.
   */
  readonly changed: () => Promise<boolean>
  /** Whether nothing moved since the latest look, so that what was read meanwhile belongs together; then it counts as taken. */
  readonly taken: () => Promise<boolean>
  /** What was taken could not be used for a reason outside the folder: it is told as changed again. */
  readonly again: () => void
}

/** The folder as it is now counts as taken. */
export async function watchFolder(folder: string): Promise<FolderWatch> {
  let taken: string | undefined = await fingerprint(folder)
  let latest = taken
  return {
    changed: async () => {
      const before = latest
      latest = await fingerprint(folder)
      return latest !== taken && latest === before
    },
    taken: async () => {
      const isStill = (await fingerprint(folder)) === latest
      if (isStill) taken = latest
      return isStill
    },
    again: () => void (taken = undefined),
  }
}

/** Names, sizes, places and times of everything in the folder; links are followed, as they are when it is read. */
async function fingerprint(folder: string): Promise<string> {
  try {
    const names = (await readdir(folder)).toSorted()
    return JSON.stringify(await Promise.all(names.map((name) => line(folder, name))))
  } catch {
    return 'unreadable'
  }
}

async function line(folder: string, name: string): Promise<readonly (string | number)[]> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(join(folder, name))
    return [name, size, mtimeMs, ctimeMs, ino]
  } catch {
    return [name, 'unreadable']
  }
}
