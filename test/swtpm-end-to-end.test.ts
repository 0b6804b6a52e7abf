import { createHash } from 'node:crypto'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { bootLog, HOST, LINE, type Event } from './boot-log.ts'
import { text } from './event-log-bytes.ts'
import { ascii, file, templateData } from './ima-lists.ts'
import { startWorld, type ServiceProcess, type World } from './service-process.ts'
import {
  boot,
  bound,
  enrol,
  enrolmentRequest,
  finish,
  HOST_JWK,
  outcomeOf,
  post,
  present,
  registerAfter,
  SELECTION,
  textOf,
  tpmClaims,
  type Shown,
} from './swtpm-host.ts'
import { EVENT_LOG, FILES, startTpmService } from './swtpm-service.ts'
import { startSwtpm, swtpmPresent, type AkSpec, type Swtpm, type SwtpmAk, type SwtpmQuote } from './swtpm.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const ECDSA: AkSpec = { under: 'p384', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa' }
const AKS: readonly AkSpec[] = [
  { under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsassa' },
  { under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsapss' },
  { under: 'p384', algorithm: 'ecc384', hash: 'sha384', scheme: 'ecdsa' },
  { under: 'p256', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa' },
]
const LONG = 60_000

/** The last byte of clockInfo, behind magic, type, qualifiedSigner and extraData (specification tpm.md section 2). */
function saysSafe({ quote }: SwtpmQuote): boolean {
  const view = Buffer.from(quote)
  const extraData = 8 + view.readUInt16BE(6)
  return view[extraData + 2 + view.readUInt16BE(extraData) + 16] === 1
}

/** Extends PCR 10 as the kernel does. */
const measure = (tpm: Swtpm, list: typeof FILES): Promise<string> =>
  tpm.run('tpm2_pcrextend', ...list.map((one) => `10:sha256=${digest(templateData(one))}`))

describe.skipIf(!swtpmPresent())('a host with a TPM in software, and a service of two processes', () => {
  let world: World
  let service: ServiceProcess
  let tpm: Swtpm
  let stranger: Swtpm
  let ak: SwtpmAk
  let pem: string
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.createP256Ek()
    stranger = await startSwtpm({ authorityOf: tpm })
    world = await startWorld()
    service = await startTpmService(world, tpm, { softwareTpm: 'allow', data_dir: world.files.path('data') })
    await boot(tpm)
    ak = await tpm.createAk(ECDSA)
    pem = await enrol(service.url, tpm, ak)
  }, LONG)
  afterAll(async () => {
    service.child.kill('SIGTERM')
    await service.ended
    await world.close()
    await Promise.all([tpm.close(), stranger.close()])
  })

  const shown = (more: Partial<Shown> = {}): Shown => ({ ak, certificate: pem, eventLog: EVENT_LOG, ...more })

  /** One appraisal from challenge to answer. */
  async function attest(audience: string, more: Partial<Shown> = {}) {
    const challenge = await bound(service.url, audience)
    const quotes = [await tpm.quote(more.ak ?? ak, challenge.extraData, SELECTION)]
    return present(challenge, quotes, shown(more))
  }

  /** The same with what the TPM signed changed or replaced. */
  async function attestWith(change: (extraData: Uint8Array) => Promise<SwtpmQuote>, more: Partial<Shown> = {}): Promise<string> {
    const challenge = await bound(service.url, 'servers')
    return outcomeOf(await present(challenge, [await change(challenge.extraData)], shown(more)))
  }

  it('leads from an endorsement key to a token that anybody can verify', async () => {
    const answer = await attest('servers')
    const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(textOf(answer, 'token'), keys, { audience: 'servers', typ: 'demo+JWT', algorithms: ['ES256'] })
    expect(payload['cnf']).toEqual({ jwk: HOST_JWK })
    expect(payload['submods']).toMatchObject({
      tpm0: {
        status: 'affirming',
        policy: { name: 'servers' },
        assay: { tpm: { ak_trust: 'ek-activation', enrolment_basis: 'listed', bank: 'sha256', boot: { secure_boot: true } } },
      },
    })
    expect(tpmClaims(answer)).toMatchObject({
      ak: { name: ak.name, algorithm: 'ecc-p256', attributes_verified: true },
      pcrs: { '4': registerAfter(HOST, 4), '7': registerAfter(HOST, 7), '10': '00'.repeat(32) },
      boot: { kernel_cmdline: LINE },
      clock: { rebooted: null },
    })
  })

  it.each(AKS)(
    'is attested by a key of $algorithm with $scheme under EK $under',
    async (spec) => {
      const key = await tpm.createAk(spec)
      const answer = await attest('servers', { ak: key, certificate: await enrol(service.url, tpm, key) })
      expect(tpmClaims(answer)).toMatchObject({ ak: { name: key.name, scheme: spec.scheme, hash: spec.hash }, ak_trust: 'ek-activation' })
      expect(decodeJwt(textOf(answer, 'token'))['aud']).toBe('servers')
    },
    LONG,
  )

  it(
    'is known again after a resume and a reboot',
    async () => {
      const before = tpmClaims(await attest('servers'))['clock'] as { reset_count: number }
      expect(before).toMatchObject({ rebooted: false, restart_count: 0 })
      await tpm.restart('resume')
      expect(tpmClaims(await attest('servers'))['clock']).toMatchObject({
        reset_count: before.reset_count,
        restart_count: 1,
        rebooted: false,
      })
      await tpm.restart('orderly')
      // The registers are those of a machine that measured nothing yet, whatever log it shows.
      expect(outcomeOf(await attest('servers'))).toBe('422 tpm-eventlog-replay-mismatch')
      await boot(tpm)
      const after = tpmClaims(await attest('servers'))['clock']
      expect(after).toMatchObject({ reset_count: before.reset_count + 1, restart_count: 0, rebooted: true })
    },
    LONG,
  )

  it(
    'is refused where its state was rolled back',
    async () => {
      const [state, saved] = [tpm.path('state'), tpm.path('saved')]
      await tpm.restart('orderly', () => cp(state, saved, { recursive: true }))
      await tpm.restart('orderly')
      await boot(tpm)
      expect(outcomeOf(await attest('servers'))).toBe('201')
      await tpm.restart('orderly', async () => {
        await cp(state, tpm.path('newest'), { recursive: true })
        await rm(state, { recursive: true })
        await cp(saved, state, { recursive: true })
      })
      await boot(tpm)
      expect(outcomeOf(await attest('servers'))).toBe('403 tpm-clock-regressed')
      expect(outcomeOf(await attest('registers'))).toBe('201')
      await tpm.restart('unclean', async () => {
        await rm(state, { recursive: true })
        await cp(tpm.path('newest'), state, { recursive: true })
      })
      await boot(tpm)
      expect(outcomeOf(await attest('servers'))).toBe('201')
    },
    LONG,
  )

  it(
    'says that its clock is not safe after an unclean stop, which a policy may refuse',
    async () => {
      const [strict, lenient] = [await bound(service.url, 'steady'), await bound(service.url, 'servers')]
      // The TPM makes its clock safe at the next whole period of some seconds, which may be at once.
      const both = async () =>
        [await tpm.quote(ak, strict.extraData, SELECTION), await tpm.quote(ak, lenient.extraData, SELECTION)] as const
      let quotes: Awaited<ReturnType<typeof both>>
      do {
        await tpm.restart('unclean')
        await boot(tpm)
        quotes = await both()
      } while (quotes.some(saysSafe))
      expect(outcomeOf(await present(strict, [quotes[0]], shown()))).toBe('403 tpm-clock-unsafe')
      expect(tpmClaims(await present(lenient, [quotes[1]], shown()))['clock']).toMatchObject({ safe: false, rebooted: true })

      const again = await bound(service.url, 'steady')
      let quote: SwtpmQuote
      do quote = await tpm.quote(ak, again.extraData, SELECTION)
      while (!saysSafe(quote))
      expect(tpmClaims(await present(again, [quote], shown()))['clock']).toMatchObject({ safe: true })
    },
    LONG,
  )

  it('is refused with a quote for another challenge, and for a challenge of before', async () => {
    expect(
      await attestWith((extraData) =>
        tpm.quote(
          ak,
          extraData.map((byte) => byte ^ 1),
          SELECTION,
        ),
      ),
    ).toBe('422 tpm-nonce-mismatch')
    const challenge = await bound(service.url, 'servers')
    const quotes = [await tpm.quote(ak, challenge.extraData, SELECTION)]
    expect(outcomeOf(await present(challenge, quotes, shown()))).toBe('201')
    expect(outcomeOf(await present(challenge, quotes, shown()))).toBe('422 challenge-spent')
  })

  it(
    'is refused with another key than the certified one',
    async () => {
      const other = await tpm.createAk(ECDSA)
      expect(outcomeOf(await attest('servers', { ak: other }))).toBe('422 tpm-ak-cert-key-mismatch')
      expect(await attestWith((extraData) => tpm.quote(other, extraData, SELECTION))).toBe('422 tpm-signature-invalid')
      const challenge = await bound(service.url, 'servers')
      const quotes = [await tpm.quote(ak, challenge.extraData, SELECTION)]
      expect(outcomeOf(await present(challenge, quotes, { ak, eventLog: EVENT_LOG }))).toBe('422 tpm-ak-untrusted')
      const two = await bound(service.url, 'servers')
      const mixed = [await tpm.quote(ak, two.extraData, SELECTION), await tpm.quote(other, two.extraData, 'sha384:0,1')]
      expect(outcomeOf(await present(two, mixed, shown()))).toBe('422 tpm-signature-invalid')
    },
    LONG,
  )

  it('is refused with other registers than the policy asks for, or other labels than the TPM signed', async () => {
    const few = await bound(service.url, 'registers')
    const quotes = [await tpm.quote(ak, few.extraData, 'sha256:0,1,2,3')]
    expect(outcomeOf(await present(few, quotes, { ak, certificate: pem }))).toBe('403 tpm-pcr-not-quoted')
    const relabelled = async (extraData: Uint8Array, change: (pcrs: Readonly<Record<string, Uint8Array>>) => object) => {
      const quote = await tpm.quote(ak, extraData, SELECTION)
      return { ...quote, pcrs: { sha256: { ...quote.pcrs['sha256'], ...change(quote.pcrs['sha256'] ?? {}) } } } as SwtpmQuote
    }
    expect(await attestWith((extraData) => relabelled(extraData, (pcrs) => ({ '4': pcrs['5'], '5': pcrs['4'] })))).toBe(
      '422 tpm-pcr-digest-mismatch',
    )
    expect(await attestWith((extraData) => relabelled(extraData, (pcrs) => ({ '16': pcrs['4'] })))).toBe(
      '422 tpm-pcr-values-mismatch-selection',
    )
  })

  it(
    'shows which files it ran, as far as its registers attest them',
    async () => {
      const answered = async (list: typeof FILES) => attest('measured', { imaLog: ascii(list) })
      expect(outcomeOf(await attest('measured'))).toBe('403 tpm-ima-missing')
      await measure(tpm, FILES)
      expect(tpmClaims(await answered(FILES))['ima']).toMatchObject({ attested_entries: 2, boot_aggregate: '0-9', violations: 0 })
      // What the host only tells of is no entry; what it keeps to itself shows.
      expect(tpmClaims(await answered([...FILES, file('/bin/told', 'told')]))['ima']).toMatchObject({ attested_entries: 2 })
      expect(outcomeOf(await answered(FILES.slice(0, 1)))).toBe('422 tpm-ima-replay-mismatch')
      const more = [...FILES, file('/bin/other', 'other')]
      await measure(tpm, more.slice(2))
      expect(outcomeOf(await answered(FILES))).toBe('422 tpm-ima-replay-mismatch')
      expect(outcomeOf(await answered(more))).toBe('403 tpm-ima-not-allowed')
    },
    LONG,
  )

  it('is refused after something else was measured', async () => {
    const other: readonly Event[] = [...HOST, { pcr: 4, type: 0x80000003, data: text('device path'), of: text('MZrootkit') }]
    await boot(tpm, other.slice(-1))
    expect(await attestWith((extraData) => tpm.quote(ak, extraData, SELECTION))).toBe('422 tpm-eventlog-replay-mismatch')
    const honest = { eventLog: bootLog(other) }
    expect(outcomeOf(await attest('servers', honest))).toBe('403 tpm-boot-app-not-allowed')
    expect(outcomeOf(await attest('registers', honest))).toBe('403 tpm-pcr-value-not-allowed')
  })

  it.each<[string, (path: Swtpm['path'], out: readonly string[], nonce: string) => readonly [string, ...string[]]]>([
    ['certify', (path, out) => ['tpm2_certify', '-c', path('ordinary.ctx'), '-C', ak.handle, '-g', 'sha256', ...out, '-f', 'tss']],
    [
      'gettime',
      (path, _, nonce) => ['tpm2_gettime', '-c', ak.handle, '-g', 'sha256', '-q', nonce, '-o', path('sig'), '--attestation', path('att')],
    ],
    [
      'nvcertify',
      (path, _, nonce) => [
        'tpm2_nvcertify',
        '-C',
        ak.handle,
        '-g',
        'sha256',
        '-q',
        nonce,
        '-c',
        'o',
        '-o',
        path('sig'),
        '--attestation',
        path('att'),
        '0x1500016',
      ],
    ],
  ])('does not pass what the TPM signed by %s for a quote', async (_, command) => {
    await tpm.run('tpm2_createprimary', '-C', 'e', '-G', 'ecc', '-c', 'ordinary.ctx')
    await tpm.run('tpm2_flushcontext', '-t')
    await tpm.run('tpm2_nvdefine', '0x1500016', '-C', 'o', '-s', '8').catch(() => 'defined before')
    await writeFile(tpm.path('eight'), Buffer.alloc(8))
    await tpm.run('tpm2_nvwrite', '0x1500016', '-C', 'o', '-i', 'eight')
    const outcome = await attestWith(async (extraData) => {
      const quote = await tpm.quote(ak, extraData, SELECTION)
      await tpm.run('tpm2_flushcontext', '-t')
      await tpm.run(...command(tpm.path, ['-o', tpm.path('att'), '-s', tpm.path('sig')], hex(extraData)))
      return {
        ...quote,
        quote: new Uint8Array(await readFile(tpm.path('att'))),
        signature: new Uint8Array(await readFile(tpm.path('sig'))),
      }
    })
    expect(outcome).toBe('400 tpm-attest-type-not-quote')
  })

  it(
    'neither enrols nor believes a key that signs whatever it is given',
    async () => {
      const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
      await tpm.run('tpm2_createprimary', '-C', 'e', '-G', 'ecc256:ecdsa-sha256:null', '-a', attributes, '-c', 'free.ctx')
      await tpm.run('tpm2_flushcontext', '-t')
      await tpm.run('tpm2_readpublic', '-c', 'free.ctx', '-o', 'free.pub', '-f', 'tss')
      const free: SwtpmAk = { ...ECDSA, handle: 'free.ctx', public: new Uint8Array(await readFile(tpm.path('free.pub'))), name: '' }
      expect(outcomeOf(await post(`${service.url}/v1/tpm/enrolments`, await enrolmentRequest(tpm, 'p384', free.public)))).toBe(
        '422 tpm-ak-not-restricted',
      )
    },
    LONG,
  )

  it(
    'is not enrolled by another secret, by the word of another TPM, or twice',
    async () => {
      const begin = async () => post(`${service.url}/v1/tpm/enrolments`, await enrolmentRequest(tpm, 'p384', ak.public))
      const begun = await begin()
      const blob = Buffer.from(textOf(begun, 'tpm2_tools_credential'), 'base64')
      const secret = await tpm.activate(ak, blob)
      expect(outcomeOf(await finish(service.url, textOf(await begin(), 'state'), secret))).toBe('422 tpm-activation-failed')
      await expect(stranger.activate(await stranger.createAk(ECDSA), blob)).rejects.toThrow('tpm2_activatecredential')
      expect(outcomeOf(await finish(service.url, textOf(begun, 'state'), secret))).toBe('201')
      expect(outcomeOf(await finish(service.url, textOf(begun, 'state'), secret))).toBe('422 tpm-activation-replayed')
    },
    LONG,
  )

  it(
    'is not enrolled where nobody lists its TPM, or where programs are no TPMs',
    async () => {
      const key = await stranger.createAk(ECDSA)
      const unlisted = await enrolmentRequest(stranger, 'p384', key.public)
      expect(outcomeOf(await post(`${service.url}/v1/tpm/enrolments`, unlisted))).toBe('403 tpm-ek-not-listed')
      const strict = await startTpmService(world, tpm, { softwareTpm: 'refuse', data_dir: world.files.path('strict') })
      try {
        const listed = await enrolmentRequest(tpm, 'p384', ak.public)
        expect(outcomeOf(await post(`${strict.url}/v1/tpm/enrolments`, listed))).toBe('403 tpm-software-tpm-not-allowed')
        // Certificates of another service, whose authority has another key, are not believed either.
        const challenge = await bound(strict.url, 'servers')
        const quotes = [await tpm.quote(ak, challenge.extraData, SELECTION)]
        expect(outcomeOf(await present(challenge, quotes, shown()))).toBe('422 tpm-ak-cert-chain-invalid')
      } finally {
        strict.child.kill('SIGTERM')
        await strict.ended
      }
    },
    LONG,
  )
})
