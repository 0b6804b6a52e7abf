import { execFile } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alarmLog, draft, keepsDocuments, move } from '../../test/stored-documents.ts'
import { fileStores } from './file.ts'
import { formatOf } from './format.ts'
import type { DocumentStore, Stores } from './stores.ts'

const secret = randomBytes(32)
const keys = { stored: createSecretKey(secret) }
const notReady = expect.objectContaining({ code: 'not-ready' })

let dataDir: string
let folder: string
let alarms: () => string[]
let stores: Stores | undefined
const shut = async (): Promise<void> => {
  await stores?.close()
  stores = undefined
}
const open = async (): Promise<DocumentStore> => {
  await shut()
  const alarm = alarmLog()
  alarms = alarm.alarms
  stores = await fileStores({ dataDir, keys, mode: 'test', log: alarm.log })
  return stores.documents
}
const filesIn = async (): Promise<string[]> => (await readdir(folder)).toSorted()
/** Version 1 of `fleet` under standing 1. */
const filled = async (): Promise<DocumentStore> => {
  const store = await open()
  await store.append('policies', draft(), 0)
  await store.advance('policies', move(), 0)
  return store
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'assay-documents-'))
  folder = join(dataDir, 'documents')
})
afterEach(async () => {
  await shut()
  await rm(dataDir, { recursive: true, force: true })
})

describe('documents in files', () => {
  keepsDocuments(open)

  it('survive a restart, with their standings and their revision', async () => {
    const store = await filled()
    const revision = await store.revision('policies')
    const again = await open()
    expect(await again.read('policies', 'fleet', 1)).toEqual({ ...draft(), version: 1 })
    expect(await again.standing('policies', 'fleet')).toEqual({ ...move(), counter: 1 })
    expect(await again.revision('policies')).toBe(revision)
    expect(await again.append('policies', draft({ text: 'second' }), 1)).toMatchObject({ version: 2 })
    expect(alarms()).toEqual([])
  })

  it('are readable by the service alone, and leave nothing behind that they no longer list', async () => {
    const store = await filled()
    await store.append('policies', draft({ text: 'second' }), 1)
    await store.advance('policies', move({ value: 2 }), 1)
    // The head, two versions, their list, the standing.
    expect(await filesIn()).toHaveLength(5)
    const modes = await Promise.all((await filesIn()).map(async (name) => (await stat(join(folder, name))).mode & 0o777))
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o600, 0o600])
  })
})

/** What a damaged store may say, whatever was damaged: the truth or nothing, and an alarm. */
async function expectLess(inHead: boolean): Promise<void> {
  const store = await open()
  const [document, standing] = await Promise.allSettled([store.read('policies', 'fleet', 1), store.standing('policies', 'fleet')])
  const absent = [document, standing].filter((each) => each.status === 'fulfilled' && each.value === undefined)
  const refused = [document, standing].filter((each) => each.status === 'rejected' && notReady.asymmetricMatch(each.reason))
  expect([absent.length, refused.length]).toEqual(inHead ? [0, 2] : [1, 0])
  expect(alarms()).toContain(inHead ? 'operators-head-forged' : 'operators-record-forged')
}

