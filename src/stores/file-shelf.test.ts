import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as atomic from './atomic.ts'
import { fileShelf } from './file-shelf.ts'

const { writeAtomic } = atomic
const flush = vi.hoisted(() => ({ fails: false }))
vi.mock(import('./atomic.ts'), async (original) => {
  const real = await original()
  const renamedOnly: typeof writeAtomic = async (path, bytes) => {
    await real.writeAtomic(path, bytes)
    if (flush.fails && path.endsWith('head')) throw new Error('the folder cannot be flushed')
  }
  return { ...real, writeAtomic: renamedOnly }
})

const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const change = (head: string, puts: readonly string[], drops: readonly string[] = []) => ({
  head: bytes(head),
  puts: new Map(puts.map((ref) => [ref, bytes(ref)])),
  drops,
})

describe('a shelf of files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-shelf-'))
    flush.fails = false
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('takes a change of the head that it has, and no other', async () => {
    const shelf = await fileShelf(folder)
    expect(await shelf.commit(undefined, change('one', [a, b]))).toBe(true)
    expect(await shelf.commit(undefined, change('two', [c]))).toBe(false)
    expect(await shelf.commit(bytes('two'), change('two', [c]))).toBe(false)
    expect(await shelf.commit(bytes('one'), change('two', [c], [b]))).toBe(true)
    expect(await shelf.head()).toEqual(bytes('two'))
    expect([await shelf.get(a), await shelf.get(b), await shelf.get(c)]).toEqual([bytes(a), undefined, bytes(c)])
  })

  it('takes exactly one of many changes at once', async () => {
    const shelf = await fileShelf(folder)
    const taken = await Promise.all([a, b, c].map((ref) => shelf.commit(undefined, change(ref, [ref]))))
    expect(taken).toEqual([true, false, false])
    expect((await readdir(folder)).toSorted()).toEqual([`${a}.record`, 'head'])
  })

  it('keeps nothing of a change of which one file cannot be written, and takes the next', async () => {
    const shelf = await fileShelf(folder)
    await mkdir(join(folder, `${b}.record`, 'full'), { recursive: true })
    await expect(shelf.commit(undefined, change('one', [a, b, c]))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|directory/)
    expect(await readdir(folder)).toEqual([`${b}.record`])
    expect(await shelf.commit(undefined, change('one', [a]))).toBe(true)
  })

  it('keeps the records of a head that was renamed although its folder could not be flushed', async () => {
    const shelf = await fileShelf(folder)
    flush.fails = true
    await expect(shelf.commit(undefined, change('one', [a]))).rejects.toThrow('flushed')
    expect([await shelf.head(), await shelf.get(a)]).toEqual([bytes('one'), bytes(a)])
  })

  it('sweeps what it is not told to keep, and what was never whole, and nothing else', async () => {
    const shelf = await fileShelf(folder)
    await shelf.commit(undefined, change('one', [a, b]))
    await writeAtomic(join(folder, 'notes'), bytes('x'))
    await writeAtomic(join(folder, `${c}.record.partial-0123456789abcdef`), bytes('x'))
    await (await fileShelf(folder)).sweep(new Set([a]))
    expect((await readdir(folder)).toSorted()).toEqual([`${a}.record`, 'head', 'notes'])
  })
})
