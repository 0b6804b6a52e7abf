import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextLine, START, type Link } from './audit-chain.ts'
import { verifyAudit } from './audit-verify.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-words-'))
})
afterEach(() => rm(folder, { recursive: true }))

function chainOf(lines: number): readonly { readonly text: string; readonly link: Link }[] {
  let head = START
  return Array.from({ length: lines }, (_, at) => {
    const next = nextLine(`{"n":${at + 1}}`, head, false)
    head = next.link
    return next
  })
}

const chain = chainOf(9)
const TEXTS = chain.map(({ text }) => text)
const link = (seq: number): Link => chain[seq - 1]?.link ?? START
const other = (seq: number): Link => ({ seq, sha256: 'ee'.repeat(32) })
const mending = nextLine('{"n":10}', link(9), true).text

/** What is told of one file with these bytes: kind, words and line of each fault. */
async function told(content: string, heads: readonly Link[] = []): Promise<readonly string[]> {
  const path = join(folder, 'audit.jsonl')
  await writeFile(path, content)
  return (await verifyAudit([path], heads)).faults.map(({ kind, line, detail }) => `${line} ${kind}: ${detail}`)
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

describe('a fault tells what is wrong', () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [TEXTS.toSpliced(3, 2), ["4 gap: 2 of the chain's lines are missing, from 4 on"]],
    [TEXTS.toSpliced(3, 0, '{}'), ['4 foreign: this line has no place in the chain']],
    [TEXTS.with(3, `${TEXTS[3]} `), ['5 edited: line 4 of the chain, before this one, is not as it was written']],
    [
      TEXTS.toSpliced(3, 0, TEXTS[1] ?? ''),
      ['4 repeated: line 2 of the chain stands behind its line 3', "5 gap: 1 of the chain's lines are missing, from 3 on"],
    ],
    [[...TEXTS, TEXTS[0] ?? ''], ['10 restarted: a new chain begins behind line 9 of another']],
    [['{}', ...TEXTS.slice(4)], ['2 gap: lines 1 to 4 of the chain are missing, or are no longer in it']],
    [
      [...TEXTS, 'x', '{}'],
      ['11 foreign: this line has no place in the chain', '10 unreadable: this is no audit line, and the next one does not know of it'],
    ],
    [[...TEXTS, mending], ['10 edited: what was broken off before this line was removed']],
    [[(TEXTS[0] ?? '').replace('000', '001')], ['1 edited: the first line of a chain names one before it']],
  ])('%#', async (lines, faults) => expect(await told(text(lines))).toEqual(faults))

  it('of a file that ends inside a line', async () => {
    expect(await told(`${text(TEXTS)}{"seq`)).toEqual(['10 broken-off: the file ends inside a line, and no line behind it knows of it'])
  })

  it('of what was known from elsewhere', async () => {
    expect(await told(text(TEXTS), [other(9)])).toEqual(['9 head: line 9 of the chain is another than the one that was known'])
    expect(await told(text(TEXTS), [other(3), link(9)])).toEqual(['3 head: line 3 of the chain is another than the one that was known'])
    expect(await told(text(TEXTS), [other(11)])).toEqual(['9 head: the chain was known to reach line 11'])
    expect(await told(text(TEXTS.slice(4)), [other(4)])).toEqual(['1 head: line 4 of the chain is another than the one that was known'])
    expect(await told(text(TEXTS.slice(4)), [other(3)])).toEqual(['1 head: line 3 of the chain was known, and is not here'])
    expect(await told(text(TEXTS.slice(4)), [link(4), link(9)])).toEqual([])
  })
})

const LONGEST = 1024 * 1024

const filled = (count: number): string => nextLine(`{"x":"${'x'.repeat(count)}"}`, link(9), false).text

/** A line of the chain that would be right but for its length. */
const lineOf = (length: number): string => filled(length - filled(0).length)

const CUT_OFF = '10 unreadable: this is no audit line, and the next one does not know of it'

describe('a line of the chain', () => {
  it('may be as long as a service writes them, and counts as broken off where it is far longer', async () => {
    expect(await told(text([...TEXTS, lineOf(LONGEST - 100_000)]))).toEqual([])
    expect(await told(text([...TEXTS, lineOf(LONGEST + 100_000)]))).toEqual([CUT_OFF])
    expect(await told(text([...TEXTS, lineOf(4 * LONGEST)]))).toEqual([CUT_OFF])
    expect(await told(text([...TEXTS, lineOf(4 * LONGEST), mending]))).toEqual([])
  })
})
