import { execFile } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { redisPresent, type RedisServer, startRedis } from '../../test/redis-server.ts'
import { alarmLog, draft, keepsDocuments, move } from '../../test/stored-documents.ts'
import { redisStores, type RedisStoreOptions } from './redis.ts'
import type { DocumentStore, Stores } from './stores.ts'

const secret = randomBytes(32)
const keys = { stored: createSecretKey(secret) }
const notReady = expect.objectContaining({ code: 'not-ready' })
const HEAD = 'assay:operators:head'

let server: RedisServer
let dataDir: string
const opened: Stores[] = []
const alarm = alarmLog()
let seenAlarms = 0
const newAlarms = (): string[] => {
  const all = alarm.alarms().slice(seenAlarms)
  seenAlarms += all.length
  return all
}
const openStores = async (options: Partial<RedisStoreOptions> = {}): Promise<Stores> => {
  const stores = await redisStores({ url: server.url, prefix: 'assay:', keys, mode: 'test', log: alarm.log, ...options })
  opened.push(stores)
  return stores
}
const open = async (options: Partial<RedisStoreOptions> = {}): Promise<DocumentStore> => (await openStores(options)).documents
const client = () => createClient({ url: server.url }).connect()
const raw = async <T>(commands: (connected: Awaited<ReturnType<typeof client>>) => Promise<T>): Promise<T> => {
  const connected = await client()
  try {
    return await commands(connected)
  } finally {
    connected.destroy()
  }
}
const valueOf = async (key: string): Promise<string> => (await raw((c) => c.get(key))) ?? ''
const records = (): Promise<string[]> => raw((c) => c.keys('assay:operators:record:*'))
type Snapshot = readonly (readonly [key: string, value: string])[]
const snapshot = (): Promise<Snapshot> =>
  raw(async (c) => Promise.all((await c.keys('assay:operators:*')).map(async (key) => [key, (await c.get(key)) ?? ''] as const)))
const putBack = (kept: Snapshot): Promise<unknown> => raw((c) => Promise.all(kept.map(([key, value]) => c.set(key, value))))
const changedBit = (value: string, at: number): string => {
  const bytes = Buffer.from(value, 'base64')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString('base64')
}
/** How often a whole value was read from the server. */
const gets = async (): Promise<number> => Number(/^cmdstat_get:calls=(\d+)/m.exec(await raw((c) => c.info('commandstats')))?.[1])
const filled = async (options: Partial<RedisStoreOptions> = {}): Promise<DocumentStore> => {
  const store = await open(options)
  await store.append('policies', draft(), 0)
  await store.advance('policies', move(), 0)
  return store
}

