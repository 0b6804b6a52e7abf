import { spawn } from 'node:child_process'
import { createPublicKey, createSign, createVerify } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { serveFakeTsm, type FakeTsm, type FakeTsmOptions } from '../../src/simulator/configfs-tsm.ts'
import { fakeHost, type FakeHost, type HostOptions } from '../../src/simulator/hosts.ts'
import { fakeTdxHost, type FakeIntelHost } from '../../src/simulator/intel-hosts.ts'
import { fakeIntel } from '../../src/simulator/intel.ts'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from '../../test/service-process.ts'

const CLIENT = resolve(import.meta.dirname, 'assay-attest')
const SHELLS: readonly { readonly shell: readonly string[] }[] = [{ shell: ['dash'] }, { shell: ['busybox', 'sh'] }]

let world: World
let service: ServiceProcess
beforeAll(async () => {
  world = await startWorld()
  service = await startService(world, world.settings)
  await untilReady(service.url)
})
afterAll(async () => {
  service.child.kill('SIGTERM')
  await service.ended
  await world.close()
})

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A folder of its own with a fake configfs-tsm in it. */
const guest = (host: HostOptions = {}, options: FakeTsmOptions = {}): Guest => guestOn(fakeHost(world.amd, host), options)

type Guest = { readonly folder: string; readonly tsm: FakeTsm }

