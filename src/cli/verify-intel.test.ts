import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindingInput, reportDataOf } from '../access/binding.ts'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { tdxCases } from '../../test/tdx-cases.ts'
import { vectorsPresent } from '../../test/vectors.ts'
import { intelBundle } from '../simulator/bundle.ts'
import { pem } from '../simulator/envelopes.ts'
import { fakeSgxHost, fakeTdxHost, type TdxHostOptions } from '../simulator/intel-hosts.ts'
import { platformAt } from '../simulator/intel-levels.ts'
import { fakeIntel, type FakeIntel } from '../simulator/intel.ts'
import { startFakePcs, type FakePcs } from '../simulator/pcs.ts'
import { SIM_MRTD } from '../simulator/td-report.ts'
import { parseIntelAddress } from '../verifiers/tdx/address.ts'
import { readVendorDocument } from '../verifiers/tdx/document.ts'

const NONCE = new Uint8Array(32).fill(9)
const REPORT_DATA = reportDataOf(bindingInput({ nonce: NONCE, audience: 'default' }))
const MRTD = Buffer.from(SIM_MRTD).toString('hex')

let intel: FakeIntel
let files: Files
let root: readonly string[]
let trust: readonly string[]
let early: readonly string[]
let policy: string

beforeAll(() => {
  intel = fakeIntel()
  files = tempFiles()
  root = ['--insecure-test-root', files.write('root.pem', Buffer.from(pem(intel.authority('root').der)))]
  const bundle = (name: string, updates: readonly ('standard' | 'early')[]) => [
    '--offline',
    '--collateral',
    files.write(name, intelBundle(intel, [{ updates }, { tee: 'sgx', updates }])),
  ]
  trust = [...root, ...bundle('standard.json', ['standard'])]
  early = [...root, ...bundle('early.json', ['standard', 'early'])]
  policy = files.write('policy.yaml', `name: mine\nkey_binding: DANGEROUSLY_OPTIONAL\ntdx: {mr_td: [${MRTD}]}\n`)
})
afterAll(() => files.remove())

const tdx = (options: TdxHostOptions = {}) => files.write('tdx.json', fakeTdxHost(intel, options).evidence(REPORT_DATA))
const nonce = ['--nonce', Buffer.from(NONCE).toString('hex')]
const outOfDate = { pck: platformAt('OutOfDate') }

