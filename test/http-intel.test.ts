import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import type { Fetched } from '../src/collateral/source.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestOptions, type AttestRequest } from '../src/simulator/attest.ts'
import { bootLog } from '../src/simulator/ccel.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost, type QuoteChanges, type TdxHostOptions } from '../src/simulator/intel-hosts.ts'
import { platformAt } from '../src/simulator/intel-levels.ts'
import { fakeIntel, intelDocument, type FakeIntel } from '../src/simulator/intel.ts'
import { pckCrlAddress, rootCaCrlAddress, tcbInfoAddress } from '../src/verifiers/tdx/address.ts'
import { writeVendorDocument } from '../src/verifiers/tdx/document.ts'
import { accepted, challengeFrom, refusal } from './answers.ts'
import { fetchOf, testServices, vendorOf, withIntel, type TestOptions, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

let amd: FakeAmd
let intel: FakeIntel
let td: FakeIntelHost
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  intel = fakeIntel()
  td = fakeTdxHost(intel)
  fixture = await testServices({ amd, intel })
  app = createApp(fixture.services)
  return fixture.stop
})

type Options = Partial<AttestOptions<QuoteChanges>>
const target = (on: App = app) => ({ url: 'http://assay.test', fetch: fetchOf(on) })
const ask = (options: Options = {}, from: FakeIntelHost = td) => attest(from, { ...target(), ...options })
const tdx = (options: TdxHostOptions = {}) => fakeTdxHost(intel, options)

/** Another service on the same vendors, whose Intel answers these addresses in another way; the addresses that were asked for, in order. */
async function service(overrides: (address: string) => Fetched | undefined, options: Partial<TestOptions> = {}) {
  const asked: string[] = []
  const vendor = withIntel(intel, vendorOf(amd), (address) => {
    asked.push(address)
    return overrides(address)
  })
  const made = await testServices({ amd, intel, vendor, ...options })
  return { made, asked, on: createApp(made.services) }
}

const down: Fetched = { outcome: 'unavailable', reason: 'down', retryAfter: 7 }
const found = (bytes: Uint8Array): Fetched => ({ outcome: 'found', bytes })
const TCB_INFO = tcbInfoAddress('tdx', '00806f050000', 'standard')

describe('a genuine TDX guest', () => {
  it('gets a token that says what the appraisal says, and that the published keys verify', async () => {
    const { token, appraisal } = accepted(await ask())
    const jwks = (await (await overSocket(app, '/.well-known/jwks.json')).json()) as JSONWebKeySet
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), { audience: 'default', issuer: fixture.services.issuer })
    const claims = appraisal.evidence[0]?.claims.tdx
    expect(payload).toMatchObject({
      tcb: { hw: 'tdx' },
      hwmodel: 'Intel-TDX',
      dbgstat: 'disabled-since-boot',
      sub: expect.stringMatching(/^urn:assay:cnf:/),
      host_id: expect.stringMatching(/^urn:assay:host:/),
      submods: { cpu0: { status: 'affirming', assay: { tdx: { mr_td: claims?.mr_td, tcb: { status: 'UpToDate' } } } } },
      evidence_digest: appraisal.evidence_digest,
    })
    expect(JSON.stringify(payload)).not.toContain(Buffer.from(td.pck.fields.ppid).toString('hex'))
    expect(appraisal).toMatchObject({ status: 'affirming', evidence: [{ label: 'cpu0', type: 'tdx', fresh: true }] })
    expect(claims).toMatchObject({ quote_version: 4, tcb: { status: 'UpToDate', shortfall: [] }, platform: { pck_ca: 'platform' } })
  })

  it.each<[string, TdxHostOptions]>([
    ['version 5', { version: 5 }],
    ['a TD report 1.5', { body: 'td-report-1.5' }],
    ['a TD report 1.5-Ex', { body: 'td-report-1.5-ex' }],
    ['its PCK chain beside the quote', { certification: 2, ships: 'certificates' }],
    ['zeros behind the quote', { fields: { trailing: new Uint8Array(16 * 1024) } }],
  ])('may send %s', async (_, options) => {
    expect(accepted(await ask({}, tdx(options))).appraisal.evidence[0]?.type).toBe('tdx')
  })

  it('may send what configfs-tsm gives', async () => {
    const { appraisal } = accepted(await ask({}, tdx({ envelope: 'tsm' })))
    expect(appraisal.evidence[0]).toMatchObject({ type: 'tsm', claims: { tdx: { body_type: 'td-report-1.0' } } })
  })

  it('may send the log of its boot, which becomes claims as it leads to the registers', async () => {
    const { bytes: eventLog, rtmrs } = bootLog({ commandLine: 'root=/dev/vda1 ro' })
    const { token, appraisal } = accepted(await ask({}, tdx({ eventLog, fields: { td: { rtmrs } } })))
    const facts = { secure_boot: true, kernel_cmdline: 'root=/dev/vda1 ro' }
    expect(appraisal.evidence[0]?.claims.tdx?.event_log).toMatchObject({ source: 'ccel', replayed: [0, 1, 2, 3], facts })
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(payload).toMatchObject({ submods: { cpu0: { assay: { tdx: { event_log: { replayed: [0, 1, 2, 3] } } } } } })
  })

  it('without a key gets a bearer token of its own where the policy allows it', async () => {
    const subjects = await Promise.all(
      [0, 1].map(async () => {
        const { token } = accepted(await ask({ key: 'none', audience: 'bearer' }))
        return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub
      }),
    )
    expect(subjects).toEqual([expect.stringMatching(/^urn:assay:once:/), expect.stringMatching(/^urn:assay:once:/)])
    expect(new Set(subjects).size).toBe(2)
  })
})

