import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nextLine, START, type ChainEnd, type Link } from './audit-chain.ts'
import { endOf, endOfSiblings } from './audit-tail.ts'

/** A chain of so many lines, with its last link. */
function chain(lines: number, note = ''): { readonly text: string; readonly link: Link } {
  let link = START
  let text = ''
  for (let at = 0; at < lines; at++) {
    const line = nextLine(JSON.stringify({ at, note }), link, false)
    text += `${line.text}\n`
    link = line.link
  }
  return { text, link }
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'assay-tail-'))

async function endOfText(text: string): Promise<ChainEnd> {
  const path = join(folder(), 'audit.jsonl')
  writeFileSync(path, text)
  const file = await open(path, 'r')
  try {
    return await endOf(file)
  } finally {
    await file.close()
  }
}

describe('the end of a file', () => {
  it('is its last line, however much stands before it', async () => {
    const long = chain(40, 'x'.repeat(60_000))
    expect(long.text.length).toBeGreaterThan(2 * 1024 * 1024)
    expect(await endOfText(long.text)).toEqual({ link: long.link, rest: false })
    expect(await endOfText(chain(3).text)).toEqual({ link: chain(3).link, rest: false })
  })

  it('is nothing in a file that is empty', async () => expect(await endOfText('')).toMatchObject({ link: undefined, rest: false }))

  it('is the last line that is whole, and tells of what stands behind it', async () => {
    const { text, link } = chain(2)
    expect(await endOfText(`${text}{"seq":3,"pre`)).toEqual({ link, rest: true })
  })
})

/** What is found beside `audit.jsonl` in a folder of these files. */
const beside = async (files: Readonly<Record<string, string>>): Promise<ChainEnd | undefined> => {
  const here = folder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(here, name), text)
  // What cannot be read as a file holds no chain.
  mkdirSync(join(here, 'audit.jsonl.folder'))
  return endOfSiblings(join(here, 'audit.jsonl'))
}

describe('the end of the files beside one', () => {
  it('is that of the longest chain, whatever the order of their names', async () => {
    const [short, long] = [chain(2), chain(5)]
    expect(await beside({ 'audit.jsonl.1': long.text, 'audit.jsonl.2': short.text })).toEqual({ link: long.link, rest: false })
    expect(await beside({ 'audit.jsonl.1': short.text, 'audit.jsonl.2': long.text })).toEqual({ link: long.link, rest: false })
  })

  it('is not that of the file itself, nor of one with another name', async () => {
    const found = await beside({
      'audit.jsonl': chain(9).text,
      'other.jsonl': chain(8).text,
      'old-audit.jsonl': chain(7).text,
      'audit.json': chain(6).text,
    })
    expect(found).toBeUndefined()
  })

  it('is nothing where no chain is', async () =>
    expect(await beside({ 'audit.jsonl.1': 'no chain\n', 'audit.jsonl.2': '' })).toBeUndefined())
})