describe('assay verify of a TDX quote', () => {
  it.each<[string, TdxHostOptions]>([
    ['version 4', {}],
    ['version 5 with a TD report 1.5', { body: 'td-report-1.5' }],
    ['configfs-tsm', { envelope: 'tsm' }],
    ['a chain beside it', { certification: 3, ships: 'certificates' }],
  ])('accepts %s under a policy, and says that it is a test', async (_, options) => {
    const { code, out } = await assay(['verify', tdx(options), '--json', '--policy', policy, ...nonce, ...trust])
    expect([code, JSON.parse(out)]).toMatchObject([0, { accepted: true, status: 'affirming', nonce: 'checked', mode: 'test' }])
  })

  it('draws measurements and TCB, and what the early documents say where they are given', async () => {
    const { code, out } = await assay(['verify', tdx(), ...nonce, ...early])
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^ +MRTD +${MRTD}$`, 'm'))
    expect(out).toMatch(/^ +TCB status +UpToDate \(platform UpToDate, TDX module UpToDate, quoting enclave UpToDate\)$/m)
    expect(out).toMatch(/^ +early status +OutOfDate$/m)
    expect(out).toMatch(/^ +advisories +none$/m)
    const without = await assay(['verify', tdx(), ...nonce, ...trust])
    expect(without.out).toMatch(/^ +early status +not known/m)
  })

  it('names what is short, since when, and which advisories close it', async () => {
    const { code, out } = await assay(['verify', tdx(outOfDate), ...nonce, ...trust])
    // Genuine, and so accepted: whether it is acceptable is not asked.
    expect(code).toBe(0)
    expect(out).toMatch(/^ +TCB status +OutOfDate \(platform OutOfDate, /m)
    expect(out).toMatch(/^ +short +sgx component 7: 5, needs 9/m)
    expect(out).toMatch(/^ +TCB date +2024-11-13T00:00:00Z; the newest level is of 2025-08-13T00:00:00Z$/m)
    expect(out).toMatch(/^ +advisories +INTEL-SA-01245, INTEL-SA-01312, INTEL-SA-01313$/m)
  })

  it('refuses a platform that is out of date under a policy', async () => {
    const { code, out } = await assay(['verify', tdx(outOfDate), '--policy', policy, ...nonce, ...trust])
    expect(code).toBe(1)
    expect(out).toContain('REFUSED  tdx-tcb-status-not-accepted')
    expect(out).toContain('sgx component 7: 5, needs 9')
  })

  it('cannot decide without collateral, and refuses another nonce and another root', async () => {
    const [first, ...rest] = ['--report-data', '00'.repeat(64)]
    expect((await assay(['verify', tdx(), '--offline', ...root, ...nonce])).code).toBe(3)
    const replayed = await assay(['verify', tdx(), '--json', first ?? '', ...rest, ...trust])
    expect([replayed.code, JSON.parse(replayed.out)]).toMatchObject([1, { code: 'tdx-report-data-mismatch' }])
    const foreign = files.write('foreign.json', fakeTdxHost(fakeIntel()).evidence(REPORT_DATA))
    const other = await assay(['verify', foreign, '--json', ...nonce, ...trust])
    expect([other.code, JSON.parse(other.out)]).toMatchObject([1, { code: 'tdx-root-ca-untrusted' }])
  })

  it('never believes the simulator in production', async () => {
    const { code, out } = await assay(['verify', tdx(), '--json', '--offline', ...nonce])
    expect([code, JSON.parse(out)]).toMatchObject([1, { accepted: false, code: 'tdx-root-ca-untrusted' }])
  })
})

describe('assay verify of an SGX quote', () => {
  it('draws the enclave', async () => {
    const file = files.write('sgx.json', fakeSgxHost(intel).evidence(REPORT_DATA))
    const { code, out } = await assay(['verify', file, ...nonce, ...trust])
    expect(code).toBe(0)
    for (const name of ['MRENCLAVE', 'MRSIGNER', 'ISVPRODID', 'ISVSVN']) expect(out).toMatch(new RegExp(`^ +${name} +\\S`, 'm'))
    expect(out).toMatch(/^ +TCB status +UpToDate \(platform UpToDate, quoting enclave UpToDate\)$/m)
  })
})

describe('without --offline', () => {
  let pcs: FakePcs
  beforeAll(async () => {
    pcs = await startFakePcs(intel)
  })
  afterAll(() => pcs.close())
  const environment = () => ({ ASSAY_INTEL_PCS_URL: pcs.url, ASSAY_INTEL_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP' })

  it('asks nobody under a root of somebody else', async () => {
    const { code, out } = await assay(['verify', tdx(), '--json', ...root, ...nonce], environment())
    expect([code, JSON.parse(out)]).toMatchObject([3, { code: 'collateral-unavailable' }])
    expect(pcs.requests).toEqual([])
  })

  it.skipIf(!vectorsPresent())('fetches what no file holds, as Intel serves it', async () => {
    const real = tdxCases().find(({ name }) => name === 'v4-phala-2025-uptodate')
    if (real === undefined) throw new Error('no such case')
    // The platform must exist there before anything is served for it.
    intel.pck({ fmspc: Buffer.from('b0c06f000000', 'hex') })
    for (const [address, bytes] of real.documents) pcs.serve(pathOf(address), readVendorDocument(bytes))
    const quote = Buffer.from(real.evidence.quote).toString('base64')
    const file = files.write('real.json', { type: 'tdx', quote })
    const { code, out } = await assay(['verify', file, '--json', '--at', real.at], environment())
    expect([code, JSON.parse(out)]).toMatchObject([0, { accepted: true, mode: 'production' }])
    expect(pcs.requests).toHaveLength(4)
    expect((await assay(['verify', file, '--offline', '--at', real.at], environment())).code).toBe(3)
    expect(pcs.requests).toHaveLength(4)
  })
})

/** Where Intel serves a document (specification tdx.md section 4). */
function pathOf(address: string): string {
  const document = parseIntelAddress(address)
  if (document === undefined) throw new Error(address)
  if (document.kind === 'root-ca-crl') return '/IntelSGXRootCA.der'
  if (document.kind === 'pck-crl') return '/sgx/certification/v4/pckcrl'
  return `/${document.tee}/certification/v4/${document.kind === 'tcb-info' ? 'tcb' : 'qe/identity'}`
}