describe('a folder that somebody else changed', () => {
  it('has a document less, or none that counts, whichever bit of whichever file differs; never another', async () => {
    await filled()
    const original = await Promise.all(
      (await filesIn()).map(async (name) => [join(folder, name), await readFile(join(folder, name))] as const),
    )
    expect(original).toHaveLength(4)
    for (const [path, bytes] of original)
      for (const at of [0, 13, 15, 46, 54, 55, Math.floor((55 + bytes.length) / 2), bytes.length - 1]) {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (at === 13 ? 1 : 4)
        await writeFile(path, changed)
        await expectLess(path.endsWith('head'))
        await writeFile(path, bytes)
      }
    const store = await open()
    expect(await store.read('policies', 'fleet', 1)).toEqual({ ...draft(), version: 1 })
    expect(await store.standing('policies', 'fleet')).toEqual({ ...move(), counter: 1 })
    expect(alarms()).toEqual([])
  })

  it('without its list of versions takes no more versions, and keeps the rest for whoever puts the list back', async () => {
    await filled()
    const lists = await Promise.all((await filesIn()).map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const))
    const [name = ''] = lists.find(([, text]) => /\[\["/.test(text)) ?? []
    const list = await readFile(join(folder, name))
    await rm(join(folder, name))
    const store = await open()
    expect(await store.versions('policies', 'fleet')).toEqual([])
    await expect(store.append('policies', draft(), 1)).rejects.toEqual(notReady)
    expect(alarms()).toContain('operators-record-forged')
    await writeFile(join(folder, name), list)
    expect(await (await open()).read('policies', 'fleet', 1)).toMatchObject({ version: 1 })
  })

  it('without its standing has none, until somebody sets one, under the next counter', async () => {
    await filled()
    const before = await filesIn()
    const store = await open()
    await store.advance('policies', move({ value: 2 }), 1)
    const [standing = ''] = (await filesIn()).filter((name) => !before.includes(name))
    await rm(join(folder, standing))
    expect(await store.standing('policies', 'fleet')).toBeUndefined()
    expect(alarms()).toEqual(['operators-record-forged'])
    expect(await store.advance('policies', move({ value: 3 }), 1)).toBe('conflict')
    expect(await store.advance('policies', move({ value: 3 }), 0)).toMatchObject({ counter: 3 })
    expect(await store.standing('policies', 'fleet')).toMatchObject({ counter: 3, value: 3 })
  })

  it('with an earlier standing under the name of the present one has none', async () => {
    await filled()
    const before = await filesIn()
    const earlier = await Promise.all(before.map(async (name) => [name, await readFile(join(folder, name))] as const))
    const store = await open()
    await store.advance('policies', move({ value: 2 }), 1)
    const [now = ''] = (await filesIn()).filter((name) => !before.includes(name))
    for (const [, old] of earlier) {
      await writeFile(join(folder, now), old)
      expect(await store.standing('policies', 'fleet')).toBeUndefined()
    }
    expect(alarms()).toHaveLength(earlier.length)
  })

  it('is refused when it was put back while the service runs, in whole or the head alone, and counts again when that is undone', async () => {
    const store = await filled()
    const backup = join(dataDir, 'backup')
    await cp(folder, backup, { recursive: true })
    await store.advance('policies', move({ value: 2 }), 1)
    const newest = join(dataDir, 'newest')
    await cp(folder, newest, { recursive: true })
    for (const put of [
      () => cp(join(backup, 'head'), join(folder, 'head')),
      () => cp(backup, folder, { recursive: true }),
      () => rm(join(folder, 'head')),
    ]) {
      await put()
      for (const ask of [() => store.names('policies'), () => store.standing('policies', 'fleet')])
        await expect(ask()).rejects.toEqual(notReady)
      expect(await store.revision('policies')).toBeUndefined()
      await expect(store.append('policies', draft(), 1)).rejects.toEqual(notReady)
      await expect(store.advance('policies', move(), 1)).rejects.toEqual(notReady)
      await expect(stores?.ping()).rejects.toEqual(notReady)
      await cp(newest, folder, { recursive: true })
      expect(await store.standing('policies', 'fleet')).toMatchObject({ counter: 2 })
      await stores?.ping()
    }
    // One line for each finding, however often it was met.
    expect(alarms()).toEqual(['operators-head-rolled-back', 'operators-head-rolled-back', 'operators-head-rolled-back'])
  })

  it('of another secret holds nothing that counts', async () => {
    await filled()
    await stores?.close()
    const other = await fileStores({ dataDir, keys: { stored: createSecretKey(randomBytes(32)) }, mode: 'test', log: alarmLog().log })
    await expect(other.documents.names('policies')).rejects.toEqual(notReady)
    await expect(other.documents.append('policies', draft(), 0)).rejects.toEqual(notReady)
    await other.close()
    expect(await (await open()).names('policies')).toEqual(['fleet'])
  })
})

describe('the version of a store', () => {
  it('is written anew when it was 1, which had no documents', async () => {
    await writeFile(join(dataDir, 'format'), 'assay-store/1 test\n')
    expect(await (await open()).names('policies')).toEqual([])
    expect(await readFile(join(dataDir, 'format'), 'utf8')).toBe('assay-store/2 test\n')
    expect(formatOf('test')).toBe('assay-store/2 test\n')
  })

  it('of its head is refused at the start when it is newer', async () => {
    await filled()
    await shut()
    const head = await readFile(join(folder, 'head'), 'latin1')
    await writeFile(join(folder, 'head'), head.replace('assay-record/1', 'assay-record/2'), 'latin1')
    await expect(open()).rejects.toThrow(/newer version/)
  })
})

const CHILD = fileURLToPath(new URL('../../test/documents-child.ts', import.meta.url))

/** Runs one change in a process that kills itself at this step. */
const killedAt = (change: string, step: number): Promise<{ signal: string | undefined; output: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CHILD, dataDir, secret.toString('hex'), change, String(step)], (error, output, errors) => {
      if (errors !== '') process.stderr.write(errors)
      resolve({ signal: error?.signal ?? undefined, output })
    })
  })

