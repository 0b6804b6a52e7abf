import { readFileSync, readdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from '../../test/service-process.ts'
import { verifyAudit } from '../access/audit-verify.ts'
import { attestRequest, attest, requestChallenge } from '../simulator/attest.ts'
import { fakeHost } from '../simulator/hosts.ts'

let world: World
let service: ServiceProcess

beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.close()
})

/** Linux: the processes whose parent this is. */
const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid)

/** Undefined for a process that has ended, also while nobody has asked for its exit code. */
function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return /^State:\s+Z/m.test(status) ? undefined : Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
  } catch {
    return undefined
  }
}

const children = () => childrenOf(service.child.pid ?? 0)

async function start(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const rate_limit = { requests: 100_000, per_seconds: 60 }
  service = await startService(world, { ...world.settings, processes: 2, rate_limit, ...more })
  await untilReady(service.url)
  return service.url
}

afterEach(async () => {
  service.child.kill('SIGKILL')
  await service.ended
})

/** Posts on a connection of its own, so that the kernel spreads the posts over the processes. */
function post(url: string, body: string): Promise<{ status: number; code: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; code: string | undefined }>()
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const sent = request(`${url}/v1/appraisals`, { method: 'POST', agent: new Agent(), headers }, (response) => {
    response.setEncoding('utf8')
    let text = ''
    response.on('data', (part: string) => (text += part))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { code?: string }).code }))
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

describe.skipIf(process.platform !== 'linux')('a service in two processes', () => {
  it('spends a challenge once, whoever of them is asked', async () => {
    const url = await start()
    const host = fakeHost(world.amd)
    const { nonce } = await requestChallenge({ url })
    const body = JSON.stringify(attestRequest(host, nonce ?? new Uint8Array(), {}))
    const answers = await Promise.all(Array.from({ length: 64 }, () => post(url, body)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ code }) => code === 'challenge-spent')).toHaveLength(63)
    // All processes write through one: their lines are one chain, and the policy of the folder is told once.
    const audit = await verifyAudit([join(String(world.settings['data_dir']), 'audit.jsonl')])
    expect(audit).toMatchObject({ lines: 66, first: 1, head: { seq: 66 }, faults: [] })
  })

  it('gives challenges in one process that the other takes', async () => {
    const url = await start()
    const host = fakeHost(world.amd)
    const answers = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const { nonce } = await requestChallenge({ url })
        return post(url, JSON.stringify(attestRequest(host, nonce ?? new Uint8Array(), {})))
      }),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  })

  it('replaces a process that ends unasked, and goes on meanwhile', async () => {
    const url = await start()
    const before = children()
    expect(before).toHaveLength(2)
    process.kill(before[0] ?? 0, 'SIGKILL')
    await expect.poll(() => children().filter((pid) => !before.includes(pid)), { timeout: 15_000 }).toHaveLength(1)
    const { status } = await attest(fakeHost(world.amd), { url })
    expect(status).toBe(201)
    expect(service.log.some((line) => line.includes('ended unasked'))).toBe(true)
  })

  it('shares its port with nobody else', async () => {
    const url = await start()
    const listen = `127.0.0.1:${new URL(url).port}`
    const other = startService(world, { ...world.settings, processes: 2, listen, data_dir: world.files.path('other') })
    await expect(other).rejects.toThrow(/ended with 1:[^]*EADDRINUSE/)
  })

  it('drains all processes after SIGTERM and exits with 0', async () => {
    await start()
    const before = children()
    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
    expect(before.filter((pid) => parentOf(pid) !== undefined)).toEqual([])
  })

  it('leaves no process behind when the parent is killed', async () => {
    await start()
    const before = children()
    service.child.kill('SIGKILL')
    await service.ended
    await expect.poll(() => before.filter((pid) => parentOf(pid) !== undefined), { timeout: 10_000 }).toEqual([])
  })

  it('asks the vendor for each list once, however many processes there are', async () => {
    const before = world.kds.requests.length
    await start({ processes: 4, data_dir: world.files.path('fresh') })
    const lists = world.kds.requests.slice(before).map(({ path }) => path)
    expect(lists).toHaveLength(6)
    expect(new Set(lists).size).toBe(6)
    expect(service.log.filter((line) => line.includes('could not be refreshed'))).toEqual([])
  })
})
