import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'
import { openDocument, sealDocument } from './documents.ts'
import { type KeptMarks, MARKS } from './kept-marks.ts'
import { covers, decodeMarks, encodeMarks, isAddress, type MarkTable, mergedMarks } from './marks.ts'
import { openRecord, sealRecord } from './record.ts'
import { compareAndSet, type RedisParts } from './redis-connection.ts'
import type { CollateralStore, StoredDocument, StoredEntry } from './stores.ts'

/** Milliseconds for which a document is kept after its end: a policy may grant a list days of grace. */
const AFTER_ITS_END = 30 * 24 * 3600 * 1000

/** Vendor documents and marks that all replicas share. `local` holds the highest marks that this process has ever seen. */
export function redisCollateral(parts: RedisParts, local: KeptMarks): CollateralStore {
  const { connection, prefix, keys } = parts
  const key = (address: CollateralAddress): string => `${prefix}document:${address}`
  const mark = async (address: CollateralAddress): Promise<RollbackMark | undefined> => {
    const shared = await sharedMarks(parts)
    if (shared.table === 'strictest') return 'strictest'
    await local.merge(shared.table)
    if (!covers(shared.table, local.table())) await restore(parts, local)
    return local.get(address)
  }
  return {
    get: async (address) => {
      const kept = await connection.ask((client) => client.get(key(address)))
      return kept === null ? undefined : opened(parts, address, kept)
    },
    put: async (document) => {
      const sealed = Buffer.from(sealDocument(keys, document)).toString('base64')
      const expiration = { type: 'PXAT', value: Math.max(1, document.expiresAt.getTime() + AFTER_ITS_END) } as const
      await connection.ask((client) => client.set(key(document.address), sealed, { expiration }))
    },
    list: () => listed(parts),
    mark,
    advanceMark: async (address, next) => {
      await local.advance(address, next)
      await push(parts, local.table())
    },
  }
}

function opened({ keys, log }: RedisParts, address: CollateralAddress, kept: string): StoredDocument | undefined {
  const document = openDocument(keys, address, Buffer.from(kept, 'base64'))
  if (document !== 'forged') return document
  log.error({ alarm: 'document-forged', address }, 'a kept document was changed by somebody else')
  return undefined
}

type SharedMarks = { readonly raw: string; readonly counter: number; readonly table: MarkTable | 'strictest' }

async function sharedMarks({ connection, prefix, keys, log }: RedisParts): Promise<SharedMarks> {
  const raw = (await connection.ask((client) => client.get(`${prefix}marks`))) ?? ''
  if (raw === '') return { raw, counter: 0, table: new Map() }
  const record = openRecord(keys, MARKS, Buffer.from(raw, 'base64'))
  const table = record === 'forged' ? undefined : decodeMarks(record.value)
  if (record !== 'forged' && table !== undefined) return { raw, counter: record.counter, table }
  log.error({ alarm: 'marks-forged' }, 'the rollback marks were changed by somebody else: every revocation list counts as rolled back')
  return { raw, counter: 0, table: 'strictest' }
}

/** Somebody put an older table in place, or removed it: this process remembers better, and says so. */
async function restore(parts: RedisParts, local: KeptMarks): Promise<void> {
  parts.log.error({ alarm: 'marks-rolled-back' }, 'the shared rollback marks went back: the higher ones of this process are restored')
  await push(parts, local.table())
}

/** Brings the shared table up to at least these marks. A table that cannot be believed is left for the operator to remove. */
async function push(parts: RedisParts, marks: MarkTable): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const shared = await sharedMarks(parts)
    if (shared.table === 'strictest' || covers(shared.table, marks)) return
    const value = encodeMarks(mergedMarks(shared.table, marks))
    const sealed = sealRecord(parts.keys, { ...MARKS, counter: shared.counter + 1, value })
    const next = Buffer.from(sealed).toString('base64')
    if ((await compareAndSet(parts.connection, `${parts.prefix}marks`, { held: shared.raw, next })) === next) return
  }
  throw new Error('the shared rollback marks change too often to be advanced')
}

async function listed(parts: RedisParts): Promise<readonly StoredEntry[]> {
  const { connection, prefix } = parts
  const entries = new Map<CollateralAddress, StoredEntry>()
  let cursor = '0'
  do {
    const page = await connection.ask((client) => client.scan(cursor, { MATCH: `${prefix}document:*`, COUNT: 500 }))
    cursor = page.cursor
    const found = page.keys.length === 0 ? [] : await connection.ask((client) => client.mGet(page.keys))
    for (const entry of page.keys.flatMap((key, i) => entryOf(parts, key, found[i] ?? null))) entries.set(entry.address, entry)
  } while (cursor !== '0')
  return [...entries.values()]
}

function entryOf(parts: RedisParts, key: string, kept: string | null): StoredEntry[] {
  const address = key.slice(`${parts.prefix}document:`.length)
  const document = kept !== null && isAddress(address) ? opened(parts, address, kept) : undefined
  return document === undefined ? [] : [{ address: document.address, fetchedAt: document.fetchedAt, expiresAt: document.expiresAt }]
}
