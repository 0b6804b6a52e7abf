import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileMemory, processMemory } from './head-memory.ts'
import { believed } from './file-documents.ts'
import { createDocumentStore } from './ledger.ts'
import type { RedisParts } from './redis-connection.ts'
import { type Shelf, START_CHARACTERS } from './shelf.ts'
import type { DocumentStore } from './stores.ts'
import { watchHead } from './watched-head.ts'

/**
 * Writes records, then the head that lists them, if the head still holds ARGV[1] (empty: nothing); then drops what it replaced. One script,
 * because all of it must be seen at once. KEYS: head, records to write, records to drop; ARGV: held, next, number of records, the records.
 */
const COMMIT = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local puts = tonumber(ARGV[3])
for i = 1, puts do redis.call('SET', KEYS[1 + i], ARGV[3 + i]) end
redis.call('SET', KEYS[1], ARGV[2])
for i = puts + 2, #KEYS do redis.call('DEL', KEYS[i]) end
return 1`

/** Operators' documents that all replicas share. With a data folder this process remembers the highest head over restarts. */
export async function redisDocuments(parts: RedisParts, dataDir: string | undefined): Promise<DocumentStore> {
  const { keys, log } = parts
  const ledger = { shelf: redisShelf(parts), memory: await memoryIn(dataDir, parts), keys, log }
  await believed(
    watchHead(ledger)
      .current()
      .then(() => undefined),
  )
  return createDocumentStore(ledger)
}

async function memoryIn(dataDir: string | undefined, { keys, log }: RedisParts): Promise<ReturnType<typeof processMemory>> {
  if (dataDir === undefined) return processMemory()
  const folder = join(dataDir, 'documents')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return fileMemory({ path: join(folder, 'highest-head'), keys, log })
}

const encode = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64')
const decode = (text: string | null): Uint8Array | undefined => (text === null ? undefined : new Uint8Array(Buffer.from(text, 'base64')))

function redisShelf({ connection, prefix }: RedisParts): Shelf {
  const headKey = `${prefix}operators:head`
  const keyOf = (ref: string): string => `${prefix}operators:record:${ref}`
  return {
    head: async () => decode(await connection.ask((client) => client.get(headKey))),
    headStart: async () => (await connection.ask((client) => client.getRange(headKey, 0, START_CHARACTERS - 1))) ?? '',
    get: async (ref) => decode(await connection.ask((client) => client.get(keyOf(ref)))),
    commit: async (held, { head, puts, drops }) => {
      const keys = [headKey, ...[...puts.keys(), ...drops].map(keyOf)]
      const values = [encode(held), encode(head), String(puts.size), ...[...puts.values()].map(encode)]
      return (await connection.ask((client) => client.eval(COMMIT, { keys, arguments: values }))) === 1
    },
  }
}
