import { randomBytes } from 'node:crypto'
import { AttestationError } from '../verifiers/problems.ts'
import { openRecord, sealRecord } from './record.ts'
import { compareAndSet, type RedisParts } from './redis-connection.ts'
import type { ChallengeStore } from './stores.ts'

/** The epoch as stored: 4 bytes, then the `run_id` of the primary under which it was drawn. `raw` is the whole record as kept. */
type Epoch = { readonly bytes: Uint8Array; readonly runId: string; readonly counter: number; readonly raw: string }

/** Milliseconds for which a measured clock offset is used again. */
const OFFSET_AGE = 10_000

/**
 * Challenges that all replicas share. A restarted or promoted primary may have lost marks, and both show as another `run_id`:
 * it is compared on every connection, and a difference draws a new epoch for everybody.
 */
export function redisChallenges(parts: RedisParts): ChallengeStore {
  const { connection, prefix } = parts
  const epoch = rememberedEpoch(parts)
  return {
    epoch: async () => (await epoch.get()).bytes,
    spend: async (id, ttlSeconds) => {
      const expected = await epoch.get()
      const [held, set] = await connection.ask((client) =>
        client.multi().get(`${prefix}epoch`).set(`${prefix}spent:${id}`, '1', ifAbsent(ttlSeconds)).execTyped(),
      )
      // Marks count only in the epoch under which they are set: a store that was emptied meanwhile says so in the same transaction.
      if (held === expected.raw) return set === 'OK'
      epoch.forget()
      throw new AttestationError('not-ready', 'the shared store was emptied or replaced', { retryAfter: 1 })
    },
    pay: async (id, digest, ttlSeconds) => {
      const key = `${prefix}paid:${id}`
      const [, paidFor] = await connection.ask((client) => client.multi().set(key, digest, ifAbsent(ttlSeconds)).get(key).execTyped())
      return paidFor === digest
    },
    clockOffset: clockOffsetOf(parts),
  }
}

const ifAbsent = (ttlSeconds: number) => ({ condition: 'NX', expiration: { type: 'EX', value: Math.ceil(ttlSeconds) } }) as const

/** The epoch of the server that is connected now; asked again after every change of the connection. */
function rememberedEpoch(parts: RedisParts): { get: () => Promise<Epoch>; forget: () => void } {
  let known: Promise<Epoch> | undefined
  const forget = (): void => {
    known = undefined
  }
  parts.connection.onChange(forget)
  return {
    forget,
    get: () => {
      known ??= agreeOnEpoch(parts).catch((error: unknown) => {
        forget()
        throw error
      })
      return known
    },
  }
}

async function agreeOnEpoch(parts: RedisParts): Promise<Epoch> {
  const runId = await checkedRunId(parts)
  const key = `${parts.prefix}epoch`
  let raw = (await parts.connection.ask((client) => client.get(key))) ?? ''
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const held = openEpoch(parts, raw)
    if (held?.runId === runId) return held
    raw = await compareAndSet(parts.connection, key, { held: raw, next: drawEpoch(parts, runId, (held?.counter ?? 0) + 1) })
  }
  throw new AttestationError('not-ready', 'the replicas do not agree on an epoch', { retryAfter: 2 })
}

function drawEpoch({ keys }: RedisParts, runId: string, counter: number): string {
  const value = Buffer.concat([randomBytes(4), Buffer.from(runId)])
  return Buffer.from(sealRecord(keys, { ...EPOCH, counter, value })).toString('base64')
}

const EPOCH = { purpose: 'epoch', name: 'challenges' } as const

function openEpoch({ keys, log }: RedisParts, raw: string): Epoch | undefined {
  if (raw === '') return undefined
  const record = openRecord(keys, EPOCH, Buffer.from(raw, 'base64'))
  if (record === 'forged') {
    log.error({ alarm: 'epoch-forged' }, 'the epoch of challenges was changed by somebody else: a new one is drawn')
    return undefined
  }
  const bytes = new Uint8Array(record.value.subarray(0, 4))
  return { bytes, runId: Buffer.from(record.value.subarray(4)).toString(), counter: record.counter, raw }
}

/** The identity of the server process. A server that may drop keys under memory pressure could drop marks and keep the epoch. */
async function checkedRunId({ connection }: RedisParts): Promise<string> {
  const [server, memory] = await Promise.all([
    connection.ask((client) => client.info('server')),
    connection.ask((client) => client.info('memory')),
  ])
  const runId = /^run_id:(\w+)\r?$/m.exec(server)?.[1]
  if (runId === undefined) throw new AttestationError('not-ready', 'Redis does not tell its run_id', { retryAfter: 30 })
  const policy = /^maxmemory_policy:([\w-]+)\r?$/m.exec(memory)?.[1]
  if (!/^maxmemory:0\r?$/m.test(memory) && policy !== 'noeviction')
    throw new AttestationError('not-ready', 'Redis may evict keys: set maxmemory-policy to noeviction', { retryAfter: 30 })
  return runId
}

function clockOffsetOf({ connection }: RedisParts): () => Promise<number> {
  let measured: { at: number; offset: Promise<number> } | undefined
  const measure = async (): Promise<number> => {
    const sent = Date.now()
    const [seconds, micros] = await connection.ask((client) => client.time())
    return Number(seconds) * 1000 + Number(micros) / 1000 - (sent + Date.now()) / 2
  }
  return () => {
    if (measured === undefined || performance.now() - measured.at > OFFSET_AGE) {
      const offset = measure()
      // An offset that could not be measured is asked for again at once.
      offset.catch(() => (measured = undefined))
      measured = { at: performance.now(), offset }
    }
    return measured.offset
  }
}
