import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { request, Agent } from 'node:http'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { verifyAudit } from './access/audit-verify.ts'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from '../test/service-process.ts'
import { attest } from './simulator/attest.ts'
import { fakeHost } from './simulator/hosts.ts'

let world: World
let running: ServiceProcess[] = []

beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.close()
})
afterEach(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL')
    await ended
  }
  running = []
})

async function start(more: Readonly<Record<string, unknown>> = {}): Promise<ServiceProcess> {
  const service = await startService(world, { ...world.settings, ...more })
  running.push(service)
  return service
}

const keys = async (url: string) => (await fetch(`${url}/.well-known/jwks.json`)).text()

const asOperator = async (base: string) => (await fetch(`${base}/v1/collateral`, { headers: { authorization: 'Bearer operator' } })).status

const data = () => String(world.settings['data_dir'])

const lists = () => readdirSync(join(data(), 'collateral')).filter((name) => /crl.*\.document$/.test(name))

/** A list counts as soon as it has proved genuine; that it is kept follows. */
async function kept(): Promise<void> {
  await expect.poll(() => lists().length, { timeout: 10_000 }).toBe(9)
}

/** A request whose body is held back until `finish` is called. */
function heldRequest(url: string, body: string) {
  const agent = new Agent({ keepAlive: true })
  const sent = request(`${url}/v1/inspections`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  })
  sent.write(body.slice(0, 10))
  const status = once(sent, 'response').then(([response]: { statusCode?: number; resume: () => void }[]) => {
    response?.resume()
    return response?.statusCode
  })
  return { status, finish: () => sent.end(body.slice(10)) }
}

describe('a service in one process', () => {
  it('gets ready, issues a token, and keeps keys and collateral that only its owner can read', async () => {
    const { url } = await start()
    await untilReady(url)
    const { status, body } = await attest(fakeHost(world.amd, { ships: 'nothing' }), { url })
    expect({ status, body }).toMatchObject({ status: 201, body: { appraisal: { status: 'affirming', mode: 'test' } } })
    for (const name of ['secret', 'token-key', 'audit.jsonl']) expect(statSync(join(data(), name)).mode & 0o077).toBe(0)
    await kept()
    expect(readFileSync(join(data(), 'audit.jsonl'), 'utf8')).toContain('"outcome":"issued"')
  })

  it('keeps its signing key and its collateral over a restart', async () => {
    const before = await start()
    await untilReady(before.url)
    const first = await keys(before.url)
    await kept()
    before.child.kill('SIGTERM')
    expect(await before.ended).toBe(0)
    const asked = world.kds.requests.length
    const after = await start()
    await untilReady(after.url)
    expect(await keys(after.url)).toBe(first)
    expect(world.kds.requests.length).toBe(asked)
  })

  it('lets a request under way finish after SIGTERM, while it refuses new ones, and exits with 0', async () => {
    const { url, child, ended } = await start()
    const host = fakeHost(world.amd)
    const { status, finish } = heldRequest(url, JSON.stringify({ evidence: [host.evidence(new Uint8Array(64))] }))
    await new Promise((done) => setTimeout(done, 200))
    child.kill('SIGTERM')
    await expect
      .poll(() =>
        fetch(`${url}/livez`).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed')
    finish()
    expect(await status).toBe(200)
    expect(await ended).toBe(0)
    expect(existsSync(join(data(), 'lock'))).toBe(false)
  })

  it('ends at once at a second signal', async () => {
    const { url, child, log, ended } = await start()
    const { status } = heldRequest(url, JSON.stringify({ evidence: [] }).padEnd(200))
    status.catch(() => undefined)
    await new Promise((done) => setTimeout(done, 200))
    child.kill('SIGTERM')
    await expect.poll(() => log.some((line) => line.includes('draining'))).toBe(true)
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
  })

  it('takes the data folder over after kill -9, with what it held', async () => {
    const before = await start()
    await untilReady(before.url)
    await kept()
    before.child.kill('SIGKILL')
    await before.ended
    const asked = world.kds.requests.length
    const after = await start()
    await untilReady(after.url)
    expect(world.kds.requests.length).toBe(asked)
  })
})

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

describe('a forged head of operators’ documents', () => {
  it('lets the service start, which answers 503 with an alarm until the head is put back', async () => {
    const data_dir = world.files.path('forged')
    const head = world.files.write('forged/documents/head', 'not one of ours')
    const { url, log } = await start({ data_dir })
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('the policies cannot be confirmed')])
    const { status, body } = await attest(fakeHost(world.amd, { ships: 'nothing' }), { url })
    expect([status, body]).toEqual([503, expect.objectContaining({ code: 'not-ready' })])
    expect(log.join('')).toContain('"alarm":"operators-head-forged"')
    rmSync(head)
    await untilReady(url)
    expect((await attest(fakeHost(world.amd, { ships: 'nothing' }), { url })).status).toBe(201)
  })
})

