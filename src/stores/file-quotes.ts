import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AttestationError } from '../verifiers/problems.ts'
import { readIfThere, removePartials, writeAtomic } from './atomic.ts'
import type { QuoteShelf } from './quotes.ts'

const NAME = /^[0-9a-f]{64}$/

/** Records in files of a folder that this process alone writes to, at most `most` of them. */
export async function fileQuotes(folder: string, most: number): Promise<QuoteShelf> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removePartials(folder)
  const names = new Set((await readdir(folder)).filter((name) => NAME.test(name)))
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = await readIfThere(join(folder, name))
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
  }
  const write = async (name: string, held: string | undefined, next: string): Promise<boolean> => {
    if ((await read(name)) !== held) return false
    if (!names.has(name) && names.size >= most)
      throw new AttestationError('overloaded', `the folder already holds the last quotes of ${most} keys`, { retryAfter: 30 })
    await writeAtomic(join(folder, name), Buffer.from(next, 'latin1'))
    names.add(name)
    return true
  }
  // One writer at a time, so that what was compared is what is replaced.
  let writing: Promise<unknown> = Promise.resolve()
  return {
    read,
    replace: (name, held, next) => {
      const done = writing.catch(() => undefined).then(() => write(name, held, next))
      writing = done
      return done
    },
  }
}
