import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { fakeHost } from '../simulator/hosts.ts'
import { fakeTdxHost, type FakeIntelHost } from '../simulator/intel-hosts.ts'
import { fakeIntel } from '../simulator/intel.ts'
import { inspectCertificate, inspectEvidence } from './inspect.ts'
import { AttestationError } from './problems.ts'

const REPORT_DATA = new Uint8Array(64)

let amd: FakeAmd
let td: FakeIntelHost
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Turin'] })
  td = fakeTdxHost(fakeIntel())
})

const inside = async (provider: 'sev_guest' | 'tdx_guest') => inspectEvidence({ type: 'tsm', provider, outblob: new Uint8Array(9) })

describe('inspectEvidence', () => {
  it('shows each type of evidence as its technology does', async () => {
    const bytes = fakeHost(amd, { product: 'Turin' }).report(REPORT_DATA)
    expect(await inspectEvidence({ type: 'snp', form: 'report', bytes, certificates: [] })).toMatchObject({
      verified: false,
      type: 'snp',
      report: { product: 'Turin' },
    })
    expect(await inspectEvidence({ type: 'tdx', quote: td.quote(REPORT_DATA), certificates: [] })).toMatchObject({
      verified: false,
      type: 'tdx',
      body: { body_type: 'td-report-1.0' },
    })
  })

  it('shows configfs-tsm evidence as what is inside', async () => {
    const outblob = fakeHost(amd, { product: 'Turin' }).report(REPORT_DATA)
    expect(await inspectEvidence({ type: 'tsm', provider: 'sev_guest', outblob })).toMatchObject({
      type: 'tsm',
      report: { product: 'Turin' },
    })
    const quote = td.quote(REPORT_DATA)
    expect(await inspectEvidence({ type: 'tsm', provider: 'tdx_guest', outblob: quote })).toMatchObject({
      type: 'tsm',
      body: { body_type: 'td-report-1.0' },
    })
  })

  it('refuses what is inside as its technology does', async () => {
    await expect(inside('sev_guest')).rejects.toMatchObject({ code: 'snp-report-size' })
    await expect(inside('tdx_guest')).rejects.toMatchObject({ code: 'tdx-quote-too-short' })
  })
})

describe('inspectCertificate', () => {
  it('shows each vendor’s certificates with the extensions of that vendor', () => {
    expect(inspectCertificate(amd.vcek({ product: 'Turin' }).der, 'x')).toMatchObject({ vek: { kind: 'vcek' } })
    expect(inspectCertificate(td.pck.der, 'x')).toMatchObject({ sgx_extension: { pck_ca: 'platform' } })
    expect(inspectCertificate(td.pck.chain[2], 'x')).toMatchObject({ sgx_extension: null })
  })

  it('refuses what is no certificate', () => expect(() => inspectCertificate(Uint8Array.of(1), 'x')).toThrowError(AttestationError))
})
