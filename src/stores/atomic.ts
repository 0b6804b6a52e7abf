import { randomBytes } from 'node:crypto'
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** How a file that is being written is called until it is whole; left over only by a process that was killed. */
const PARTIAL = /\.partial-[0-9a-f]{16}$/

/** Writes a whole file or nothing: a temporary file in the same folder, flushed, renamed into place, and the folder flushed. Mode 0600. */
export async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.partial-${randomBytes(8).toString('hex')}`
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Without it the rename itself may be lost with the machine's power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes what a killed writer left behind. Only for a folder that nobody else writes to. */
export async function removePartials(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => PARTIAL.test(name))
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })))
}

/** The bytes of a file; undefined when there is none. Any other failure is thrown: unreadable is not absent. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whether an error is the operating system's, by its name. */
export const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