describe('a genuine enclave', () => {
  it.each([3, 4, 5] as const)('gets a token for a quote of version %i', async (version) => {
    const { appraisal } = accepted(await ask({}, fakeSgxHost(intel, { version })))
    expect(appraisal.evidence[0]).toMatchObject({ type: 'sgx', claims: { sgx: { quote_version: version, tcb: { module: null } } } })
  })
})

type Item = Readonly<Record<string, unknown>>
const changed = (change: (item: Item) => Item) => (request: AttestRequest) => ({ ...request, evidence: request.evidence.map(change) })
const quoteChanged = (change: (quote: Buffer) => Uint8Array) =>
  changed((item) => ({ ...item, quote: Buffer.from(change(Buffer.from(String(item['quote']), 'base64'))).toString('base64') }))
const flipped = (at: number) =>
  quoteChanged((quote) => {
    quote[at] = (quote[at] ?? 0) ^ 1
    return quote
  })

/** What is refused, with the status and the code of the answer. */
describe('refused', () => {
  it.each<[string, Options, readonly [status: number, code: string]]>([
    ['an empty quote', { change: quoteChanged(() => new Uint8Array()) }, [400, 'tdx-quote-too-short']],
    ['half a quote', { change: quoteChanged((quote) => quote.subarray(0, 2000)) }, [400, 'tdx-auth-data-truncated']],
    ['zeros without end', { fields: { trailing: new Uint8Array(17 * 1024) } }, [400, 'tdx-quote-trailing-data']],
    ['bytes behind the quote', { fields: { trailing: Uint8Array.of(0, 0, 0, 1) } }, [400, 'tdx-quote-trailing-data']],
    ['33 KiB', { change: quoteChanged(() => new Uint8Array(33 * 1024)) }, [400, 'tdx-quote-too-large']],
    ['a quote that no service reads', { change: quoteChanged(() => new Uint8Array(65 * 1024)) }, [400, 'request-malformed']],
    ['16 MB', { change: quoteChanged(() => new Uint8Array(16_000_000)) }, [413, 'request-too-large']],
    ['a quote of version 6', { fields: { version: 6 } }, [400, 'tdx-quote-version-unsupported']],
    ['a parsed quote', { change: changed((item) => ({ ...item, quote: { header: {}, body: {} } })) }, [400, 'request-malformed']],
    ['an SGX quote as tdx', { change: changed((item) => ({ ...item, type: 'tdx' })) }, [400, 'tdx-tee-type-mismatch']],
    ['one bit in MRTD', { change: flipped(48 + 136) }, [422, 'tdx-quote-invalid-signature']],
    ['one bit in REPORTDATA', { change: flipped(48 + 520) }, [422, 'tdx-quote-invalid-signature']],
    ['another attestation key', { fields: { attestationKey: randomBytes(64) } }, [422, 'tdx-attestation-key-invalid']],
    [
      'too many certificates',
      { change: changed((item) => ({ ...item, certificates: Array(10_000).fill('MAA=') })) },
      [400, 'request-malformed'],
    ],
    ['a log without sense', { change: changed((item) => ({ ...item, event_log: 'AAAA' })) }, [400, 'tdx-event-log-malformed']],
    [
      'a log longer than the service takes',
      { change: changed((item) => ({ ...item, event_log: Buffer.alloc(1024 * 1024 + 1).toString('base64') })) },
      [400, 'request-malformed'],
    ],
    ['a TD that its host can debug', { fields: { td: { tdAttributes: 0x1000_0001n } } }, [403, 'tdx-td-debug']],
    ['a TD that the policy does not list', { fields: { td: { mrTd: randomBytes(48) } } }, [403, 'tdx-mrtd-not-allowed']],
    ['a service TD', { fields: { td: { mrServiceTd: randomBytes(48) } } }, [403, 'tdx-mrservicetd-not-allowed']],
    ['every TD under the built-in policy', { policy: 'strict' }, [403, 'tdx-mrtd-policy-missing']],
  ])('%s', async (name, options, expected) => {
    const host = name === 'an SGX quote as tdx' ? fakeSgxHost(intel) : tdx(name === 'a service TD' ? { body: 'td-report-1.5' } : {})
    expect(refusal(await ask(options, host))).toEqual(expected)
  })

  it('a log that leads elsewhere', async () => {
    const { bytes: eventLog } = bootLog()
    expect(refusal(await ask({}, tdx({ eventLog })))).toEqual([422, 'tdx-event-log-replay-mismatch'])
  })

  it('a quote over another nonce, another audience, or made before', async () => {
    const nonce = await challengeFrom(target())
    const taken: AttestRequest[] = []
    const keep = (request: AttestRequest) => {
      taken.push(request)
      return request
    }
    accepted(await ask({ nonce, change: keep }))
    const [first] = taken
    expect(refusal(await ask({ nonce, change: () => first }))).toEqual([422, 'challenge-spent'])
    const fresh = Buffer.from(await challengeFrom(target())).toString('base64')
    expect(refusal(await ask({ change: () => ({ ...first, nonce: fresh, cnf_jwk: undefined, cnf_proof: undefined }) }))).toEqual([
      422,
      'tdx-report-data-mismatch',
    ])
    expect(refusal(await ask({ key: 'none', change: (request) => ({ ...request, audience: 'open' }) }))).toEqual([
      422,
      'tdx-report-data-mismatch',
    ])
  })

  it('a platform that Intel has revoked', async () => {
    const revoked = writeVendorDocument({
      body: intel.crl({ issuer: 'platform', revoked: [td.pck.serial] }),
      issuerChain: intel.document({ kind: 'pck-crl', ca: 'platform' }).issuerChain,
    })
    const { made, on } = await service((address) => (address === pckCrlAddress('platform') ? found(revoked) : undefined))
    expect(refusal(await ask(target(on)))).toEqual([422, 'tdx-pck-cert-revoked'])
    expect(refusal(await ask({}, tdx({ pck: platformAt('Revoked') })))).toEqual([422, 'tdx-tcb-revoked'])
    await made.stop()
  })

  it('a platform that is out of date, with what it lacks', async () => {
    const answer = await ask({}, tdx({ pck: platformAt('OutOfDate') }))
    const { code, checks = [] } = problem.parse(answer.body)
    expect([answer.status, code]).toEqual([403, 'tdx-tcb-status-not-accepted'])
    const failed = checks.find((check) => check.code === code)
    expect(failed?.actual).toContain('sgx component 7 (OS/VMM, SEAMLDR ACM): 5, needs 9')
    expect(failed?.actual).toContain('INTEL-SA-01245')
  })
})

