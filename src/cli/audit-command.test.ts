import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assay, assayProcess, tempFiles, type Files } from '../../test/cli.ts'
import { nextLine, START } from '../access/audit-chain.ts'

let files: Files
beforeEach(() => {
  files = tempFiles()
})
afterEach(() => files.remove())

const first = nextLine('{"n":1}', START, false)
const second = nextLine('{"n":2}', first.link, false)
const third = nextLine('{"n":3}', second.link, false)
const HEAD = `3:${third.link.sha256}`

const whole = (): readonly string[] => [
  files.write('audit.jsonl', `${third.text}\n`),
  files.write('audit.jsonl.1', `${first.text}\n${second.text}\n`),
]
const verify = (...args: readonly string[]) => assay(['audit', 'verify', ...args])

describe('assay audit verify', () => {
  it('tells of a chain that is whole where it begins and ends', async () => {
    const { code, out } = await verify(...whole(), '--head', HEAD)
    expect([code, out]).toEqual([0, `whole: 3 lines\nbegins at line 1 of the chain\nhead ${HEAD}`])
  })

  it('takes a file that is named twice once', async () => {
    const [one = '', other = ''] = whole()
    expect((await verify(one, other, one)).code).toBe(0)
  })

  it('tells where a chain is broken, and exits 1 as an operator sees it', () => {
    const path = files.write('audit.jsonl', `${first.text}\n${third.text}\n`)
    const { code, out } = assayProcess(['audit', 'verify', path])
    expect(code).toBe(1)
    expect(out).toContain(`${path}:2: gap: 1 of the chain's lines are missing, from 2 on\nbroken: 2 lines\n`)
  })

  it('finds an end that was cut off by what is known of it', async () => {
    const [, older = ''] = whole()
    expect((await verify(older)).code).toBe(0)
    const { code, out } = await verify(older, '--head', HEAD)
    expect([code, out]).toEqual([1, expect.stringContaining(`${older}:2: head: the chain was known to reach line 3`)])
  })

  it('tells of lines that nothing protects', async () => {
    const { code, out } = await verify(files.write('old.jsonl', '{"n":0}\n'))
    expect([code, out]).toEqual([0, 'whole: 1 lines\nno line is in a chain\n1 lines from before there was a chain: nothing protects them'])
  })

  it('says the same as JSON', async () => {
    const { code, out } = await verify(...whole(), '--json')
    expect([code, JSON.parse(out)]).toEqual([0, { lines: 3, unchained: 0, first: 1, head: third.link, faults: [], moreFaults: 0 }])
  })

  it.each([
    ['no file', []],
    ['a file that is not there', ['/nowhere/audit.jsonl']],
    ['a folder', ['/']],
    ['a head that is none', ['/dev/null', '--head', '3']],
    ['a head in capitals', ['/dev/null', '--head', `3:${'A'.repeat(64)}`]],
  ])('exits 2 for %s', async (_, args) => {
    expect((await verify(...args)).code).toBe(2)
  })
})
