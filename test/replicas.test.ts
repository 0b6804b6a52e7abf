import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attest, attestRequest, requestChallenge } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { freePort } from './free-port.ts'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from './service-process.ts'

const present = spawnSync('redis-server', ['--version']).status === 0
if (!present && process.env['CI'] === 'true') throw new Error('CI needs redis-server')
if (!present) process.stderr.write('redis-server not found: the tests of replicas are skipped\n')

let world: World
let redis: ChildProcess
let settings: Readonly<Record<string, unknown>>
const replicas: ServiceProcess[] = []

async function startRedis(port: number): Promise<ChildProcess> {
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const part of child.stdout) if (String(part).includes('Ready to accept connections')) break
  return child
}

async function replica(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<ServiceProcess> {
  const service = await startService(world, { ...settings, data_dir: world.files.path(name), ...more })
  replicas.push(service)
  return service
}

beforeAll(async () => {
  if (!present) return
  world = await startWorld()
  const port = await freePort()
  redis = await startRedis(port)
  const secret = world.files.write('shared-secret', randomBytes(32).toString('base64url'))
  chmodSync(secret, 0o600)
  // The replica whose key is published second signs two seconds later.
  settings = { ...world.settings, redis_url: `redis://127.0.0.1:${port}`, secret_file: secret, jwks_max_age_seconds: 1 }
})

afterAll(async () => {
  for (const { child, ended } of replicas) {
    child.kill('SIGKILL')
    await ended
  }
  if (!present) return
  redis.kill('SIGKILL')
  await world.close()
})

describe.skipIf(!present)('two replicas on one Redis', () => {
  it('take each other’s challenges, and spend each of them once', async () => {
    const [a, b] = await Promise.all([replica('a'), replica('b')])
    await Promise.all([untilReady(a.url), untilReady(b.url)])
    const host = fakeHost(world.amd)
    const { nonce = new Uint8Array() } = await requestChallenge({ url: a.url })
    const request = attestRequest(host, nonce, {})
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, i) => attest(host, { url: i % 2 === 0 ? a.url : b.url, nonce, change: () => request })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    const codes = answers.flatMap(({ status, body }) => (status === 201 ? [] : [(body as { code: string }).code]))
    expect(codes).toEqual(Array.from({ length: 31 }, () => 'challenge-spent'))
  })

  it('drain and exit with 0', async () => {
    const service = await replica('c')
    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  it('do not start without the shared secret', async () => {
    await expect(replica('d', { secret_file: undefined })).rejects.toThrow(/replicas that share Redis must share one secret/)
    await expect(replica('e', { secret_file: world.files.path('absent') })).rejects.toThrow(/absent does not exist/)
  })

  it('do not start in another mode on the same prefix', async () => {
    const production = { mode: 'production', issuer: 'https://attest.example', insecure_test_roots: [], collateral_bundles: [] }
    await expect(replica('f', production)).rejects.toThrow(/ended with 1:[^]*mode/)
  })
})
