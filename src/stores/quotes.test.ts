import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { forked, killForked } from '../../test/channels.ts'
import { redisPresent, startRedis, type RedisServer } from '../../test/redis-server.ts'
import { createLog } from '../telemetry/log.ts'
import type { QuoteClock } from '../verifiers/tpm/context.ts'
import { fileStores } from './file.ts'
import { memoryStores } from './memory.ts'
import { createQuoteStore, memoryQuotes, type QuoteShelf } from './quotes.ts'
import { redisStores } from './redis.ts'
import type { QuoteStore, Stores } from './stores.ts'

const keys = { stored: createSecretKey(randomBytes(32)) }
const log = createLog('silent')
const at = (clock: number, resetCount = 3, restartCount = 0): QuoteClock => ({ clock: BigInt(clock), resetCount, restartCount })
const AK = `000b${'4a'.repeat(32)}`

const folders: string[] = []
const opened: Stores[] = []
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-quotes-'))
  folders.push(folder)
  return folder
}
const ofFolder = async (dataDir: string): Promise<QuoteStore> => {
  const stores = await fileStores({ dataDir, keys, mode: 'test', log })
  opened.push(stores)
  return stores.quotes
}
const closeAll = async (): Promise<void> => {
  await Promise.all(opened.splice(0).map((stores) => stores.close()))
}

afterEach(async () => {
  killForked()
  await closeAll()
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })))
})

let server: RedisServer | undefined
beforeAll(async () => {
  if (redisPresent()) server = await startRedis()
})
afterAll(() => server?.close())

const ofRedis = async (): Promise<QuoteStore> => {
  const stores = await redisStores({ url: server?.url ?? '', prefix: 'assay:', keys, mode: 'test', log })
  opened.push(stores)
  return stores.quotes
}

const ofParent = async (): Promise<QuoteStore> => {
  const run = await forked(memoryStores())
  return {
    last: async (name) => (await run('quotes', 'last', name)) as QuoteClock | undefined,
    advance: async (name, quote) => (await run('quotes', 'advance', name, quote)) as 'kept' | 'regressed',
  }
}

const kinds: readonly [string, () => Promise<QuoteStore>][] = [
  ['in memory', async () => memoryStores().quotes],
  ['in files', async () => ofFolder(await newFolder())],
  ['at the parent', ofParent],
  ...(redisPresent() ? [['in Redis', ofRedis] as [string, () => Promise<QuoteStore>]] : []),
]

describe.each(kinds)('last quotes %s', (_, open) => {
  it('are kept by key, and only advance', async () => {
    const store = await open()
    const name = `${AK}${randomBytes(4).toString('hex')}`
    expect(await store.last(name)).toBeUndefined()
    expect(await store.advance(name, at(10))).toBe('kept')
    expect(await store.advance(name, at(9))).toBe('regressed')
    expect(await store.last(name)).toEqual(at(10))
    expect(await store.advance(name, at(5, 4))).toBe('kept')
    expect(await store.last(name)).toEqual(at(5, 4))
    expect(await store.last(`${name}00`)).toBeUndefined()
  })

  it('end with the latest of many that arrive at once', async () => {
    const store = await open()
    const name = `${AK}${randomBytes(4).toString('hex')}`
    const answers = await Promise.all([3, 1, 4, 2].map((clock) => store.advance(name, at(clock))))
    expect(answers).toContain('kept')
    expect(await store.last(name)).toEqual(at(4))
  })
})

describe('last quotes in files', () => {
  it('outlive the process', async () => {
    const folder = await newFolder()
    await (await ofFolder(folder)).advance(AK, at(10))
    await closeAll()
    expect(await (await ofFolder(folder)).last(AK)).toEqual(at(10))
  })

  it('that somebody changed let nothing follow', async () => {
    const folder = await newFolder()
    await (await ofFolder(folder)).advance(AK, at(10))
    await closeAll()
    const [name = ''] = await readdir(join(folder, 'quotes'))
    const path = join(folder, 'quotes', name)
    const record = Buffer.from(await readFile(path, 'latin1'), 'base64')
    record[record.length - 3] = (record.at(-3) ?? 0) ^ 1
    await writeFile(path, record.toString('base64'))
    const store = await ofFolder(folder)
    expect(await store.last(AK)).toBe('strictest')
    expect(await store.advance(AK, at(11))).toBe('regressed')
  })
})

describe('a record that is removed or put back', () => {
  it('counts as what the process has seen', async () => {
    const records = new Map<string, string>()
    const shelf: QuoteShelf = {
      read: async (name) => records.get(name),
      replace: async (name, held, next) => records.get(name) === held && records.set(name, next) !== undefined,
    }
    const store = createQuoteStore({ shelf, keys, log })
    await store.advance(AK, at(10))
    const first = new Map(records)
    await store.advance(AK, at(20))
    const removed = [new Map<string, string>(), first]
    for (const earlier of removed) {
      records.clear()
      for (const [name, record] of earlier) records.set(name, record)
      expect(await store.last(AK)).toEqual(at(20))
      expect(await store.advance(AK, at(15))).toBe('regressed')
    }
    expect(await store.advance(AK, at(21))).toBe('kept')
    expect(await createQuoteStore({ shelf, keys, log }).last(AK)).toEqual(at(21))
  })
})

describe('a full table', () => {
  it('refuses new keys and still advances those it knows', async () => {
    const store = createQuoteStore({ shelf: memoryQuotes(1), keys, log })
    await store.advance(AK, at(10))
    await expect(store.advance(`${AK}00`, at(10))).rejects.toMatchObject({ code: 'overloaded' })
    expect(await store.advance(AK, at(11))).toBe('kept')
  })
})
