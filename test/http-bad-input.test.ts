import * as fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestOptions, type AttestRequest } from '../src/simulator/attest.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { refusal } from './answers.ts'
import { fetchOf, testServices, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

let amd: FakeAmd
let host: FakeHost
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Genoa'] })
  host = fakeHost(amd, { ships: 'certificates' })
  fixture = await testServices({ amd })
  app = createApp(fixture.services)
  return fixture.stop
})

const ask = (options: Partial<AttestOptions> = {}, from: FakeHost = host) =>
  attest(from, { url: 'http://assay.test', fetch: fetchOf(app), ...options })
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

type Item = { report?: unknown; certificates?: readonly string[]; cert_table?: string }
/** A request whose one item is changed. */
const changed = (change: (item: Item) => Item) => (request: AttestRequest) => ({
  ...request,
  evidence: request.evidence.map((item) => (item.type === 'snp' ? { ...item, ...change(item) } : item)),
})
const reportChanged = (change: (report: Buffer) => Uint8Array) =>
  changed((item) => ({ ...item, report: base64(change(Buffer.from(String(item.report), 'base64'))) }))

const flipped = (report: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(report)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const SIGNATURE = 0x2a0
/** R or S as 72 little-endian bytes. */
const signatureWith = (r: Uint8Array, s: Uint8Array) =>
  reportChanged((report) => {
    const copy = Buffer.from(report)
    copy.fill(0, SIGNATURE)
    copy.set(r, SIGNATURE)
    copy.set(s, SIGNATURE + 72)
    return copy
  })
const ONE = Uint8Array.of(1)
/** The order of P-384 (FIPS 186-4 D.1.2.4), little-endian. */
const ORDER = new Uint8Array(Buffer.from(`${'f'.repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`, 'hex')).toReversed()

describe('reports that are none', () => {
  it.each<[string, (report: Buffer) => Uint8Array, string]>([
    ['empty', () => new Uint8Array(), 'snp-report-size'],
    ['one byte long', (r) => r.subarray(0, 1), 'snp-report-size'],
    ['truncated', (r) => r.subarray(0, 1183), 'snp-report-size'],
    ['a byte too long', (r) => Buffer.concat([r, Buffer.alloc(1)]), 'snp-report-size'],
    ['random', () => new Uint8Array(1184).fill(0xa5), 'snp-report-version-unsupported'],
    ['zero', () => new Uint8Array(1184), 'snp-report-version-unsupported'],
    ['the parsed report as JSON', () => Buffer.from('{"version": 5}'), 'snp-envelope-not-raw'],
    ['an HCL report', (r) => Buffer.concat([Buffer.from('HCLA'), Buffer.alloc(28), r]), 'snp-envelope-not-raw'],
    ['the wrapped form', (r) => Buffer.concat([Buffer.alloc(32), r]), 'snp-report-size'],
  ])('%s', async (_, change, code) => {
    expect(refusal(await ask({ change: reportChanged(change) }))).toEqual([400, code])
  })

  it.each<[string, unknown, string]>([
    ['an object, as parsed reports are', { version: 5 }, 'snp-envelope-not-raw'],
    ['a list', [5], 'request-malformed'],
    ['null', null, 'request-malformed'],
    ['a number', 5, 'request-malformed'],
  ])('that are no text: %s', async (_, report, code) => {
    expect(refusal(await ask({ change: changed((item) => ({ ...item, report })) }))).toEqual([400, code])
  })

  it.each<[string, Uint8Array, Uint8Array]>([
    ['r is zero', new Uint8Array(), ONE],
    ['s is zero', ONE, new Uint8Array()],
    ['r is the order', ORDER, ONE],
    ['s is the order', ONE, ORDER],
    ['r is above 384 bits', new Uint8Array(72).fill(0xff), ONE],
  ])('whose signature cannot be one: %s', async (_, r, s) => {
    expect(refusal(await ask({ change: signatureWith(r, s) }))).toEqual([400, 'snp-signature-out-of-range'])
  })

  it('whose signature is another number', async () => {
    expect(refusal(await ask({ change: signatureWith(ONE, ONE) }))).toEqual([422, 'snp-signature-invalid'])
  })

  it('with any single bit changed are refused, and never with a 5xx', async () => {
    // Every 37th bit: each byte of the report is met within a few runs of its neighbours; all bits are flipped in process elsewhere.
    const bits = Array.from({ length: Math.ceil((1184 * 8) / 37) }, (_, i) => i * 37)
    const statuses = await Promise.all(
      bits.map(async (bit) => refusal(await ask({ change: reportChanged((report) => flipped(report, bit)) }))[0]),
    )
    expect(statuses.filter((status) => status !== 400 && status !== 422)).toEqual([])
  })
})

describe('certificates that are none', () => {
  const nested = Buffer.concat(Array.from({ length: 30_000 }, () => Buffer.from([0x30, 0x80])))
  const block = (der: Uint8Array) => `-----BEGIN CERTIFICATE-----\n${base64(der)}\n-----END CERTIFICATE-----\n`

  it.each<[string, string, string]>([
    ['empty', '', 'snp-certificate-malformed'],
    ['one byte', base64(Uint8Array.of(0x30)), 'snp-certificate-malformed'],
    ['random', base64(randomBytes(1400)), 'snp-certificate-malformed'],
    ['DER that is nested 15,000 deep', base64(nested.subarray(0, 30_000)), 'snp-certificate-malformed'],
    ['PEM of DER that is nested', block(nested.subarray(0, 20_000)), 'snp-certificate-malformed'],
    ['a PEM bomb', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'.repeat(1_000), 'snp-certificate-malformed'],
    ['a PEM bomb over the limit', block(randomBytes(60)).repeat(10_000), 'request-malformed'],
    ['another PEM label', block(randomBytes(60)).replaceAll('CERTIFICATE', 'PRIVATE KEY'), 'snp-certificate-malformed'],
  ])('%s', async (_, certificate, code) => {
    expect(refusal(await ask({ change: changed((item) => ({ ...item, certificates: [certificate] })) }))).toEqual([400, code])
  })

  it('of another chip or product are named', async () => {
    const other = (product: 'Milan' | 'Genoa') => fakeHost(amd, { product }).vek
    const answers = [await ask({}, fakeHost(amd, { wrongVek: other('Milan') })), await ask({}, fakeHost(amd, { wrongVek: other('Genoa') }))]
    expect(answers.map(refusal)).toEqual([
      [422, 'snp-vcek-hwid-mismatch'],
      [422, 'snp-product-mismatch'],
    ])
  })

  it('in a table that is random are refused', async () => {
    const tables = [randomBytes(16), Buffer.alloc(24, 1), randomBytes(4096)]
    const answers = await Promise.all(tables.map((table) => ask({ change: changed((item) => ({ ...item, cert_table: base64(table) })) })))
    expect(answers.map(refusal)).toEqual(tables.map(() => [400, 'snp-cert-table-malformed']))
  })
})

async function post(path: string, body: string) {
  const response = await overSocket(app, path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { status: response.status, body: await response.json() }
}

describe('anything at all', () => {
  it('is answered with a problem of the caller', async () => {
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.base64String({ maxLength: 80 }), fc.constant(base64(new Uint8Array(1184))))
    const item = fc.record(
      {
        type: fc.constantFrom('snp', 'tsm', 'tdx', ''),
        report: text,
        report_response: text,
        cert_table: text,
        certificates: fc.array(text, { maxLength: 3 }),
        provider: fc.constantFrom('sev_guest', 'tdx_guest', 'other'),
        outblob: text,
      },
      { requiredKeys: ['type'] },
    )
    const request = fc.record(
      {
        evidence: fc.oneof(fc.array(item, { maxLength: 3 }), fc.jsonValue()),
        nonce: text,
        relying_party_nonce: text,
        binding: fc.constantFrom('hash', 'nonce', 'none'),
        runtime_data: text,
        cnf_jwk: fc.jsonValue(),
        cnf_proof: text,
        audience: fc.constantFrom('default', 'relying-party', 'nobody'),
        policy: text,
      },
      { requiredKeys: ['evidence'] },
    )
    await fc.assert(
      fc.asyncProperty(request, fc.constantFrom('/v1/appraisals', '/v1/inspections'), async (body, path) => {
        const [status] = refusal(await post(path, JSON.stringify(body)))
        expect([400, 403, 422]).toContain(status)
      }),
      { seed: 20261123, numRuns: 400 },
    )
  })
})
