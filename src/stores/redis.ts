import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Telemetry } from '../telemetry/log.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { checkFormat, formatOf } from './format.ts'
import { keptMarks, memoryMarks } from './kept-marks.ts'
import { compareAndSet, connectRedis, type RedisParts } from './redis-connection.ts'
import { redisChallenges } from './redis-challenges.ts'
import { redisCollateral } from './redis-collateral.ts'
import { createQuoteStore } from './quotes.ts'
import { redisDocuments } from './redis-documents.ts'
import { redisQuotes } from './redis-quotes.ts'
import { pingDocuments } from './revision.ts'
import type { StoreKeys, Stores } from './stores.ts'

/** A prefix belongs to one mode; `keys` are those of that mode, equal on all replicas. */
export type RedisStoreOptions = {
  readonly url: string
  /** In front of every key, for example `assay:`. */
  readonly prefix: string
  readonly keys: StoreKeys
  readonly mode: Mode
  readonly log: Telemetry
  /** Where this process remembers the highest marks it has seen; absent: in memory only. */
  readonly dataDir?: string
}

/**
 * The store that replicas share; it keeps and counts, but is never believed (design section 1.4).
 * Rejects when the server cannot be reached, may evict marks, or holds a store of another mode or a newer version.
 */
export async function redisStores(options: RedisStoreOptions): Promise<Stores> {
  // The prefix is part of the pattern by which documents are listed, so it may hold no wildcard.
  if (!/^[A-Za-z0-9:_-]{1,64}$/.test(options.prefix))
    throw new Error('the prefix of Redis keys may hold letters, digits, ":", "_" and "-" only')
  const connection = await connectRedis(options.url, options.log)
  const parts = { prefix: options.prefix, keys: options.keys, log: options.log, connection }
  try {
    await bindFormat(parts, options.mode)
    const challenges = redisChallenges(parts)
    await challenges.epoch()
    const documents = await redisDocuments(parts, options.dataDir)
    return {
      kind: 'redis',
      challenges,
      collateral: redisCollateral(parts, await localMarks(options)),
      documents,
      quotes: createQuoteStore({ ...parts, shelf: redisQuotes(parts) }),
      ping: async () => {
        await challenges.epoch()
        await connection.ask((client) => client.ping())
        await pingDocuments(documents)
      },
      close: connection.close,
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function bindFormat({ connection, prefix }: RedisParts, mode: Mode): Promise<void> {
  const key = `${prefix}format`
  await connection.ask((client) => client.set(key, formatOf(mode), { condition: 'NX' }))
  const found = await connection.ask((client) => client.get(key))
  const where = `the Redis key ${key}`
  if (checkFormat(found ?? '', { mode, where }) === 'current') return
  // Version 1 is migrated by saying so: it only lacks operators' documents. Another replica may have said it first, or a newer one more.
  const held = await compareAndSet(connection, key, { held: found ?? '', next: formatOf(mode) })
  checkFormat(held, { mode, where })
}

async function localMarks({ dataDir, keys, log }: RedisStoreOptions): ReturnType<typeof keptMarks> {
  if (dataDir === undefined) return memoryMarks()
  const folder = join(dataDir, 'collateral')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return keptMarks({ path: join(folder, 'marks'), keys, log })
}
