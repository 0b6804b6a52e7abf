import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPrivateFile, readOrCreatePrivateFile, readPrivateFile } from './private-file.ts'

const inFolder = (name = 'secret'): string => join(mkdtempSync(join(tmpdir(), 'assay-private-')), name)

/** A file of that mode, whatever the umask. */
function fileOf(content: string | Uint8Array, mode = 0o600): string {
  const path = inFolder()
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

describe('readPrivateFile', () => {
  it('reads what only the owner may read', async () => {
    expect(Buffer.from((await readPrivateFile(fileOf('kept'))) ?? []).toString()).toBe('kept')
    expect(await readPrivateFile(fileOf('kept', 0o400))).toBeDefined()
    expect(await readPrivateFile(fileOf('kept', 0o700))).toBeDefined()
  })

  it.each([0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666])('refuses a file of mode %o, naming it', async (mode) => {
    const path = fileOf('kept', mode)
    await expect(readPrivateFile(path)).rejects.toThrow(`${path} can be read by others (mode ${mode.toString(8)}); chmod it to 0600`)
  })

  it('tells a file that is not there from one that cannot be opened', async () => {
    expect(await readPrivateFile(inFolder())).toBeUndefined()
    await expect(readPrivateFile(join(fileOf('a file, no folder'), 'secret'))).rejects.toThrow(/ENOTDIR/)
  })

  it('reads 64 KiB, and nothing larger', async () => {
    expect(await readPrivateFile(fileOf(new Uint8Array(65_536)))).toHaveLength(65_536)
    const path = fileOf(new Uint8Array(65_537))
    await expect(readPrivateFile(path)).rejects.toThrow(`${path} is larger than 65536 bytes`)
  })
})

describe('createPrivateFile', () => {
  it('makes folder and file for the owner alone, and leaves no draft', async () => {
    const path = inFolder('deep/er/secret')
    expect(await createPrivateFile(path, 'kept')).toBe('created')
    expect(readFileSync(path, 'utf8')).toBe('kept')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(path, '..'))).toEqual(['secret'])
  })

  it('leaves the one that is there', async () => {
    const path = fileOf('first')
    expect(await createPrivateFile(path, 'second')).toBe('exists')
    expect(readFileSync(path, 'utf8')).toBe('first')
    expect(readdirSync(join(path, '..'))).toEqual(['secret'])
  })

  it('fails where the name cannot be given, and leaves no draft', async () => {
    const path = inFolder('x'.repeat(255))
    await expect(createPrivateFile(path, 'kept')).rejects.toThrow(/ENAMETOOLONG/)
    expect(readdirSync(join(path, '..'))).toEqual([])
  })
})

describe('readOrCreatePrivateFile', () => {
  it('makes a file once', async () => {
    const path = inFolder()
    const made: string[] = []
    const make = (): string => {
      made.push('made')
      return `content ${made.length}`
    }
    const read = async (): Promise<string> => Buffer.from(await readOrCreatePrivateFile(path, make)).toString()
    expect([await read(), await read()]).toEqual(['content 1', 'content 1'])
    expect(made).toHaveLength(1)
  })

  it('gives all who start at once the same', async () => {
    const path = inFolder()
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => Buffer.from(await readOrCreatePrivateFile(path, () => `made by ${at}`)).toString()),
    )
    expect(new Set(all).size).toBe(1)
    expect(all[0]).toBe(readFileSync(path, 'utf8'))
  })

  it('refuses one that others can read, rather than make another', async () => {
    await expect(readOrCreatePrivateFile(fileOf('kept', 0o644), () => 'other')).rejects.toThrow(/can be read by others/)
  })
})