describe('kill -9', () => {
  it.each([
    // Two records and the head: in the middle of each, before and after it is renamed; before the replaced list is removed.
    ['append', 10],
    // One record and the head, and the replaced standing.
    ['advance', 7],
  ])(
    'at each step of an %s leaves the whole change or none of it, and no rest',
    async (change, most) => {
      await filled()
      const seen = new Set<string>()
      for (let step = 1; step <= most; step += 1) {
        await shut()
        const backup = await mkdtemp(join(tmpdir(), 'assay-documents-'))
        await cp(dataDir, backup, { recursive: true })
        expect(await killedAt(change, step), `step ${step}`).toEqual({ signal: 'SIGKILL', output: 'ready\n' })
        const store = await open()
        const versions = await store.versions('policies', 'fleet')
        const standing = await store.standing('policies', 'fleet')
        seen.add(`${versions.length} ${standing?.counter}`)
        const second = await store.read('policies', 'fleet', 2)
        expect(second?.text.length).toBe(versions.length === 2 ? 400_000 : undefined)
        expect(await store.read('policies', 'fleet', 1)).toEqual({ ...draft(), version: 1 })
        // The head, the list, the standing, and the versions.
        expect(await filesIn()).toHaveLength(3 + versions.length)
        expect(alarms()).toEqual([])
        await shut()
        await rm(dataDir, { recursive: true })
        await cp(backup, dataDir, { recursive: true })
        await rm(backup, { recursive: true })
      }
      expect([...seen]).toEqual(change === 'append' ? ['1 1', '2 1'] : ['1 1', '1 2'])
      expect((await killedAt(change, most + 1)).output).toBe('ready\ndone ok\n')
    },
    120_000,
  )
})

/** Runs a program of ours under a limit of the size of a file: what is written beyond it fails as on a full disk. */
const limited = (kilobytes: number, script: string): Promise<string> =>
  new Promise((resolve) => {
    const environment = { ...process.env, DIR: dataDir, SECRET: secret.toString('hex') }
    const run = `ulimit -f ${kilobytes * 2}; exec "$0" --input-type=module-typescript -e "$1"`
    execFile('sh', ['-c', run, process.execPath, script], { env: environment }, (_, output, errors) => resolve(output + errors))
  })

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

describe('a disk that is full', () => {
  it('makes a change fail as a whole, and the next one succeed when there is room', async () => {
    await filled()
    await shut()
    const output = await limited(
      100,
      `import { createSecretKey } from 'node:crypto'
       import { fileStores } from ${url('file.ts')}
       import { createLog } from ${url('../telemetry/log.ts')}
       import { draft, move } from ${url('../../test/stored-documents.ts')}
       const keys = { stored: createSecretKey(Buffer.from(process.env.SECRET, 'hex')) }
       const { documents, close } = await fileStores({ dataDir: process.env.DIR, keys, mode: 'test', log: createLog('silent') })
       const failure = await documents.append('policies', draft({ text: 'x'.repeat(300_000) }), 1).then(String, ({ code, cause }) => code + ' ' + cause.code)
       const then = await documents.append('policies', draft({ text: 'short' }), 1)
       console.log(failure, then.version)
       await close()`,
    )
    expect(output).toBe('not-ready EFBIG 2\n')
    const store = await open()
    expect(await store.read('policies', 'fleet', 2)).toMatchObject({ text: 'short' })
    expect(await filesIn()).toHaveLength(5)
  })
})
