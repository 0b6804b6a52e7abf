import type * as Crypto from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemo } from '../../service/memo.ts'
import { sgxAttributes } from '../../simulator/enclave-report.ts'
import { SIM_FMSPC } from '../../simulator/intel-documents.ts'
import { fakeTdxHost, type FakeIntelHost, type TdxHostOptions } from '../../simulator/intel-hosts.ts'
import { platformAt } from '../../simulator/intel-levels.ts'
import { fakeIntel, intelCollateral } from '../../simulator/intel.ts'
import { anchorsOf } from '../anchors.ts'
import { genuineOnly, type Finding } from '../verifier.ts'
import { qeIdentityAddress, tcbInfoAddress } from './address.ts'
import { writeVendorDocument } from './document.ts'
import { tdx } from './index.ts'

const counted = vi.hoisted(() => ({ verifications: 0, hashedBytes: 0 }))
vi.mock('node:crypto', async (load) => {
  const crypto = await load<typeof Crypto>()
  return {
    ...crypto,
    verify: (...args: Parameters<typeof Crypto.verify>) => {
      counted.verifications++
      return crypto.verify(...args)
    },
    hash: (algorithm: string, data: Uint8Array, encoding: 'base64') => {
      counted.hashedBytes += data.length
      return crypto.hash(algorithm, data, encoding)
    },
  }
})

const intel = fakeIntel()
const anchors = anchorsOf([], intel.anchors())
const memo = createMemo()
const collateral = { documents: intelCollateral(intel, { updates: ['standard', 'early'] }), missing: new Map(), marks: new Map() }
/** Root, CA and PCK; the report of the quoting enclave; the quote. */
const OF_ANOTHER_PLATFORM = 5
/** Two lists; of four documents the signing certificate, the root, and the document. */
const OF_COLLATERAL = 2 + 4 * 3

let nonce = 0
async function judged(host: FakeIntelHost, given = collateral): Promise<Finding> {
  const reportData = new Uint8Array(64).fill(++nonce)
  const quote = host.quote(reportData)
  counted.verifications = 0
  counted.hashedBytes = 0
  const unverified = await tdx({ type: 'tdx', quote, certificates: [] }, anchors, { mode: 'test', memo })
  return unverified.verify(given, { now: intel.now, mode: 'test', reportData, extraData: undefined, rigour: genuineOnly, memo })
}

async function verified(host: FakeIntelHost, given = collateral): Promise<Finding> {
  const finding = await judged(host, given)
  expect(finding.claims?.tdx?.tcb.status).toBe('UpToDate')
  expect(finding.claims?.tdx?.tcb.early_status).toBe('OutOfDate')
  return finding
}

describe.each(['td-report-1.0', 'td-report-1.5'] as const)('public-key operations of a quote with %s', (body) => {
  const [host, other] = [fakeTdxHost(intel, { body }), fakeTdxHost(intel, { body })]
  beforeAll(() => verified(fakeTdxHost(intel)))
  beforeEach(() => verified(host))

  it('are one where platform and collateral are known', async () => {
    await verified(host)
    expect(counted.verifications).toBe(1)
    // The chain in the quote and what its quoting enclave says; no document of tens of kilobytes.
    expect(counted.hashedBytes).toBeLessThan(5000)
  })

  it('are five for a platform that is new, none of them over collateral', async () => {
    await verified(other)
    expect(counted.verifications).toBe(OF_ANOTHER_PLATFORM)
    await verified(other)
    expect(counted.verifications).toBe(1)
  })

  it('are repeated for no copy of a document, and for every new document', async () => {
    const copied = new Map([...collateral.documents].map(([address, bytes]) => [address, bytes.slice()] as const))
    await verified(host, { ...collateral, documents: copied })
    expect(counted.verifications).toBe(1)
    await verified(host, { ...collateral, documents: intelCollateral(intel, { updates: ['standard', 'early'] }) })
    expect(counted.verifications).toBe(1 + OF_COLLATERAL)
  })
})

const launched = (...svn: readonly number[]): Uint8Array => Uint8Array.from([...svn, ...new Uint8Array(16 - svn.length)])
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1)

const tcbOf = async (options: Parameters<typeof fakeTdxHost>[1]) => (await verified(fakeTdxHost(intel, options))).claims?.tdx?.tcb

