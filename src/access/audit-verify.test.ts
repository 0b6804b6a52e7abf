import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert as property, asyncProperty, integer, tuple } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextLine, START, type Link } from './audit-chain.ts'
import { verifyAudit } from './audit-verify.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-verify-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Ten lines of one chain, and where it stands after each. */
const chain = (() => {
  let head: Link = START
  return Array.from({ length: 10 }, (_, i) => {
    const { text, link } = nextLine(`{"n":${i + 1}}`, head, false)
    head = link
    return { text, link }
  })
})()
const TEXTS = chain.map(({ text }) => text)
const link = (seq: number): Link => chain[seq - 1]?.link ?? START

async function found(files: Readonly<Record<string, readonly string[]>>, heads: readonly Link[] = []) {
  const paths = Object.entries(files).map(async ([name, lines]) => {
    await writeFile(join(folder, name), lines.map((line) => `${line}\n`).join(''))
    return join(folder, name)
  })
  const verified = await verifyAudit(await Promise.all(paths), heads)
  return { ...verified, faults: verified.faults.map(({ kind, line, file }) => `${kind} at ${file.slice(folder.length + 1)}:${line}`) }
}

describe('a chain that is whole', () => {
  it('has no fault, and its ends are told', async () => {
    expect(await found({ a: TEXTS })).toEqual({ lines: 10, unchained: 0, first: 1, head: link(10), faults: [], moreFaults: 0 })
  })

  it('may be given as files in any order, whatever their names', async () => {
    expect(await found({ a: TEXTS.slice(7), b: TEXTS.slice(0, 3), c: [], d: TEXTS.slice(3, 7) })).toMatchObject({ lines: 10, faults: [] })
  })

  it('may begin later: that is told', async () => {
    expect(await found({ a: TEXTS.slice(4) })).toMatchObject({ first: 5, head: link(10), faults: [] })
  })

  it('may stand behind lines from before there were chains', async () => {
    expect(await found({ a: ['{"n":-1}', '{"n":0}', ...TEXTS] })).toMatchObject({ unchained: 2, first: 1, faults: [] })
    expect(await found({ a: ['{"n":-1}'] })).toMatchObject({ unchained: 1, first: undefined, head: undefined, faults: [] })
  })

  it('may hold what a crash broke off, if the next line knows of it', async () => {
    const mending = nextLine('{"n":11}', link(10), true).text
    expect((await found({ a: [...TEXTS, '{"seq":11,"pr', '', mending] })).faults).toEqual([])
    expect((await found({ a: [...TEXTS, mending] })).faults).toEqual(['edited at a:11'])
    const silent = nextLine('{"n":11}', link(10), false).text
    expect((await found({ a: [...TEXTS, '{"seq":11,"pr', silent] })).faults).toEqual(['unreadable at a:11'])
    expect((await found({ a: [...TEXTS, '{"seq":11,"pr'] })).faults).toEqual(['unreadable at a:11'])
    expect((await found({ a: [...TEXTS, '{"forged":true}', mending] })).faults).toEqual(['foreign at a:11', 'edited at a:12'])
  })
})

const swapped = TEXTS.toSpliced(4, 2, TEXTS[5] ?? '', TEXTS[4] ?? '')

