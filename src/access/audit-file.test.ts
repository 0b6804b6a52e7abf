import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openChain, type ChainWriter } from './audit-file.ts'
import { verifyAudit, type Verified } from './audit-verify.ts'

let folder = ''
let path = ''
let logged: { readonly level: number; readonly msg: string; readonly seq?: number; readonly sha256?: string }[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-chain-'))
  path = join(folder, 'audit.jsonl')
  logged = []
})
afterEach(() => rm(folder, { recursive: true }))

const log = pino({ level: 'info' }, { write: (text: string) => void logged.push(JSON.parse(text)) })
const alarms = () => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg)
const CHANGED = 'the audit log was changed by somebody else; verify it'

const open = (rotateBytes?: number): Promise<ChainWriter> => openChain({ path, log, rotateBytes })
const entries = (from: number, to: number): readonly string[] => Array.from({ length: to - from + 1 }, (_, i) => `{"n":${from + i}}`)

async function written(from: number, to: number): Promise<void> {
  const chain = await open()
  await chain.write(entries(from, to))
  await chain.close()
}

const all = async (): Promise<readonly string[]> => (await readdir(folder)).map((name) => join(folder, name))
const verified = async (): Promise<Verified> => verifyAudit(await all())
const intact = (seq: number) => ({ faults: [], first: 1, head: { seq } })
const faults = async () => (await verified()).faults.map(({ kind, line }) => `${kind} at ${line}`)

describe('one chain', () => {
  it('goes on over restarts', async () => {
    await written(1, 3)
    await written(4, 4)
    await written(5, 6)
    expect(await verified()).toMatchObject(intact(6))
  })

  it('goes on in a new file when the old one is moved away, while it runs and while it does not', async () => {
    const chain = await open()
    await chain.write(entries(1, 2))
    await rename(path, `${path}.2`)
    await chain.write(entries(3, 4))
    await chain.write(entries(5, 5))
    await chain.close()
    await rename(path, `${path}.1`)
    await written(6, 7)
    expect(await readdir(folder)).toHaveLength(3)
    expect(await verified()).toMatchObject({ ...intact(7), lines: 7 })
    expect(alarms()).toEqual([])
  })

  it('is cut into files of a size', async () => {
    const chain = await open(250)
    for (let n = 1; n <= 7; n += 1) await chain.write(entries(n, n))
    await chain.close()
    expect((await readdir(folder)).toSorted()).toEqual(['audit.jsonl', 'audit.jsonl.000000000003', 'audit.jsonl.000000000006'])
    expect(await verified()).toMatchObject(intact(7))
  })

  it('is cut as soon as a file has the size, and not before', async () => {
    await written(1, 1)
    const { length } = await readFile(path)
    const larger = await open(length + 1)
    await larger.write(entries(2, 2))
    await larger.close()
    expect(await readdir(folder)).toEqual(['audit.jsonl'])
    const equal = await open(2 * length)
    await equal.write(entries(3, 3))
    await equal.close()
    expect((await readdir(folder)).toSorted()).toEqual(['audit.jsonl', 'audit.jsonl.000000000002'])
    expect(await verified()).toMatchObject(intact(3))
  })

  it('tells where it goes on, at its start and in each new file', async () => {
    await written(1, 2)
    const chain = await open()
    expect(logged.at(-1)).toMatchObject({ path, seq: 2, msg: 'the audit chain goes on' })
    await rename(path, `${path}.1`)
    await chain.write(entries(3, 3))
    expect(logged.at(-1)).toMatchObject({ path, seq: 2, msg: 'the audit chain goes on in a new file' })
    await chain.close()
    await chain.close()
    expect(logged.at(-1)).toMatchObject({ path, seq: 3, msg: 'the audit chain ends for now' })
  })

  it('overwrites no file: it grows on, says so, and tries again later', async () => {
    await writeFile(`${path}.000000000003`, 'kept')
    const chain = await open(250)
    for (let n = 1; n <= 7; n += 1) await chain.write(entries(n, n))
    await chain.close()
    expect(await readFile(`${path}.000000000003`, 'utf8')).toBe('kept')
    expect((await readdir(folder)).toSorted()).toEqual(['audit.jsonl', 'audit.jsonl.000000000003', 'audit.jsonl.000000000006'])
    expect(alarms()).toEqual(['the audit log could not be rotated'])
    const said = { path, err: expect.objectContaining({ message: `${path}.000000000003 is there already` }) }
    expect(logged.find(({ level }) => level >= 50)).toMatchObject(said)
    expect(await verifyAudit([`${path}.000000000006`, path])).toMatchObject(intact(7))
  })

  it('tells the log where it stands, which is what no file can tell', async () => {
    await written(1, 3)
    const head = logged.at(-1)
    expect(head).toMatchObject({ seq: 3, msg: 'the audit chain ends for now' })
    expect((await verified()).head).toEqual({ seq: 3, sha256: head?.sha256 })
  })

  it('goes on behind a line that a crash broke off', async () => {
    await written(1, 3)
    await truncate(path, (await readFile(path)).length - 5)
    await written(3, 4)
    expect(await verified()).toMatchObject({ ...intact(4), lines: 5 })
    await appendFile(path, '{"seq":5,"prev"')
    expect(await faults()).toEqual(['broken-off at 6'])
    await appendFile(path, '\n')
    await written(5, 5)
    expect(await verified()).toMatchObject(intact(5))
  })
})

