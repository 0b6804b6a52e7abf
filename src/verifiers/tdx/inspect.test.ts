import { beforeAll, describe, expect, it } from 'vitest'
import { tdxCases } from '../../../test/tdx-cases.ts'
import { vectorsPresent } from '../../../test/vectors.ts'
import { certificationData } from '../../simulator/certification.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost } from '../../simulator/intel-hosts.ts'
import { fakeIntel, type FakeIntel } from '../../simulator/intel.ts'
import { AttestationError } from '../problems.ts'
import type { SgxEvidence, TdxEvidence } from '../verifier.ts'
import { inspectQuote } from './inspect.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const REPORT_DATA = Uint8Array.from({ length: 64 }, (_, i) => i)

let intel: FakeIntel
let td: FakeIntelHost
let enclave: FakeIntelHost
beforeAll(() => {
  intel = fakeIntel()
  td = fakeTdxHost(intel)
  enclave = fakeSgxHost(intel)
})

const tdx = (quote: Uint8Array, more: Partial<TdxEvidence> = {}): TdxEvidence => ({ type: 'tdx', quote, certificates: [], ...more })
const sgx = (quote: Uint8Array): SgxEvidence => ({ type: 'sgx', quote, certificates: [] })

/** The code with which evidence is refused; undefined when it is shown. */
function codeOf(of: TdxEvidence | SgxEvidence): string | undefined {
  try {
    inspectQuote(of)
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
}

describe('inspectQuote', () => {
  it('shows every field of a quote, marked as unverified, as plain JSON', () => {
    const quote = td.quote(REPORT_DATA)
    const shown = inspectQuote(tdx(quote))
    expect(shown.verified).toBe(false)
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown)
    expect(shown.header).toEqual({
      version: 4,
      attestation_key_type: 2,
      tee_type: '0x00000081',
      reserved: '00000000',
      qe_vendor_id: '939a7233f79c4ca9940a0db3957f0607',
      user_data: hex(quote.subarray(28, 48)),
    })
    expect(shown.body).toMatchObject({
      body_type: 'td-report-1.0',
      mr_td: hex(quote.subarray(48 + 136, 48 + 184)),
      report_data: hex(REPORT_DATA),
      td_attributes: { sept_ve_disable: true, debug: false },
      mr_service_td: null,
      td_id: null,
    })
    const signature = 48 + 584 + 4
    expect(shown.auth).toMatchObject({
      quote_signature: { r: hex(quote.subarray(signature, signature + 32)), s: hex(quote.subarray(signature + 32, signature + 64)) },
      attestation_key: { x: hex(td.qe.point.subarray(0, 32)), y: hex(td.qe.point.subarray(32)) },
      qe_report: { isv_prod_id: 2, report_data: hex(td.qe.report.subarray(320)) },
      qe_report_signature: { r: hex(td.qe.reportSignature.subarray(0, 32)) },
      qe_auth_data: hex(td.qe.authData),
      certification_type: 5,
      platform_id: null,
    })
    expect(shown.auth).not.toHaveProperty('qe_report.quote_version')
    expect(shown).toMatchObject({ event_log: null, runtime_log: null, initdata: null })
    expect(shown.checks.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skip')).toEqual([])
  })

  it('shows the chain in the quote, and what the PCK certificate says of the platform', () => {
    const { certificates } = inspectQuote(tdx(td.quote(REPORT_DATA)))
    expect(certificates.map(({ at }) => at)).toEqual(['quote.pck_chain[0]', 'quote.pck_chain[1]', 'quote.pck_chain[2]'])
    expect(certificates[0]).toMatchObject({
      subject: expect.stringContaining('CN=Intel SGX PCK Certificate'),
      public_key: 'EC prime256v1',
      sgx_extension: { fmspc: hex(td.pck.fields.fmspc), ppid: hex(td.pck.fields.ppid), pck_ca: 'platform' },
    })
    expect(certificates.slice(1)).toMatchObject([{ sgx_extension: null }, { sgx_extension: null }])
  })

  it.each([
    ['td-report-1.5', { vmid: null, tee_tcb_svn2: expect.any(String) }],
    ['td-report-1.5-ex', { vmid: 0, td_id: expect.stringMatching(/^[0-9a-f]{64}$/), cur_servtd_attr: expect.any(String) }],
  ] as const)('shows what %s adds', (body, expected) => {
    const shown = inspectQuote(tdx(fakeTdxHost(intel, { body }).quote(REPORT_DATA)))
    expect(shown.body).toMatchObject({ quote_version: 5, body_type: body, ...expected })
  })

  it.each([3, 4, 5] as const)('shows enclaves of version %i', (version) => {
    const shown = inspectQuote(sgx(fakeSgxHost(intel, { version }).quote(REPORT_DATA)))
    expect(shown.body).toMatchObject({ quote_version: version, report_data: hex(REPORT_DATA), debug: false })
    expect(shown.body).not.toHaveProperty('mr_td')
    expect(shown).toMatchObject({ header: { tee_type: '0x00000000' }, event_log: null })
  })

  it('shows a quote that was sent as the other kind as what it is, with the check that fails', () => {
    const shown = inspectQuote(tdx(enclave.quote(REPORT_DATA)))
    expect(shown.body).toMatchObject({ mr_enclave: expect.any(String) })
    expect(shown.checks.at(-1)).toMatchObject({ id: 'TDX-05', code: 'tdx-tee-type-mismatch' })
    expect(inspectQuote(sgx(td.quote(REPORT_DATA))).body).toMatchObject({ mr_td: expect.any(String) })
  })

  it.each([1, 2, 3] as const)('shows who the platform is where no chain says it: certification data of type %i', (certification) => {
    const shown = inspectQuote(tdx(fakeTdxHost(intel, { certification }).quote(REPORT_DATA)))
    const { data } = certificationData(certification, td.pck)
    expect(shown.auth).toMatchObject({ certification_type: certification, certification_bytes: data.length })
    expect(shown.auth).toMatchObject({ platform_id: { cpusvn: expect.stringMatching(/^[0-9a-f]{32}$/), pceid: '0000' } })
    expect(shown.certificates).toEqual([])
    expect(shown.checks.at(-1)).toMatchObject({ id: 'TDX-16', code: 'tdx-pck-certification-type-unsupported' })
  })

  it('shows the leaf of type 4, and certificates that were sent beside the quote', () => {
    const host = fakeTdxHost(intel, { certification: 4 })
    const certificates = [host.pck.chain[1], Uint8Array.of(1)]
    const shown = inspectQuote(tdx(host.quote(REPORT_DATA), { certificates }))
    expect(shown.certificates).toMatchObject([
      { at: 'quote.pck_chain[0]', sgx_extension: { fmspc: hex(host.pck.fields.fmspc) } },
      { at: 'certificates[0]', subject: expect.stringContaining('Platform CA') },
      { at: 'certificates[1]', code: 'tdx-pck-chain-malformed' },
    ])
    expect(shown.checks.every(({ outcome }) => outcome !== 'fail')).toBe(true)
  })

  it('shows a chain that cannot be read, and a PCK certificate whose extension cannot be', () => {
    const broken = { type: 5, data: Buffer.from('-----BEGIN nothing') }
    expect(inspectQuote(tdx(td.quote(REPORT_DATA, { certification: broken }))).certificates).toMatchObject([
      { at: 'quote.pck_chain', code: 'tdx-pck-chain-malformed' },
    ])
    const odd = fakeTdxHost(intel, { pck: { fmspc: new Uint8Array(5) } })
    expect(inspectQuote(tdx(odd.quote(REPORT_DATA))).certificates[0]).toMatchObject({ sgx_extension: { code: 'sgx-extension-malformed' } })
  })

  it('shows the body of a quote that ends too early', () => {
    const quote = td.quote(REPORT_DATA)
    const shown = inspectQuote(tdx(quote.subarray(0, 1020)))
    expect(shown.body).toMatchObject({ report_data: hex(REPORT_DATA) })
    expect(shown.auth).toMatchObject({ code: 'tdx-auth-data-truncated' })
    expect(shown.checks.at(-1)).toMatchObject({ id: 'TDX-11', outcome: 'fail' })
  })

  it('shows a header whose body is of no known type', () => {
    const quote = fakeTdxHost(intel, { version: 5 }).quote(REPORT_DATA, { bodyType: 9 })
    const shown = inspectQuote(tdx(quote))
    expect(shown).toMatchObject({
      header: { version: 5 },
      body: { code: 'tdx-body-type-unsupported' },
      auth: { code: 'tdx-body-type-unsupported' },
      certificates: [],
    })
  })

  it.each<[string, (quote: Uint8Array) => Uint8Array, string]>([
    ['an empty quote', () => new Uint8Array(), 'tdx-quote-too-short'],
    ['a quote of 1019 bytes', (quote) => quote.subarray(0, 1019), 'tdx-quote-too-short'],
    ['33 KiB', () => new Uint8Array(33 * 1024), 'tdx-quote-too-large'],
    ['version 6', (quote) => Uint8Array.from(quote, (byte, i) => (i === 0 ? 6 : byte)), 'tdx-quote-version-unsupported'],
  ])('refuses %s', (_, change, code) => {
    expect(codeOf(tdx(change(td.quote(REPORT_DATA))))).toBe(code)
  })

  it('shows logs that cannot be read as such, and holds initdata against MRCONFIGID', () => {
    const initdata = Buffer.from('initdata')
    const shown = inspectQuote(tdx(td.quote(REPORT_DATA), { eventLog: Uint8Array.of(1), runtimeLog: Buffer.from('{}'), initdata }))
    expect(shown).toMatchObject({
      event_log: { code: 'tdx-event-log-malformed' },
      runtime_log: { code: 'tdx-event-log-malformed' },
      initdata: { binding: 'none' },
    })
    expect(shown.checks.find(({ id }) => id === 'TDX-83')).toMatchObject({ outcome: 'fail' })
  })
})

describe.skipIf(!vectorsPresent())('quotes of the vectors', () => {
  const cases = vectorsPresent() ? tdxCases() : []

  it.each(cases.map((each) => [each.name, each] as const))('%s shows its fields', (name, { evidence, fields, qeReport, pck }) => {
    const shown = inspectQuote(evidence)
    expect(shown.body).toMatchObject('code' in shown.body ? {} : comparable(fields, shown.body))
    expect(shown.body).not.toHaveProperty('code')
    expect(shown.auth).toMatchObject({ qe_report: { mr_signer: qeReport.mrSigner, isv_svn: qeReport.isvSvn } })
    expect(shown.certificates).toHaveLength(3)
    expect(shown.certificates[0]).toMatchObject({ sgx_extension: { fmspc: pck?.fmspc, ppid: pck?.ppid, pcesvn: pck?.pcesvn } })
    // The log of that quote does not lead to RTMR2, as the manifest says.
    expect(shown.checks.flatMap(({ id, outcome }) => (outcome === 'fail' ? [id] : []))).toEqual(
      name === 'v4-untrusted-root-cctrusted' ? ['TDX-84'] : [],
    )
  })

  it('show their logs, with what the digests prove of the data', () => {
    const { evidence } = cases.find(({ name }) => name === 'v4-gcp-cos113-ccel') ?? { evidence: tdx(new Uint8Array()) }
    const { event_log: log, checks } = inspectQuote(evidence)
    const events = log !== null && 'extensions' in log ? log.extensions : []
    expect(log).toMatchObject({ events: 43 })
    expect(new Set(events.map(({ digest_of_data }) => digest_of_data))).toEqual(new Set(['yes', 'unknown']))
    expect(events.find(({ text }) => text?.startsWith('kernel_cmdline: '))).toMatchObject({ type: 'EV_IPL (0x0000000d)', register: 2 })
    expect(checks.find(({ id }) => id === 'TDX-84')).toMatchObject({ outcome: 'pass' })
  })
})

/** The manifest's fields that are shown under the same name; attributes and XFAM are shown with their bytes in `value`. */
function comparable(fields: Readonly<Record<string, unknown>>, body: object): object {
  const { td_attributes: attributes, xfam, misc_select: _, ...plain } = fields
  const known = Object.entries(plain).filter(([name]) => name in body)
  expect(known.length).toBeGreaterThan(5)
  return { ...Object.fromEntries(known), ...(xfam === undefined ? {} : { td_attributes: { value: attributes }, xfam: { value: xfam } }) }
}
