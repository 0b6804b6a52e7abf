import { spawn } from 'node:child_process'
import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { ascii, templateData } from '../../test/ima-lists.ts'
import { startWorld, type ServiceProcess, type World } from '../../test/service-process.ts'
import { boot } from '../../test/swtpm-host.ts'
import { EVENT_LOG, FILES, startTpmService } from '../../test/swtpm-service.ts'
import { startSwtpm, swtpmPresent, type AkSpec, type Swtpm } from '../../test/swtpm.ts'

/** What runs the client, which service it asks, and where its TPM listens. */
type Where = { readonly shell?: readonly string[]; readonly url?: string; readonly socket?: string }

const CLIENT = resolve(import.meta.dirname, 'assay-attest')
const SHELLS: readonly { readonly shell: readonly string[] }[] = [{ shell: ['dash'] }, { shell: ['busybox', 'sh'] }]
const LONG = 60_000

type Ended = { readonly code: number | null; readonly out: string; readonly err: string; readonly left: readonly string[] }

async function stop({ child, ended }: ServiceProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended
}

describe.skipIf(!swtpmPresent())('assay-attest --tpm', () => {
  let world: World
  let service: ServiceProcess
  let tpm: Swtpm
  const folder = mkdtempSync(join(tmpdir(), 'assay-attest-tpm-'))
  const eventLog = join(folder, 'event-log')
  const others: ServiceProcess[] = []
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.createP256Ek()
    world = await startWorld()
    service = await start('data')
    await boot(tpm)
    writeFileSync(eventLog, EVENT_LOG)
  }, LONG)
  afterEach(async () => {
    await Promise.all(others.splice(0).map(stop))
  })
  afterAll(async () => {
    await stop(service)
    await world.close()
    await tpm.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (name: string, softwareTpm: 'allow' | 'refuse' = 'allow') =>
    startTpmService(world, tpm, { softwareTpm, data_dir: world.files.path(name) })

  /** Runs the client against the TPM; `left` is what it leaves behind in its TMPDIR. */
  function attest(args: readonly string[], { shell = ['dash'], url = service.url, socket = 'sock' }: Where = {}): Promise<Ended> {
    const [program = 'sh', ...before] = shell
    const temporary = mkdtempSync(join(folder, 'tmp-'))
    const env = { PATH: process.env['PATH'], TMPDIR: temporary, TPM2TOOLS_TCTI: `swtpm:path=${tpm.path(socket)}` }
    const child = spawn(program, [...before, CLIENT, '--tpm', '--url', url, '--event-log', eventLog, ...args], { env, cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    return new Promise((done) => child.once('close', (code) => done({ code, out, err, left: readdirSync(temporary) })))
  }
  /** A state folder of its own, as an option. */
  const stateIn = (): { readonly state: string; readonly option: readonly string[] } => {
    const state = mkdtempSync(join(folder, 'state-'))
    return { state, option: ['--state', state] }
  }

  describe.each(SHELLS)('under $shell', ({ shell }) => {
    it(
      'enrols a key that it makes, and only once',
      async () => {
        // A folder that is not there yet, and a key for each shell.
        const state = join(folder, `new-${shell[0]}`)
        const ak = shell[0] === 'dash' ? '0x81010030' : '0x81010031'
        const args = ['--audience', 'servers', '--key', join(folder, `key-${shell[0]}.pem`), '--state', state, '--ak', ak]
        const first = await attest(args, { shell })
        expect(first).toMatchObject({
          code: 0,
          left: [],
          err: expect.stringMatching(/^assay-attest: enrolled: certificate until .*GMT\n$/),
        })
        const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`))
        const { payload } = await jwtVerify(first.out.trim(), keys, { audience: 'servers', typ: 'demo+JWT' })
        expect(payload['submods']).toMatchObject({ tpm0: { status: 'affirming', assay: { tpm: { ak_trust: 'ek-activation' } } } })
        expect(payload['cnf']).toBeDefined()
        expect(readdirSync(state).toSorted()).toEqual(['ak.name', 'ak.pem'])
        expect((statSync(state).mode & 0o777).toString(8)).toBe('700')
        const certificate = readFileSync(join(state, 'ak.pem'))
        expect(await attest(args, { shell })).toMatchObject({ code: 0, err: '', left: [] })
        expect(readFileSync(join(state, 'ak.pem'))).toEqual(certificate)
      },
      LONG,
    )

    it(
      'sends the list of measured files, and several banks',
      async () => {
        const { option } = stateIn()
        const list = join(folder, `list-${shell[0]}`)
        writeFileSync(list, ascii(FILES))
        await tpm.restart('orderly')
        await boot(tpm)
        await tpm.run('tpm2_pcrextend', ...FILES.map((one) => `10:sha256=${hash('sha256', templateData(one))}`))
        const args = ['--audience', 'measured', '--ima', list, '--event-log', 'none', '--ak', '0x81010032', ...option]
        const good = await attest(args, { shell })
        expect(good).toMatchObject({ code: 0, left: [] })
        expect(decodeJwt(good.out.trim())['submods']).toMatchObject({ tpm0: { assay: { tpm: { ima: { attested_entries: 2 } } } } })
        // In any order; the policy names values of one bank, and every value must be right.
        expect(await attest([...args, '--pcrs', 'sha384:7,4+sha256:9,10,8,0,1,2,3,4,5,6,7'], { shell })).toMatchObject({
          code: 0,
          left: [],
        })
        const lacking = await attest(
          args.filter((_, at) => at !== 2 && at !== 3),
          { shell },
        )
        expect(lacking.err).toContain('HTTP 403 tpm-ima-missing')
      },
      LONG,
    )
  })

  it.each<[AkSpec, readonly string[]]>([
    [{ under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsapss' }, []],
    [{ under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsassa' }, []],
    [{ under: 'p384', algorithm: 'ecc384', hash: 'sha384', scheme: 'ecdsa' }, ['--ek', '0x81010016', '--ek-certificate', '0x01c00016']],
  ])(
    'uses a key that somebody made: %o',
    async (spec, ek) => {
      const { state, option } = stateIn()
      const ak = await tpm.createAk(spec)
      const ended = await attest(['--audience', 'registers', ...option, '--ak', ak.handle, ...ek])
      expect(ended).toMatchObject({ code: 0, left: [] })
      expect(readFileSync(join(state, 'ak.name')).toString('hex')).toBe(ak.name)
    },
    LONG,
  )

  it(
    'makes the endorsement key where the TPM keeps none, and takes its certificate from a file',
    async () => {
      const file = join(folder, 'ek.der')
      writeFileSync(file, await tpm.ekCertificate('rsa'))
      const args = ['--audience', 'registers', ...stateIn().option, '--ek', '0x81010040', '--ak', '0x81010041', '--ek-certificate', file]
      expect(await attest(args)).toMatchObject({ code: 0, left: [] })
      // The service lists this key, so nobody else need vouch for it.
      const none = ['--audience', 'registers', ...stateIn().option, '--ek-certificate', 'none', '--ek', '0x81010040', '--ak', '0x81010041']
      expect(await attest(none)).toMatchObject({ code: 0, left: [] })
    },
    LONG,
  )

  it(
    'sends certificates above that of the endorsement key',
    async () => {
      const chain = join(folder, 'chain.pem')
      writeFileSync(chain, `an intermediate\r\n${tpm.authority.issuer.replaceAll('\n', '\r\n')}${tpm.authority.root}`)
      expect(await attest(['--audience', 'registers', ...stateIn().option, '--ek-chain', chain])).toMatchObject({ code: 0, left: [] })
      writeFileSync(chain, 'no certificate\n')
      expect(await attest(['--audience', 'registers', ...stateIn().option, '--ek-chain', chain])).toMatchObject({ code: 0, left: [] })
    },
    LONG,
  )

  it(
    'enrols again where the certificate of before counts no longer, or ends',
    async () => {
      const { state, option } = stateIn()
      const args = ['--audience', 'registers', ...option]
      expect(await attest(args)).toMatchObject({ code: 0 })
      const before = new X509Certificate(readFileSync(join(state, 'ak.pem'))).serialNumber
      const other = await start('other')
      others.push(other)
      const moved = await attest(args, { url: other.url })
      expect(moved).toMatchObject({ code: 0, left: [] })
      expect(moved.err).toContain('HTTP 422 tpm-ak-cert-chain-invalid')
      expect(moved.err).toContain('enrolling again')
      expect(new X509Certificate(readFileSync(join(state, 'ak.pem'))).serialNumber).not.toBe(before)
      // What is not the name of this key: the certificate of a key that was lost with its TPM.
      writeFileSync(join(state, 'ak.name'), 'another')
      expect((await attest(args, { url: other.url })).err).toContain('enrolled: ')
      writeFileSync(join(state, 'ak.pem'), 'no certificate')
      expect((await attest(args, { url: other.url })).err).toContain('enrolled: ')
    },
    LONG,
  )

  it(
    'says why it is not enrolled, and asks for no token then',
    async () => {
      const strict = await start('strict', 'refuse')
      others.push(strict)
      const { state, option } = stateIn()
      const ended = await attest(['--audience', 'registers', ...option], { url: strict.url })
      expect(ended).toMatchObject({ code: 1, out: '', left: [] })
      expect(ended.err).toContain('not enrolled: HTTP 403 tpm-software-tpm-not-allowed')
      expect(readdirSync(state)).toEqual([])
      writeFileSync(join(folder, 'token'), 'nobody\n')
      const nobody = await attest(['--audience', 'registers', ...option, '--enroller-token', 'token'])
      expect(nobody).toMatchObject({ code: 1, out: '', left: [] })
      expect(nobody.err).toContain('not enrolled: HTTP 401')
    },
    LONG,
  )

  it(
    'keeps what was measured to what was measured',
    async () => {
      const ended = await attest(['--audience', 'servers', ...stateIn().option, '--event-log', 'none'])
      expect(ended).toMatchObject({ code: 1, out: '', left: [] })
      expect(ended.err).toContain('no token: HTTP 403 tpm-eventlog-missing')
    },
    LONG,
  )

  it(
    'gives up where no TPM answers, and on a key that signs by any scheme',
    async () => {
      const { option } = stateIn()
      await tpm.run('tpm2_createprimary', '-C', 'o', '-G', 'ecc', '-c', 'storage.ctx')
      await tpm.run('tpm2_evictcontrol', '-C', 'o', '-c', 'storage.ctx', '0x81010050')
      await tpm.run('tpm2_flushcontext', '-t')
      const storage = await attest([...option, '--ak', '0x81010050'])
      expect(storage).toMatchObject({ code: 4, out: '', left: [] })
      expect(storage.err).toContain('is no attestation key: it has no scheme')
      const silent = await attest(option, { socket: 'nobody' })
      expect(silent).toMatchObject({ code: 4, out: '', left: [] })
      expect(silent.err).toContain('no endorsement key at 0x81010001')
      const missing = await attest([...option, '--ek-certificate', '0x01c0ffff'])
      expect(missing).toMatchObject({ code: 4, out: '', left: [] })
      expect(missing.err).toContain('no certificate of the endorsement key at 0x01c0ffff')
    },
    LONG,
  )

  it.each([
    ['a handle that does not persist', ['--ak', '0x80000001']],
    ['a handle that would be an option', ['--ek', '-c']],
    ['registers without a bank', ['--pcrs', '0,1,2']],
    ['registers of an unknown bank', ['--pcrs', 'md5:0']],
    ['a certificate that is not there', ['--ek-certificate', '/nonexistent']],
    ['a list that is not there', ['--ima', '/nonexistent']],
    ['a log that is not there', ['--event-log', '/nonexistent']],
    ['a credential that is not there', ['--enroller-token', '/nonexistent']],
  ])('refuses %s before anything happens', async (_, args) => {
    const { state, option } = stateIn()
    expect(await attest([...option, ...args])).toMatchObject({ code: 2, out: '', left: [] })
    expect(readdirSync(state)).toEqual([])
  })
})
