import { createClient } from 'redis'
import type { Telemetry } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { StoreKeys } from './stores.ts'

/** Milliseconds for one command: a store that is slower than this is of no use to a request. */
const PATIENCE = 2_000

const clientOf = (url: string, reconnectStrategy: (retries: number, cause: Error) => number | Error) =>
  createClient({
    url,
    // A command that waits for a reconnection could run against another server, whose epoch nobody has compared yet.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    pingInterval: 3_000,
    socket: { connectTimeout: PATIENCE, socketTimeout: 10_000, reconnectStrategy },
  })

/** The part of node-redis that the store uses. */
type RedisClient = ReturnType<typeof clientOf>

/** One connection to Redis that reconnects by itself and fails at once while it cannot. */
export type Connection = {
  /** Runs commands; rejects with `not-ready` when they fail or take too long. */
  readonly ask: <T>(commands: (client: RedisClient) => Promise<T>) => Promise<T>
  /** Called whenever the server at the other end may have changed. */
  readonly onChange: (listener: () => void) => void
  readonly close: () => Promise<void>
}

/** What the parts of the Redis store share. */
export type RedisParts = { readonly connection: Connection; readonly prefix: string; readonly keys: StoreKeys; readonly log: Telemetry }

/** Connects, with a few tries, so that a service which starts together with its Redis finds it. */
export async function connectRedis(url: string, log: Telemetry): Promise<Connection> {
  let wasConnected = false
  const client = clientOf(url, (retries, cause) => {
    if (!wasConnected && retries >= 5) return cause
    return Math.min(100 * 2 ** retries, 3_000)
  })
  const listeners: (() => void)[] = []
  const changed = (): void => listeners.forEach((listener) => listener())
  client.on('ready', changed)
  client.on('reconnecting', changed)
  client.on('end', changed)
  client.on('error', (error: unknown) => {
    changed()
    log.warn({ cause: error instanceof Error ? error.message : 'unknown' }, 'Redis connection failed')
  })
  await client.connect()
  wasConnected = true
  return {
    ask: (commands) => answered(() => commands(client)),
    onChange: (listener) => {
      listeners.push(listener)
    },
    close: async () => {
      client.destroy()
    },
  }
}

async function answered<T>(commands: () => Promise<T>): Promise<T> {
  const patience = Promise.withResolvers<never>()
  const timer = setTimeout(() => patience.reject(new Error('no answer in time')), PATIENCE)
  try {
    return await Promise.race([commands(), patience.promise])
  } catch (cause) {
    throw new AttestationError('not-ready', 'the shared store does not answer', { retryAfter: 2, cause })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Compare and set: writes ARGV[2] if the key holds ARGV[1] (empty: if it holds nothing), and answers with what it holds then.
 * A script, because Redis has no such command and a transaction would need a connection of its own.
 */
const COMPARE_AND_SET = `
local held = redis.call('GET', KEYS[1]) or ''
if held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]`

/** The value of the key after the attempt; equal to `next` exactly when it was written, because every sealed value differs. */
export async function compareAndSet(connection: Connection, key: string, values: { held: string; next: string }): Promise<string> {
  const reply = await connection.ask((client) => client.eval(COMPARE_AND_SET, { keys: [key], arguments: [values.held, values.next] }))
  return typeof reply === 'string' ? reply : ''
}