/** A limit on file sizes stands for the disk: a write that reaches it is cut short, and the next one fails. */
function onFullDisk(meanwhile: string): string {
  const script = `
    import { renameSync, truncateSync } from 'node:fs'
    import { openChain } from ${JSON.stringify(resolve(import.meta.dirname, 'audit-file.ts'))}
    const path = process.argv[1]
    const said = []
    const log = { info() {}, error: (_, text) => said.push(text) }
    const chain = await openChain({ path, log })
    const write = (entries) => chain.write(entries).then(() => 'written', (error) => error.code)
    said.push(await write(['{"n":1}']))
    said.push(await write(Array.from({ length: 200 }, (_, i) => '{"n":' + i + '}')))
    ${meanwhile}
    said.push(await write(['{"n":3}']))
    process.stdout.write(said.join())`
  const limited = 'trap "" XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1" "$2"'
  return execFileSync('sh', ['-c', limited, process.execPath, script, path], { encoding: 'utf8' })
}

describe.skipIf(process.platform !== 'linux')('a disk that is full', () => {
  it('leaves lines of the write that failed, and the chain goes on behind them in the next file', async () => {
    expect(onFullDisk("renameSync(path, path + '.1')")).toBe('written,EFBIG,written')
    const { faults: none, first, head, lines } = await verified()
    expect([none, first]).toEqual([[], 1])
    // One line before, some of the two hundred, a fragment with its end in the new file, and one line after.
    expect([(head?.seq ?? 0) > 20, lines - (head?.seq ?? 0)]).toEqual([true, 2])
  })

  it('is told from somebody who removes what was written', async () => {
    expect(onFullDisk('truncateSync(path, 0)')).toBe(`written,EFBIG,${CHANGED},written`)
    expect(await verified()).toMatchObject({ first: 2, head: { seq: 2 } })
  })

  it('is remembered by the file, when the service ends and the file is moved away', async () => {
    onFullDisk("renameSync(path, path + '.1'); process.stdout.write(said.join()); process.exit(0)")
    await written(1, 1)
    expect((await verified()).faults).toEqual([])
  })
})

describe('a file that somebody changes while the service runs', () => {
  it.each<[string, (text: string) => string, readonly string[]]>([
    ['a line is edited', (text) => text.replace('"n":2', '"n":9'), ['edited at 3']],
    ['the last line is edited', (text) => text.replace('"n":3', '"n":9'), ['edited at 4']],
    ['the last line is removed', (text) => text.split('\n').toSpliced(2, 1).join('\n'), ['gap at 3']],
    ['everything is removed', () => '', []],
    ['the last line is cut off', (text) => text.slice(0, -9), ['gap at 4']],
    ['a line is added', (text) => `${text}{"n":4}\n`, ['foreign at 4']],
    ['rubbish is added', (text) => `${text}rubbish\n`, []],
  ])('is an alarm at once, and the place is found: %s', async (_, change, found) => {
    const chain = await open()
    await chain.write(entries(1, 3))
    await new Promise((done) => setTimeout(done, 20))
    await writeFile(path, change(await readFile(path, 'utf8')))
    await chain.write(entries(4, 4))
    await chain.write(entries(5, 5))
    await chain.close()
    expect(alarms()).toEqual([CHANGED])
    expect(logged.find(({ level }) => level >= 50)).toMatchObject({ path, seq: 3 })
    expect(await faults()).toEqual(found)
    // A file that begins at line 4 may be one of several, and what was never a decision is no fault.
    expect(await verified()).toMatchObject({ head: { seq: 5 } })
  })

  it('is an alarm when another file has taken its place, too', async () => {
    const chain = await open()
    await chain.write(entries(1, 3))
    await rename(path, `${path}.1`)
    await writeFile(path, (await readFile(`${path}.1`, 'utf8')).split('\n').slice(0, 2).join('\n'))
    await chain.write(entries(4, 4))
    await chain.close()
    expect(alarms()).toEqual([CHANGED])
    expect(await faults()).not.toEqual([])
  })
})
