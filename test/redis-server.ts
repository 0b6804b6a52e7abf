import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { freePort } from './free-port.ts'

/** A real Redis on a free loopback port, with its files in a folder of its own. */
export type RedisServer = {
  readonly url: string
  /** The process, to be stopped and continued by signals. */
  readonly process: () => ChildProcess
  /** Ends it without a word and starts it again over the same files. */
  readonly restart: () => Promise<void>
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Whether redis-server can be run. With CI=true its absence is a failure; elsewhere the caller skips, and this line says so. */
export function redisPresent(): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true
  if (process.env['CI'] === 'true') throw new Error('CI needs redis-server on the PATH')
  process.stderr.write('redis-server not found: the tests that need it are skipped\n')
  return false
}

/** Starts one; everything is written through to disk, so that a restart keeps the keys. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'assay-redis-'))
  const start = (): Promise<ChildProcess> => started(port, ['--dir', folder, ...options])
  let server = await start()
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    process: () => server,
    kill,
    restart: async () => {
      await kill()
      server = await start()
    },
    close: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']

async function started(port: number, options: readonly string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...DURABLE, ...options], { stdio: 'ignore' })
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    socket: { reconnectStrategy: (tries) => (tries > 200 ? new Error('no Redis') : 25) },
  })
  client.on('error', () => undefined)
  await client.connect()
  client.destroy()
  return server
}
