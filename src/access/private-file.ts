import { randomUUID } from 'node:crypto'
import { link, mkdir, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Permission bits of group and others; a file that holds a secret has none of them. */
const OTHERS = 0o077

/** More than any key or secret needs; a larger file is a mistake. */
const MAX_BYTES = 64 * 1024

/** The bytes of a file that only its owner may read; undefined if there is none. Throws, naming the path, if others can read it. */
export async function readPrivateFile(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const { mode, size } = await file.stat()
    if ((mode & OTHERS) !== 0) throw new Error(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}); chmod it to 0600`)
    if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/**
 * Creates a file with mode 0600 and all of its content, or leaves the one that is there: `exists`.
 * The name appears only when the content is on disk, so a process that starts at the same time never reads half of it.
 */
export async function createPrivateFile(path: string, content: Uint8Array | string): Promise<'created' | 'exists'> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomUUID()}.tmp`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
    await link(draft, path)
    return 'created'
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return 'exists'
    throw error
  } finally {
    await file.close()
    await unlink(draft)
  }
}

/** Reads a private file, making it first where it is absent. Of several processes that start at once, one makes it and all read the same. */
export async function readOrCreatePrivateFile(path: string, make: () => string): Promise<Uint8Array> {
  const there = await readPrivateFile(path)
  if (there !== undefined) return there
  await createPrivateFile(path, make())
  const made = await readPrivateFile(path)
  if (made === undefined) throw new Error(`${path} vanished while it was made`)
  return made
}

const isErrno = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