function guestOn(host: FakeHost | FakeIntelHost, options: FakeTsmOptions = {}): Guest {
  const folder = mkdtempSync(join(tmpdir(), 'assay-attest-'))
  const tsm = serveFakeTsm(join(folder, 'tsm'), host, options)
  closing.push(() => {
    tsm.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, tsm }
}

type Ended = { readonly code: number | null; readonly out: string; readonly err: string; readonly left: readonly string[] }

/** Runs the client; `left` is what it leaves behind in its TMPDIR. */
function attest(
  args: readonly string[],
  { tsm, folder }: { tsm: FakeTsm; folder: string },
  shell: readonly string[] = ['dash'],
): Promise<Ended> {
  const [program = 'sh', ...before] = shell
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  const env = { PATH: `${tsm.bin}:${process.env['PATH'] ?? ''}`, TMPDIR: temporary }
  const child = spawn(program, [...before, CLIENT, '--tsm', tsm.report, ...args], { env, cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return new Promise((done) => child.once('close', (code) => done({ code, out, err, left: readdirSync(temporary) })))
}

/** A server that is no Assay. */
async function other(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe.each(SHELLS)('assay-attest under $shell', ({ shell }) => {
  it('writes a token for a key that it makes and keeps', async () => {
    const vm = guest()
    const [key, out] = [join(vm.folder, 'key.pem'), join(vm.folder, 'token.jwt')]
    const args = ['--url', service.url, '--key', key, '--out', out]
    expect(await attest(args, vm, shell)).toEqual({ code: 0, out: '', err: '', left: [] })
    expect([mode(key), mode(out)]).toEqual(['600', '600'])
    const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(readFileSync(out, 'utf8'), keys, { audience: 'default', typ: 'demo+JWT' })
    const { jwk } = payload['cnf'] as { jwk: Record<string, string> }
    const signed = createSign('sha256').update('x').sign(readFileSync(key))
    expect(
      createVerify('sha256')
        .update('x')
        .verify(createPublicKey({ key: jwk, format: 'jwk' }), signed),
    ).toBe(true)

    const before = readFileSync(out, 'utf8')
    expect(await attest(args, vm, shell)).toMatchObject({ code: 0 })
    expect(decodeJwt(readFileSync(out, 'utf8'))['cnf']).toEqual({ jwk })
    expect(readFileSync(out, 'utf8')).not.toBe(before)
    expect(
      readdirSync(vm.folder)
        .toSorted()
        .filter((name) => !name.startsWith('tmp-')),
    ).toEqual(['key.pem', 'token.jwt', 'tsm'])
    expect(readdirSync(vm.tsm.report)).toEqual([])
  })

  it('uses no key that others can read', async () => {
    const vm = guest()
    const key = join(vm.folder, 'key.pem')
    const args = ['--url', service.url, '--key', key]
    expect(await attest(args, vm, shell)).toMatchObject({ code: 0 })
    chmodSync(key, 0o640)
    const ended = await attest(args, vm, shell)
    expect(ended).toMatchObject({ code: 2, out: '', left: [] })
    expect(ended.err).toContain('can be read by others')
  })

  it('binds runtime data, and prints the token without --out', async () => {
    const vm = guest()
    writeFileSync(join(vm.folder, 'data'), Buffer.from([0, 1, 2, 255, 10]))
    const ended = await attest(['--url', service.url, '--runtime-data', 'data', '--policy', 'fleet'], vm, shell)
    expect(ended).toMatchObject({ code: 0, left: [] })
    expect(ended.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(ended.err).toContain('the bound key is forgotten')
  })

  it('keeps the old token and says which check failed when it is refused', async () => {
    const vm = guest({ fields: { policy: 0xb0000n } })
    writeFileSync(join(vm.folder, 'token.jwt'), 'old')
    const ended = await attest(['--url', service.url, '--out', 'token.jwt'], vm, shell)
    expect(ended).toMatchObject({ code: 1, out: '', left: [] })
    expect(ended.err).toContain('HTTP 403 snp-policy-debug-allowed')
    expect(ended.err).toContain('what mends it: ')
    expect(readFileSync(join(vm.folder, 'token.jwt'), 'utf8')).toBe('old')
  })

  it('tries again while the service is undecided, with a new challenge each time', async () => {
    const vm = guest()
    let asked = 0
    const url = await other((request, response) => {
      if (request.url === '/v1/challenges')
        response.writeHead(201).end(JSON.stringify({ nonce: Buffer.alloc(32, (asked += 1)).toString('base64') }))
      else response.writeHead(503, { 'Retry-After': '0' }).end(JSON.stringify({ code: 'collateral-unavailable', detail: 'later, please' }))
    })
    const ended = await attest(['--url', url, '--retries', '2'], vm, shell)
    expect(ended).toMatchObject({ code: 3, out: '', left: [] })
    expect(ended.err).toContain('HTTP 503 collateral-unavailable: later, please')
    expect(ended.err).toContain('trying again in 0 s (2 of 2)')
    expect([asked, vm.tsm.reads()]).toEqual([3, 3])
  })

  it.each([
    ['nobody listens', 'http://127.0.0.1:9', 'cannot reach the service'],
    ['the service sends no challenge', undefined, 'the service sent no challenge'],
  ])('has no verdict when %s', async (_, url, says) => {
    const target = url ?? (await other((__, response) => response.writeHead(201).end('{}')))
    const ended = await attest(['--url', target, '--retries', '0'], guest(), shell)
    expect(ended).toMatchObject({ code: 3, left: [] })
    expect(ended.err).toContain(says)
  })

  it.each([
    ['follows no redirect', 307, ''],
    ['takes no page of a proxy for a refusal', 502, '<h1>Bad Gateway</h1>'],
    ['takes no page of another server for a refusal', 404, '<h1>Not Found</h1>'],
  ])('%s', async (_, status, page) => {
    const url = await other((__, response) => response.writeHead(status, { Location: `${service.url}/v1/challenges` }).end(page))
    const ended = await attest(['--url', url, '--retries', '0'], guest(), shell)
    expect(ended).toMatchObject({ code: 3, out: '' })
    expect(ended.err).toContain(`HTTP ${status} (no code)`)
  })

  it.each(['{"token":"a.b.c"}', 'a.b', ''])('keeps the old token when the answer %j is none', async (answer) => {
    const vm = guest()
    writeFileSync(join(vm.folder, 'token.jwt'), 'old')
    const nonce = Buffer.alloc(32, 1).toString('base64')
    const url = await other(({ url: path }, response) =>
      response.writeHead(201).end(path === '/v1/challenges' ? JSON.stringify({ nonce }) : answer),
    )
    const ended = await attest(['--url', url, '--retries', '0', '--out', 'token.jwt'], vm, shell)
    expect(ended).toMatchObject({ code: 3, out: '', left: [] })
    expect(ended.err).toContain('the service sent no token')
    expect(readFileSync(join(vm.folder, 'token.jwt'), 'utf8')).toBe('old')
  })

  it('lets nothing in an answer steer the terminal', async () => {
    const url = await other((_, response) => response.writeHead(422).end('{"code":"x\u001b[2Jy"}'))
    const ended = await attest(['--url', url], guest(), shell)
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('no challenge: HTTP 422 x[2Jy\n') })
  })

  it('notices that another process used its report entry', async () => {
    const { folder, tsm } = guest(
      {},
      {
        outblob: (report) => {
          for (const name of readdirSync(tsm.report)) writeFileSync(join(tsm.report, name, 'inblob'), 'another')
          return report
        },
      },
    )
    const ended = await attest(['--url', service.url], { folder, tsm }, shell)
    expect(ended).toMatchObject({ code: 4, out: '', left: [] })
    expect(ended.err).toContain('another process changed the report entry')
    expect(readdirSync(tsm.report)).toEqual([])
  })

  it.each([
    ['another provider', { provider: 'arm_cca_guest' }, 'arm_cca_guest'],
    ['an empty report', { outblob: () => new Uint8Array() }, 'an empty report'],
  ])('gives up on %s', async (_, options, says) => {
    const vm = guest({}, options)
    const ended = await attest(['--url', service.url], vm, shell)
    expect(ended).toMatchObject({ code: 4, out: '', left: [] })
    expect(ended.err).toContain(says)
    expect(readdirSync(vm.tsm.report)).toEqual([])
  })

  it('sends the quote of a TDX guest as such', async () => {
    // The service knows nothing of this Intel; that it says so shows that it was sent a quote.
    const ended = await attest(['--url', service.url], guestOn(fakeTdxHost(fakeIntel())), shell)
    expect(ended).toMatchObject({ code: 1, out: '', left: [] })
    expect(ended.err).toContain('tdx-root-ca-untrusted')
  })

  it('gives up without configfs-tsm, and on a key that is none', async () => {
    const vm = guest()
    expect(await attest(['--url', service.url, '--tsm', '/nonexistent'], vm, shell)).toMatchObject({ code: 4, left: [] })
    writeFileSync(join(vm.folder, 'key.pem'), 'no key', { mode: 0o600 })
    const ended = await attest(['--url', service.url, '--key', 'key.pem'], vm, shell)
    expect(ended).toMatchObject({ code: 2, left: [] })
    expect(ended.err).toContain('is not a private key in PEM')
    expect(readFileSync(join(vm.folder, 'key.pem'), 'utf8')).toBe('no key')
  })

  it.each([
    ['no --url', []],
    ['plain http to another machine', ['--url', 'http://attest.example.org']],
    ['an address that only begins like this machine', ['--url', 'http://127.0.0.1:80@attest.example.org']],
    ['another scheme', ['--url', 'file:///etc/passwd']],
    ['an unknown argument', ['--url', 'https://attest.example.org', '--insecure']],
    ['a flag without its value', ['--url']],
    ['an audience that would end a JSON string', ['--url', 'https://attest.example.org', '--audience', 'a","policy":"b']],
    ['an audience with a line break', ['--url', 'https://attest.example.org', '--audience', 'a\nb']],
    ['retries that are no number', ['--url', 'https://attest.example.org', '--retries', 'x']],
    ['runtime data that is not there', ['--url', 'https://attest.example.org', '--runtime-data', '/nonexistent']],
  ])('refuses %s before anything happens', async (_, args) => {
    const vm = guest()
    expect(await attest(args, vm, shell)).toMatchObject({ code: 2, out: '', left: [] })
    expect([vm.tsm.reads(), existsSync(join(vm.folder, 'key.pem'))]).toEqual([0, false])
  })
})