describe('the audit log', () => {
  it('is one whole chain over processes that were killed in the middle of requests', async () => {
    const host = fakeHost(world.amd)
    const audit_file = world.files.path('killed/audit.jsonl')
    for (let round = 0; round < 3; round += 1) {
      const { child, ended, url } = await start({ audit_file, audit_rotate_bytes: 65_536 })
      await untilReady(url)
      const before = sizeOf(audit_file)
      const asking = Promise.allSettled(Array.from({ length: 60 }, () => attest(host, { url })))
      await expect.poll(() => sizeOf(audit_file)).not.toBe(before)
      child.kill('SIGKILL')
      await ended
      await asking
    }
    const folder = dirname(audit_file)
    const audit = await verifyAudit(readdirSync(folder).map((name) => join(folder, name)))
    expect(audit).toMatchObject({ first: 1, faults: [] })
    expect(audit.head?.seq).toBeGreaterThan(2)
  })

  it('tells what changes in the folders of operators, also while no service runs', async () => {
    const audit_file = world.files.path('folders/audit.jsonl')
    const folder = world.files.path('folders/policies')
    const write = (name: string, more = '') =>
      world.files.write(`folders/policies/${name}.yaml`, `name: ${name}\nsnp: {measurements: ['${'ab'.repeat(48)}']}\n${more}`)
    const told = () =>
      readFileSync(audit_file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { caller: string; file?: { name: string; before: object | null; after: object | null } })
        .flatMap(({ caller, file }) => (file === undefined ? [] : [[caller, file.name, file.before !== null, file.after !== null]]))
    const settings = {
      audit_file,
      policy_dir: folder,
      data_dir: world.files.path('folders/data'),
      audiences: { a: { policies: ['strict'] } },
    }
    write('eu')
    const { child, ended } = await start(settings)
    child.kill('SIGKILL')
    await ended
    write('eu', 'explain: full\n')
    await start(settings)
    expect(told()).toEqual([
      ['files', 'eu', false, true],
      ['files', 'eu', true, true],
    ])
    rmSync(join(folder, 'eu.yaml'))
    await expect.poll(() => told().slice(2), { timeout: 6_000 }).toEqual([['files', 'eu', true, false]])
  }, 30_000)
})

describe('a listener for operators', () => {
  it('is the only place where credentials are looked at', async () => {
    const credentials = [{ name: 'ops', role: 'viewer', token_sha256: createHash('sha256').update('operator').digest('hex') }]
    const { url, log } = await start({ credentials, admin_listen: '127.0.0.1:0' })
    await untilReady(url)
    const port = /"port":(\d+).*"listening for operators"/.exec(log.join('\n'))?.[1]
    expect(await asOperator(`http://127.0.0.1:${port}`)).toBe(200)
    expect(await asOperator(url)).toBe(401)
    expect((await fetch(`${url}/v1/collateral`)).status).toBe(200)
  })
})

/** A certificate for this machine, made now and thrown away with the test. */
function certificate(name: string): { tls_cert: string; tls_key: string } {
  const [tls_key, tls_cert] = [world.files.path('tls.key'), world.files.path('tls.crt')]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', tls_key, '-out', tls_cert, ...subject],
    {
      stdio: 'ignore',
    },
  )
  return { tls_cert, tls_key }
}

/** The name in the certificate that the service shows. */
function shownName(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
    resolve(String(socket.getPeerCertificate().subject.CN))
    socket.destroy()
  })
  socket.on('error', reject)
  return promise
}

describe('TLS', () => {
  it('is served, and a renewed certificate is taken into use', async () => {
    const { url } = await start(certificate('first'))
    const port = Number(new URL(url).port)
    expect(url).toMatch(/^https:/)
    expect(await shownName(port)).toBe('first')
    certificate('second')
    await expect.poll(() => shownName(port), { timeout: 20_000, interval: 200 }).toBe('second')
  })
})

describe('refuses to start', () => {
  it('beside another process in its data folder', async () => {
    const first = await start()
    await expect(start()).rejects.toThrow(/data folder is in use by process/)
    expect(first.child.exitCode).toBeNull()
  })

  it('in another mode in the same data folder', async () => {
    const first = await start()
    first.child.kill('SIGTERM')
    await first.ended
    const production = { mode: 'production', issuer: 'https://attest.example', insecure_test_roots: [], collateral_bundles: [] }
    await expect(start(production)).rejects.toThrow(/ended with 1:[^]*mode/)
  })

  it('in production with a test root', async () => {
    const production = { mode: 'production', issuer: 'https://attest.example', collateral_bundles: [] }
    await expect(start(production)).rejects.toThrow(/ended with 2:[^]*insecure_test_roots .*never trusts a test root/)
  })

  it('in mode demo without the simulator', async () => {
    await expect(start({ mode: 'demo', insecure_test_roots: [], data_dir: world.files.path('demo') })).rejects.toThrow(
      /trusts only roots of the simulator/,
    )
  })

  it('with everything that is wrong, at once', async () => {
    const wrong = start({ processes: 0, colour: 'red', audiences: { default: { policies: ['nowhere'] } } })
    await expect(wrong).rejects.toThrow(/processes[^]*colour/)
  })

  it('with an audience whose policy is not there', async () => {
    await expect(start({ audiences: { default: { policies: ['nowhere'] } } })).rejects.toThrow(/there is no policy nowhere/)
  })

  it('with a root that is none', async () => {
    await expect(start({ insecure_test_roots: [world.files.write('root.der', 'nothing')] })).rejects.toThrow(
      /insecure_test_root .*root\.der/,
    )
  })
})