describe('what is remembered of a TCB', () => {
  it('is shared by platforms that are patched alike, and by no others', async () => {
    const [first, second] = [await tcbOf({}), await tcbOf({})]
    expect(second).toEqual(first)
    const set = vi.spyOn(memo.tdx.tcb, 'set')
    await tcbOf({})
    expect(set).not.toHaveBeenCalled()
    await tcbOf({ qe: { report: { isvSvn: 6 } } })
    await tcbOf({ pck: { pcesvn: 12 } })
    await tcbOf({ fields: { td: { teeTcbSvn: Uint8Array.from([9, 1, 7, ...new Uint8Array(13)]) } } })
    expect(set).toHaveBeenCalledTimes(6)
  })

  const FOREIGN = '00906ed50000'
  const foreign = new Map([
    ...collateral.documents,
    [
      tcbInfoAddress('tdx', FOREIGN, 'standard'),
      collateral.documents.get(tcbInfoAddress('tdx', SIM_FMSPC, 'standard')) ?? new Uint8Array(),
    ],
  ])

  it.each<[string, TdxHostOptions, string]>([
    ['MRSIGNERSEAM', { fields: { td: { mrSignerSeam: bytes(48) } } }, 'tdx-mrsigner-seam-mismatch'],
    ['SEAMATTRIBUTES', { fields: { td: { seamAttributes: bytes(8) } } }, 'tdx-seam-attributes-mismatch'],
    ['TEE_TCB_SVN', { fields: { td: { teeTcbSvn: launched(1, 1, 7) } } }, 'tdx-tdx-module-tcb-not-supported'],
    ['TEE_TCB_SVN_2', { body: 'td-report-1.5', fields: { td: { teeTcbSvn2: launched(2, 1, 7) } } }, 'tdx-tcb-revoked'],
    ['MISCSELECT', { qe: { report: { miscSelect: 1 } } }, 'tdx-qe-miscselect-mismatch'],
    ['ATTRIBUTES', { qe: { report: { attributes: sgxAttributes(0x35) } } }, 'tdx-qe-attributes-mismatch'],
    ['MRSIGNER', { qe: { report: { mrSigner: bytes(32) } } }, 'tdx-qe-mrsigner-mismatch'],
    ['ISVPRODID', { qe: { report: { isvProdId: 9 } } }, 'tdx-qe-isvprodid-mismatch'],
    ['ISVSVN', { qe: { report: { isvSvn: 1 } } }, 'tdx-qe-tcb-not-supported'],
    ['SGX components', { pck: platformAt('none') }, 'tdx-tcb-not-supported'],
    ['PCESVN', { pck: { pcesvn: 0 } }, 'tdx-tcb-not-supported'],
    ['PCE-ID', { pck: { pceid: bytes(2) } }, 'tdx-pceid-mismatch'],
    ['FMSPC', { pck: { fmspc: new Uint8Array(Buffer.from(FOREIGN, 'hex')) } }, 'tdx-fmspc-mismatch'],
  ])('does not answer for another %s', async (_, options, code) => {
    for (const body of ['td-report-1.0', 'td-report-1.5'] as const) await verified(fakeTdxHost(intel, { body }))
    const { checks, claims } = await judged(fakeTdxHost(intel, options), { ...collateral, documents: foreign })
    expect([checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : [])), claims]).toEqual([[code], undefined])
  })

  const old = [{ isvsvn: 1, status: 'OutOfDate', date: '2024-01-01T00:00:00Z' }] as const

  it.each([
    ['TCB info', tcbInfoAddress('tdx', SIM_FMSPC, 'standard'), () => intel.tcbInfo({ modules: [{ id: 'TDX_01', levels: old }] })],
    ['QE identity', qeIdentityAddress('tdx', 'standard'), () => intel.qeIdentity({ levels: old })],
  ])('does not answer for another %s', async (_, address, replacement) => {
    await verified(fakeTdxHost(intel))
    const documents = new Map([...collateral.documents, [address, writeVendorDocument(replacement())] as const])
    const { claims } = await judged(fakeTdxHost(intel), { ...collateral, documents })
    expect(claims?.tdx?.tcb.status).toBe('OutOfDate')
  })

  it('is no failure', async () => {
    const set = vi.spyOn(memo.tdx.tcb, 'set')
    set.mockClear()
    await judged(fakeTdxHost(intel, { qe: { report: { isvProdId: 11 } } }))
    expect(set).not.toHaveBeenCalled()
  })
})
