import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootLog, HOST } from '../../test/boot-log.ts'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { ascii, file } from '../../test/ima-lists.ts'
import { akNameOf, TEST_AKS, testEvidence, testQuote } from '../../test/tpm-quotes.ts'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { pem, reportResponse } from '../simulator/envelopes.ts'
import { fakeHost, type FakeHost } from '../simulator/hosts.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost } from '../simulator/intel-hosts.ts'
import { fakeIntel, type FakeIntel } from '../simulator/intel.ts'
import { akCertificate, authority } from '../../test/tpm-trust-lab.ts'
import { publicArea, tpm2b } from '../simulator/tpm-bytes.ts'
import { columns, printable } from './output.ts'

let amd: FakeAmd
let host: FakeHost
let files: Files
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  host = fakeHost(amd)
  files = tempFiles()
})
afterAll(() => files.remove())

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const BANNER = 'UNVERIFIED'
const measurement = () => Buffer.from(host.report(new Uint8Array(64)).subarray(0x90, 0xc0)).toString('hex')

describe('assay inspect', () => {
  it('draws every field of report, table and certificate, and says twice that nothing is proven', async () => {
    const { code, out } = await assay(['inspect', files.write('item.json', host.evidence(new Uint8Array(64)))])
    expect(code).toBe(0)
    expect(out.split(BANNER)).toHaveLength(3)
    for (const name of [
      'measurement',
      'policy.debug_allowed',
      'reported_tcb.parts.microcode',
      'platform_info.alias_check_complete',
      'signature.r',
    ])
      expect(out).toMatch(new RegExp(`^ +${name.replaceAll('.', '\\.')} +\\S`, 'm'))
    expect(out).toContain(measurement())
    expect(out).toContain('hwID')
    expect(out).toMatch(/SNP-01 pass/)
  })

  it.each([
    ['a raw report', (report: Uint8Array) => report],
    ['the answer of a guest driver', reportResponse],
  ])('takes %s', async (_, form) => {
    const { code, out } = await assay(['inspect', files.write('report.bin', form(host.report(new Uint8Array(64)))), '--json'])
    expect([code, JSON.parse(out)]).toMatchObject([0, { verified: false, type: 'snp', report: { measurement: measurement() } }])
  })

  it.each<[string, (fake: FakeIntel) => FakeIntelHost, object]>([
    ['a raw TDX quote', fakeTdxHost, { type: 'tdx', body: { body_type: 'td-report-1.0' } }],
    ['a raw SGX quote', fakeSgxHost, { type: 'sgx', body: { quote_version: 3 } }],
    ['a raw quote of version 5', (fake) => fakeTdxHost(fake, { version: 5 }), { type: 'tdx', body: { quote_version: 5 } }],
  ])('takes %s', async (_, hostOf, expected) => {
    const quote = hostOf(fakeIntel()).quote(new Uint8Array(64))
    const { code, out } = await assay(['inspect', files.write('quote.bin', quote), '--json'])
    expect([code, JSON.parse(out)]).toMatchObject([0, { verified: false, ...expected }])
  })

  const area = publicArea(TEST_AKS.p256.publicKey, TEST_AKS.p256.scheme)
  it.each<[string, Uint8Array, object]>([
    ['attestation of a TPM', testQuote().quote, { quotes: [{ form: 'TPMS_ATTEST', type: 'quote' }] }],
    ['attestation with its length', tpm2b(testQuote().quote), { quotes: [{ form: 'TPM2B_ATTEST' }] }],
    ['public area', area, { ak_public: { form: 'TPMT_PUBLIC', name: akNameOf(testEvidence()) } }],
    ['public area with its length', tpm2b(area), { ak_public: { form: 'TPM2B_PUBLIC' } }],
    ['event log', bootLog(HOST), { event_log: { trusted: false, events: HOST.length } }],
  ])('takes a raw %s', async (_, bytes, expected) => {
    const { code, out } = await assay(['inspect', files.write('structure.bin', bytes), '--json'])
    expect([code, JSON.parse(out)]).toMatchObject([0, { verified: false, type: 'tpm', ...expected }])
  })

  it('draws every part of TPM evidence', async () => {
    const { quotes, akPublic = area } = testEvidence()
    const [{ quote, signature, pcrs }] = [quotes[0] ?? testQuote()]
    const sent = Object.entries(pcrs.sha256 ?? {}).map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')])
    const item = {
      type: 'tpm',
      quotes: [{ quote: base64(quote), signature: base64(signature), pcrs: { sha256: Object.fromEntries(sent.slice(1)) } }],
      ak_public: base64(akPublic),
      event_log: base64(bootLog(HOST)),
      ima_log: base64(ascii([file('/bin/a', 'a')])),
    }
    const { code, out } = await assay(['inspect', files.write('item.json', item)])
    expect(code).toBe(0)
    for (const name of ['qualified_signer', 'clock_info.safe', 'attested.pcr_select.0.hash', 'signature.r', 'key.x', 'sha256:7'])
      expect(out).toMatch(new RegExp(`^ +${name.replaceAll('.', '\\.')} +\\S`, 'm'))
    expect(out).toMatch(/^ +pcrs_missing +sha256:0$/m)
    expect(out).toMatch(/^ +attributes +fixedTPM, fixedParent, .*restricted, sign$/m)
    expect(out).toMatch(/^ +7 +type EV_SEPARATOR \(0x00000004\), events 1$/m)
    expect(out).toMatch(/^ +ima-ng +entries 1$/m)
    expect(out).toMatch(/TPM-33 pass/)
    expect(out).not.toContain('TPM-17')
  })

  it('draws lists of names in one line', async () => {
    const certificate = akCertificate(TEST_AKS.p256.publicKey, authority('root'))
    const { out } = await assay(['inspect', files.write('ak.der', certificate)])
    expect(out).toMatch(/^ +extended_key_usage +2\.23\.133\.8\.3$/m)
  })

  it('names a broken structure of a TPM by its code', async () => {
    const { code, out, err } = await assay(['inspect', files.write('broken.bin', area.subarray(0, -1))])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('tpm-ak-public-malformed')
  })

  it('draws every part of a quote with its chain and its log', async () => {
    const td = fakeTdxHost(fakeIntel(), { eventLog: Uint8Array.of(1) })
    const { code, out } = await assay(['inspect', files.write('item.json', td.evidence(new Uint8Array(64)))])
    expect(code).toBe(0)
    for (const name of ['qe_vendor_id', 'mr_td', 'td_attributes.sept_ve_disable', 'attestation_key.x', 'qe_report.isv_svn'])
      expect(out).toMatch(new RegExp(`^ +${name.replaceAll('.', '\\.')} +\\S`, 'm'))
    expect(out).toContain(Buffer.from(td.pck.fields.ppid).toString('hex'))
    expect(out).toMatch(/^ +sgx_extension\.sgx_tcb_components +7, 7, 2, /m)
    expect(out).toMatch(/TDX-01 pass/)
    expect(out).toMatch(/TDX-83 fail/)
    expect(out).toContain('tdx-event-log-malformed')
  })

  it.each([
    ['DER', (der: Uint8Array) => der],
    ['PEM', (der: Uint8Array) => pem(der)],
  ])('takes a certificate in %s', async (_, form) => {
    const { code, out } = await assay(['inspect', files.write('vcek', form(host.vek.der)), '--json'])
    expect([code, JSON.parse(out)]).toMatchObject([0, { verified: false, type: 'certificate', vek: { kind: 'vcek' } }])
  })

  it('shows forged evidence without a complaint, and every item of a request', async () => {
    const forged = fakeHost(amd, { fields: { tamper: [[0x90, new Uint8Array(48)]] } }).evidence(new Uint8Array(64))
    const { code, out } = await assay([
      'inspect',
      files.write('request.json', { evidence: [forged, host.evidence(new Uint8Array(64))] }),
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toHaveLength(2)
  })

  it('names what cannot be read by its code', async () => {
    const { code, out, err } = await assay(['inspect', files.write('short.bin', host.report(new Uint8Array(64)).subarray(1))])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('snp-report-size')
  })

  it('takes JSON that is no evidence for wrong usage', async () => {
    expect((await assay(['inspect', files.write('other.json', { hello: 1 })])).code).toBe(2)
  })
})

describe('untrusted text', () => {
  it('cannot move the cursor or hide', () => {
    expect(printable('CN=\u001b[2Jevil\u202e\u0000\n')).toBe('CN=\\u001b[2Jevil\\u202e\\u0000\\u000a')
    expect(columns([['\u001b[31mname', '\rvalue']])).toBe('\\u001b[31mname  \\u000dvalue')
  })

  it('is wrapped at blanks, and a digest stays whole', () => {
    const digest = 'ab'.repeat(64)
    const lines = columns([['name', `${'word '.repeat(40)}${digest}`]]).split('\n')
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.some((line) => line.endsWith(digest))).toBe(true)
  })
})