describe('a chain that was changed', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['a member', TEXTS.with(3, '{"n":9}'), ['foreign at a:4', 'gap at a:5']],
    ['a value', TEXTS.with(3, (TEXTS[3] ?? '').replace('"n":4', '"n":5')), ['edited at a:5']],
    ['a blank', TEXTS.with(3, `${TEXTS[3]} `), ['edited at a:5']],
    ['the first line', TEXTS.with(0, (TEXTS[0] ?? '').replace('"n":1', '"n":2')), ['edited at a:2']],
    ['the first link', TEXTS.with(0, (TEXTS[0] ?? '').replace('000', '001')), ['edited at a:1', 'edited at a:2']],
    ['a line is missing', TEXTS.toSpliced(3, 1), ['gap at a:4']],
    ['three lines are missing', TEXTS.toSpliced(3, 3), ['gap at a:4']],
    ['a line twice', TEXTS.toSpliced(3, 0, TEXTS[3] ?? ''), ['repeated at a:5']],
    ['two lines swapped', swapped, ['gap at a:5', 'repeated at a:6', 'gap at a:7']],
    ['a line that is no JSON', TEXTS.with(3, 'x'), ['unreadable at a:4', 'gap at a:5']],
    ['a line added', TEXTS.toSpliced(3, 0, '{"outcome":"issued"}'), ['foreign at a:4']],
    ['null', TEXTS.toSpliced(3, 0, 'null'), ['unreadable at a:4']],
    ['a line that is far too long', TEXTS.toSpliced(3, 0, 'x'.repeat(3_000_000)), ['unreadable at a:4']],
    ['another chain behind it', [...TEXTS, ...TEXTS], ['restarted at a:11']],
    ['a number that is none', TEXTS.with(3, (TEXTS[3] ?? '').replace('"seq":4', '"seq":4.5')), ['foreign at a:4', 'gap at a:5']],
  ])('shows where: %s', async (_, lines, faults) => {
    expect((await found({ a: lines })).faults).toEqual(faults)
  })

  it('shows across files', async () => {
    expect((await found({ a: TEXTS.slice(0, 3), b: TEXTS.slice(4) })).faults).toEqual(['gap at b:1'])
    expect((await found({ a: TEXTS.slice(0, 4), b: TEXTS.slice(3) })).faults).toEqual(['repeated at b:1'])
    const forged = TEXTS.with(2, (TEXTS[2] ?? '').replace('"n":3', '"n":5'))
    expect((await found({ a: forged.slice(0, 3), b: forged.slice(3) })).faults).toEqual(['edited at b:1'])
  })

  it('shows in any byte of any line but the last', async () => {
    const text = `${TEXTS.join('\n')}\n`
    const before = text.lastIndexOf('\n', text.length - 2)
    const flips = tuple(integer({ min: 0, max: before }), integer({ min: 0, max: 7 }))
    await property(
      asyncProperty(flips, async ([at, bit]) => {
        const bytes = Buffer.from(text)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        await writeFile(join(folder, 'flipped'), bytes)
        expect((await verifyAudit([join(folder, 'flipped')])).faults).not.toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('tells of so many faults, and counts the rest', async () => {
    const verified = await found({ a: [TEXTS[0] ?? '', ...Array<string>(1500).fill('{}')] })
    expect([verified.faults.length, verified.moreFaults]).toEqual([1000, 500])
  })
})

describe('ends that are known from elsewhere', () => {
  it('agree with the chain, its last line and the one before its first', async () => {
    expect((await found({ a: TEXTS }, [link(10), link(4)])).faults).toEqual([])
    expect((await found({ a: TEXTS.slice(4) }, [link(4), link(5)])).faults).toEqual([])
  })

  it.each<[string, readonly string[], Link, readonly string[]]>([
    ['the end is cut off', TEXTS.slice(0, 8), link(10), ['head at a:8']],
    ['everything is gone', [], link(10), ['head at a:0']],
    ['all was written anew', TEXTS, { seq: 10, sha256: link(9).sha256 }, ['head at a:10']],
    ['the line before is another', TEXTS.slice(4), { seq: 4, sha256: link(9).sha256 }, ['head at a:1']],
    ['it lies before what was given', TEXTS.slice(4), link(3), ['head at a:1']],
  ])('contradict it: %s', async (...[, lines, head, faults]) => {
    expect((await found({ a: lines }, [head])).faults).toEqual(faults)
  })

  it('is needed for the last line', async () => {
    const edited = TEXTS.with(9, (TEXTS[9] ?? '').replace('"n":10', '"n":11'))
    expect((await found({ a: edited })).faults).toEqual([])
    expect((await found({ a: edited }, [link(10)])).faults).toEqual(['head at a:10'])
  })
})

it('rejects a file that cannot be read', async () => {
  await expect(verifyAudit([join(folder, 'nothing')])).rejects.toThrow('ENOENT')
})
