import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { redisPresent, type RedisServer, startRedis } from '../../test/redis-server.ts'
import { createLog } from '../telemetry/log.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { redisStores, type RedisStoreOptions } from './redis.ts'
import type { Stores } from './stores.ts'

const address: CollateralAddress = 'amd/crl/Milan/vcek'
const keys = { stored: createSecretKey(randomBytes(32)) }
const log = createLog('silent')
const mark = { number: 5n, thisUpdate: new Date('2026-01-05T00:00:00Z') }
const document = { address, bytes: Uint8Array.from([0, 255, 7]), fetchedAt: new Date(1000), expiresAt: new Date(Date.now() + 1e9) }

const opened: Stores[] = []
let server: RedisServer
let dataDir: string
const open = async (options: Partial<RedisStoreOptions> = {}): Promise<Stores> => {
  const stores = await redisStores({ url: server.url, prefix: 'assay:', keys, mode: 'test', log, ...options })
  opened.push(stores)
  return stores
}
const client = async () => createClient({ url: server.url }).connect()
const raw = async <T>(commands: (connected: Awaited<ReturnType<typeof client>>) => Promise<T>): Promise<T> => {
  const connected = await client()
  try {
    return await commands(connected)
  } finally {
    connected.destroy()
  }
}

describe.skipIf(!redisPresent())('the Redis store', () => {
  beforeAll(async () => {
    server = await startRedis()
    dataDir = await mkdtemp(join(tmpdir(), 'assay-redis-data-'))
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((stores) => stores.close()))
    await raw((c) => c.flushAll())
    await rm(join(dataDir, 'collateral'), { recursive: true, force: true })
  })
  afterAll(async () => {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  describe('challenges', () => {
    it('share one epoch among replicas that start together', async () => {
      const replicas = await Promise.all(Array.from({ length: 5 }, () => open()))
      const epochs = await Promise.all(replicas.map(async ({ challenges }) => Buffer.from(await challenges.epoch()).toString('hex')))
      expect(new Set(epochs).size).toBe(1)
      expect(epochs[0]).toMatch(/^[0-9a-f]{8}$/)
    })

    it('are spent by exactly one of 64 callers on two replicas', async () => {
      const [a, b] = [await open(), await open()]
      const spent = await Promise.all(Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? a : b).challenges.spend('x', 60)))
      expect(spent.filter(Boolean)).toHaveLength(1)
    })

    it('keep a mark for as long as was asked', async () => {
      await (await open()).challenges.spend('x', 420)
      const ttl = await raw((c) => c.ttl('assay:spent:x'))
      expect(ttl).toBeGreaterThan(410)
      expect(ttl).toBeLessThanOrEqual(420)
    })

    it('pay for one set of addresses, whichever replica is asked', async () => {
      const [a, b] = [await open(), await open()]
      expect(await a.challenges.pay('x', 'set one', 60)).toBe(true)
      expect(await b.challenges.pay('x', 'set one', 60)).toBe(true)
      expect(await b.challenges.pay('x', 'set two', 60)).toBe(false)
    })

    it('get a new epoch when the server was restarted, although every key survived', async () => {
      const stores = await open()
      const before = await stores.challenges.epoch()
      await server.restart()
      const after = await vi.waitFor(() => stores.challenges.epoch(), { timeout: 10_000, interval: 50 })
      expect(after).not.toEqual(before)
      expect(await (await open()).challenges.epoch()).toEqual(after)
    })

    it('are refused in the moment when the store was emptied, and get a new epoch', async () => {
      const stores = await open()
      const before = await stores.challenges.epoch()
      await raw((c) => c.flushAll())
      await expect(stores.challenges.spend('x', 60)).rejects.toMatchObject({ code: 'not-ready' })
      expect(await stores.challenges.epoch()).not.toEqual(before)
    })

    it('get a new epoch when somebody else wrote one', async () => {
      const before = await (await open()).challenges.epoch()
      const record = (await raw((c) => c.get('assay:epoch'))) ?? ''
      const forged = Buffer.from(record, 'base64')
      forged[forged.length - 1] = 0
      await raw((c) => c.set('assay:epoch', forged.toString('base64')))
      expect(await (await open()).challenges.epoch()).not.toEqual(before)
    })

    it('measure the clock of the server', async () => {
      expect(Math.abs(await (await open()).challenges.clockOffset())).toBeLessThan(5_000)
    })
  })

  describe('documents', () => {
    it('are the same on every replica', async () => {
      const [a, b] = [await open(), await open()]
      await a.collateral.put(document)
      expect(await b.collateral.get(address)).toEqual(document)
      expect(await b.collateral.list()).toEqual([{ address, fetchedAt: document.fetchedAt, expiresAt: document.expiresAt }])
      expect(await b.collateral.get('amd/crl/Milan/vlek')).toBeUndefined()
    })

    it('count as absent once somebody else changed or moved them', async () => {
      const stores = await open()
      await stores.collateral.put(document)
      const kept = (await raw((c) => c.get(`assay:document:${address}`))) ?? ''
      await raw((c) => c.set('assay:document:amd/crl/Genoa/vcek', kept))
      await raw((c) => c.set(`assay:document:${address}`, `${kept.slice(0, -4)}AAAA`))
      expect(await stores.collateral.get(address)).toBeUndefined()
      expect(await stores.collateral.get('amd/crl/Genoa/vcek')).toBeUndefined()
      expect(await stores.collateral.list()).toEqual([])
    })
  })

  describe('marks', () => {
    it('only advance, with many replicas at once', async () => {
      const replicas = await Promise.all(Array.from({ length: 4 }, () => open()))
      await Promise.all(replicas.map(({ collateral }, i) => collateral.advanceMark(address, { ...mark, number: BigInt(i) })))
      await replicas[0]?.collateral.advanceMark(address, { number: 1n, thisUpdate: new Date('2026-01-09T00:00:00Z') })
      expect(await replicas[3]?.collateral.mark(address)).toEqual({ number: 3n, thisUpdate: new Date('2026-01-09T00:00:00Z') })
    })

    it('are the strictest on every replica once somebody else changed them', async () => {
      const stores = await open()
      await stores.collateral.advanceMark(address, mark)
      await raw((c) => c.set('assay:marks', 'AAAA'))
      expect(await stores.collateral.mark(address)).toBe('strictest')
      await stores.collateral.advanceMark(address, mark)
      expect(await (await open()).collateral.mark(address)).toBe('strictest')
    })

    it('that were removed are restored by a process that has seen them, also after its restart', async () => {
      const first = await open({ dataDir })
      await first.collateral.advanceMark(address, mark)
      await first.close()
      await raw((c) => c.del('assay:marks'))
      expect(await (await open({ dataDir })).collateral.mark(address)).toEqual(mark)
      expect(await (await open()).collateral.mark(address)).toEqual(mark)
    })

    it('that were put back to an older table are restored', async () => {
      const stores = await open()
      await stores.collateral.advanceMark(address, { ...mark, number: 1n })
      const older = (await raw((c) => c.get('assay:marks'))) ?? ''
      await stores.collateral.advanceMark(address, mark)
      await raw((c) => c.set('assay:marks', older))
      expect(await stores.collateral.mark(address)).toEqual(mark)
      expect(await (await open()).collateral.mark(address)).toEqual(mark)
    })
  })

  describe('the server', () => {
    it('is refused when it may evict marks', async () => {
      const evicting = await startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'volatile-ttl')
      await expect(open({ url: evicting.url })).rejects.toThrow(/noeviction/)
      const careful = await startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'noeviction')
      await expect(open({ url: careful.url }).then((stores) => stores.ping())).resolves.toBeUndefined()
      await Promise.all(opened.splice(0).map((stores) => stores.close()))
      await Promise.all([evicting.close(), careful.close()])
    })

    it('holds one mode under one prefix', async () => {
      await open()
      await expect(open({ mode: 'production' })).rejects.toThrow(/belongs to mode test/)
      await raw((c) => c.set('assay:format', 'assay-store/3 test\n'))
      await expect(open()).rejects.toThrow(/newer version/)
    })

    it('takes no prefix that is a pattern', async () => {
      await expect(open({ prefix: 'a*' })).rejects.toThrow(/prefix/)
    })

    it('that is not there at the start is reported', async () => {
      await expect(open({ url: 'redis://127.0.0.1:1' })).rejects.toThrow(/ECONNREFUSED/)
    })

    it('that hangs or is gone makes every call fail, and none wait for ever', async () => {
      const other = await startRedis()
      const stores = await open({ url: other.url })
      other.process().kill('SIGSTOP')
      await expect(stores.challenges.spend('x', 60)).rejects.toMatchObject({ code: 'not-ready' })
      await other.kill()
      await vi.waitFor(() => expect(stores.ping()).rejects.toMatchObject({ code: 'not-ready' }), { timeout: 10_000 })
      await expect(stores.collateral.mark(address)).rejects.toMatchObject({ code: 'not-ready' })
      await other.restart()
      await vi.waitFor(() => stores.ping(), { timeout: 10_000, interval: 50 })
      await stores.close()
      await other.close()
    })
  })
})