describe('an Intel of somebody else', () => {
  it('is refused before anything is fetched', async () => {
    const { made, on, asked } = await service(() => undefined)
    const before = asked.length
    expect(refusal(await ask(target(on), fakeTdxHost(fakeIntel())))).toEqual([422, 'tdx-root-ca-untrusted'])
    expect(asked.slice(before)).toEqual([])
    await made.stop()
  })
})

describe('without a document of Intel’s', () => {
  it.each<[string, { missing: string; answer: Fetched; code: string }]>([
    ['TCB info cannot be had', { missing: TCB_INFO, answer: down, code: 'collateral-unavailable' }],
    ['Intel knows no such platform', { missing: TCB_INFO, answer: { outcome: 'not-found' }, code: 'collateral-unavailable' }],
    ['the root’s list cannot be had', { missing: rootCaCrlAddress, answer: down, code: 'tdx-root-crl-missing' }],
    ['the list of PCKs cannot be had', { missing: pckCrlAddress('platform'), answer: down, code: 'tdx-pck-crl-missing' }],
  ])('%s: nothing is decided, and the challenge stays good', async (_, { missing, answer, code }) => {
    const { made, on } = await service((address) => (address === missing ? answer : undefined))
    const nonce = await challengeFrom(target(on))
    const refused = await ask({ ...target(on), nonce })
    expect(refusal(refused)).toEqual([503, code])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // Another replica has what is missing, so that nobody has to wait for the vendor's pause to end.
    const { made: other, on: elsewhere } = await service(() => undefined, { services: { challenges: made.services.challenges } })
    accepted(await ask({ ...target(elsewhere), nonce }))
    await Promise.all([made.stop(), other.stop()])
  })

  it('documents that are forged are not taken for it', async () => {
    const forged = fakeIntel()
    const { made, on } = await service((address) => found(intelDocument(forged, address as typeof TCB_INFO)))
    expect(refusal(await ask(target(on)))[0]).toBe(503)
    await made.stop()
  })
})

const earlyStatus = async () => accepted(await ask()).appraisal.evidence[0]?.claims.tdx?.tcb.early_status

describe('the early documents', () => {
  it('are fetched in the background, and warn before a recovery bites', async () => {
    await earlyStatus()
    await expect.poll(earlyStatus, { timeout: 5_000 }).toBe('OutOfDate')
  })
})