describe.skipIf(!redisPresent())('documents in Redis', () => {
  beforeAll(async () => {
    server = await startRedis()
    dataDir = await mkdtemp(join(tmpdir(), 'assay-redis-documents-'))
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((stores) => stores.close()))
    await raw((c) => c.flushAll())
    await rm(join(dataDir, 'documents'), { recursive: true, force: true })
    newAlarms()
  })
  afterAll(async () => {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  keepsDocuments(open)

  it('are the same on every replica', async () => {
    const [a, b] = [await open(), await open()]
    await a.append('policies', draft(), 0)
    expect(await b.read('policies', 'fleet', 1)).toEqual({ ...draft(), version: 1 })
    const revision = await b.revision('policies')
    await b.advance('policies', move(), 0)
    expect(await a.standing('policies', 'fleet')).toEqual({ ...move(), counter: 1 })
    expect(await a.revision('policies')).not.toBe(revision)
    expect(await a.append('policies', draft(), 0)).toBe('conflict')
    expect(newAlarms()).toEqual([])
  })

  it('are asked for their revision without reading the head again', async () => {
    const store = await filled()
    const before = await gets()
    for (let i = 0; i < 5; i += 1) expect(await store.revision('policies')).toBe('2')
    expect(await gets()).toBe(before)
  })

  it('leave no record that is no longer listed', async () => {
    const store = await filled()
    await store.append('policies', draft({ text: 'second' }), 1)
    await store.advance('policies', move({ value: 2 }), 1)
    expect(await records()).toHaveLength(4)
  })

  it('count as absent, with an alarm, once somebody else changed, exchanged or removed a record', async () => {
    const store = await filled()
    for (const key of await records()) {
      const value = await valueOf(key)
      for (const other of [changedBit(value, 80), changedBit(value, 20), '', await valueOf(HEAD), undefined]) {
        await raw<unknown>((c) => (other === undefined ? c.del(key) : c.set(key, other)))
        const said = [await store.read('policies', 'fleet', 1), await store.standing('policies', 'fleet')]
        expect(said.filter((each) => each === undefined)).toHaveLength(1)
        expect(newAlarms()).toEqual(['operators-record-forged'])
      }
      await raw((c) => c.set(key, value))
      expect(await store.read('policies', 'fleet', 1)).toBeDefined()
      expect(await store.standing('policies', 'fleet')).toBeDefined()
    }
  })

  it('count no more, with one alarm, once the head was changed, also on a process that starts then', async () => {
    const stores = await openStores()
    await stores.documents.append('policies', draft(), 0)
    const head = await valueOf(HEAD)
    for (const at of [16, 50, 54]) {
      await raw((c) => c.set(HEAD, changedBit(head, at)))
      await expect(stores.documents.names('policies')).rejects.toEqual(notReady)
      await expect(stores.ping()).rejects.toEqual(notReady)
      await expect((await open()).append('policies', draft(), 0)).rejects.toEqual(notReady)
      expect(new Set(newAlarms())).toEqual(new Set(['operators-head-forged']))
    }
    // What was changed behind the seal shows as soon as the head is read, not at a glance.
    await raw((c) => c.set(HEAD, changedBit(head, 60)))
    await expect(stores.documents.names('policies')).rejects.toEqual(notReady)
    await raw((c) => c.set(HEAD, head))
    expect(await stores.documents.names('policies')).toEqual(['fleet'])
    await stores.ping()
  })

  it('count no more once the head, or the whole store, was put back or removed, for whoever has seen it', async () => {
    const store = await filled()
    const older = await snapshot()
    await store.advance('policies', move({ value: 2 }), 1)
    const newest = await valueOf(HEAD)
    const put = [
      () => raw((c) => c.set(HEAD, older.find(([key]) => key === HEAD)?.[1] ?? '')),
      () => putBack(older),
      () => raw((c) => c.del(HEAD)),
    ]
    for (const back of put) {
      await back()
      for (const ask of [() => store.standing('policies', 'fleet'), () => store.append('policies', draft(), 1)])
        await expect(ask()).rejects.toEqual(notReady)
      expect(await store.revision('reference-values')).toBeUndefined()
      expect(newAlarms()).toEqual(['operators-head-rolled-back'])
      await raw((c) => c.set(HEAD, newest))
      expect(await store.standing('policies', 'fleet')).toMatchObject({ counter: 2 })
    }
  })

  it('are remembered over a restart with a data folder: what was put back before it is refused after it', async () => {
    const store = await filled({ dataDir })
    const older = await snapshot()
    await store.append('policies', draft({ text: 'second' }), 1)
    await Promise.all(opened.splice(0).map((stores) => stores.close()))
    await putBack(older)
    await expect((await open({ dataDir })).names('policies')).rejects.toEqual(notReady)
    expect(newAlarms()).toContain('operators-head-rolled-back')
    // What design section 1.4 leaves over: a process that has seen nothing believes it.
    expect(await (await open()).versions('policies', 'fleet')).toHaveLength(1)
  })

  it('are refused while another replica’s branch lacks what this one has seen', async () => {
    const store = await filled()
    const older = await valueOf(HEAD)
    await store.append('policies', draft({ name: 'seen' }), 0)
    await raw((c) => c.set(HEAD, older))
    const other = await open()
    await other.append('policies', draft({ name: 'a' }), 0)
    await other.append('policies', draft({ name: 'b' }), 0)
    await expect(store.names('policies')).rejects.toEqual(notReady)
  })

  it('trust no head while the remembered one was changed by somebody else', async () => {
    await filled({ dataDir })
    expect(await readdir(join(dataDir, 'documents'))).toEqual(['highest-head'])
    await writeFile(join(dataDir, 'documents', 'highest-head'), 'something else')
    const store = await open({ dataDir })
    await expect(store.names('policies')).rejects.toEqual(notReady)
    expect(await store.revision('policies')).toBeUndefined()
    await rm(join(dataDir, 'documents', 'highest-head'))
    expect(await (await open({ dataDir })).names('policies')).toEqual(['fleet'])
  })

  it('are not given out when what was seen cannot be remembered, and changes count all the same', async () => {
    const store = await filled({ dataDir })
    await rm(join(dataDir, 'documents'), { recursive: true })
    expect(await store.append('policies', draft({ text: 'second' }), 1)).toMatchObject({ version: 2 })
    expect(newAlarms()).toEqual(['operators-head-not-remembered'])
    await expect(store.names('policies')).rejects.toEqual(notReady)
    expect(await (await open()).versions('policies', 'fleet')).toHaveLength(2)
  })

  it('move a store of version 1 to version 2, and refuse a newer head at the start', async () => {
    await raw((c) => c.set('assay:format', 'assay-store/1 test\n'))
    await filled()
    expect(await valueOf('assay:format')).toBe('assay-store/2 test\n')
    const head = Buffer.from(await valueOf(HEAD), 'base64').toString('latin1')
    await raw((c) => c.set(HEAD, Buffer.from(head.replace('assay-record/1', 'assay-record/2'), 'latin1').toString('base64')))
    await expect(open()).rejects.toThrow(/newer version/)
  })

  it('are won by exactly one of two processes that race for each version and each standing', async () => {
    await filled()
    const said = await Promise.all([racer('a'), racer('b')])
    const won = said.flatMap((each) => each.trim().split('\n'))
    const rounds = Array.from({ length: 40 }, (_, i) => i + 1)
    expect(won.filter((line) => line.startsWith('version')).toSorted()).toEqual(rounds.map((i) => `version ${i + 1}`).toSorted())
    expect(won.filter((line) => line.startsWith('standing')).toSorted()).toEqual(rounds.map((i) => `standing ${i + 1}`).toSorted())
    const store = await open()
    expect(await store.versions('policies', 'fleet')).toHaveLength(41)
    expect(await store.standing('policies', 'fleet')).toMatchObject({ counter: 41 })
  })

  it('are all there, whole, when the server is killed while they are written', async () => {
    const store = await filled()
    const acknowledged: number[] = []
    const writing = (async () => {
      for (let latest = 1; ; latest += 1) {
        await store.append('policies', draft({ text: `${latest + 1} ${'x'.repeat(100_000)}` }), latest)
        acknowledged.push(latest + 1)
      }
    })().catch(() => undefined)
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(5), { timeout: 10_000, interval: 1 })
    await server.restart()
    await writing
    const again = await open()
    const versions = await again.versions('policies', 'fleet')
    expect(versions.length).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0)
    for (const { version } of versions.slice(1))
      expect((await again.read('policies', 'fleet', version))?.text).toBe(`${version} ${'x'.repeat(100_000)}`)
    expect(await records()).toHaveLength(versions.length + 2)
    expect(await vi.waitFor(() => store.versions('policies', 'fleet'), { timeout: 10_000 })).toEqual(versions)
  })

  it('are not half written when the server has no memory left', async () => {
    const small = await startRedis('--maxmemory', '6mb', '--maxmemory-policy', 'noeviction')
    const { documents } = await openStores({ url: small.url })
    const text = 'x'.repeat(1024 * 1024)
    let latest = 0
    const filling = (async () => {
      for (; ; latest += 1) await documents.append('policies', draft({ text }), latest)
    })()
    await expect(filling).rejects.toEqual(notReady)
    expect(latest).toBeGreaterThan(0)
    expect(await documents.versions('policies', 'fleet')).toHaveLength(latest)
    expect((await documents.read('policies', 'fleet', latest))?.text === text).toBe(true)
    await Promise.all(opened.splice(0).map((stores) => stores.close()))
    await small.close()
  })
})

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/** A process that tries to write the next version and the next standing forty times, whoever wins; resolves to what it won. */
const racer = (by: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const script = `
      import { createSecretKey } from 'node:crypto'
      import { redisStores } from ${url('redis.ts')}
      import { createLog } from ${url('../telemetry/log.ts')}
      import { draft, move } from ${url('../../test/stored-documents.ts')}
      const { SECRET, URL: at, BY: by } = process.env
      const keys = { stored: createSecretKey(Buffer.from(SECRET, 'hex')) }
      const { documents, close } = await redisStores({ url: at, prefix: 'assay:', keys, mode: 'test', log: createLog('silent') })
      for (let i = 1; i <= 40; i += 1) {
        const version = await documents.append('policies', draft({ text: by + i, author: by }), i)
        if (version !== 'conflict') console.log('version', version.version)
        const standing = await documents.advance('policies', move({ by, value: { active: i } }), i)
        if (standing !== 'conflict') console.log('standing', standing.counter)
        // Whoever is behind waits for the round of the other.
        while ((await documents.versions('policies', 'fleet')).length <= i || (await documents.standing('policies', 'fleet')).counter <= i);
      }
      await close()`
    const environment = { ...process.env, SECRET: secret.toString('hex'), URL: server.url, BY: by }
    execFile(process.execPath, ['--input-type=module-typescript', '-e', script], { env: environment }, (error, output, errors) =>
      error === null ? resolve(output) : reject(new Error(errors)),
    )
  })
