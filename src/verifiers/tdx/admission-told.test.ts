import { beforeAll, describe, expect, it } from 'vitest'
import { AT, bare, intelLab, type CollateralLabOfIntel } from '../../../test/tdx-collateral-lab.ts'
import { pckCrlDocument } from '../../simulator/intel.ts'
import { admitCollateral, type Admitted } from '../admission.ts'
import { anchorsOf } from '../anchors.ts'
import type { Anchors, CollateralAddress } from '../verifier.ts'
import { qeIdentityAddress } from './address.ts'
import { writeVendorDocument, type VendorDocument } from './document.ts'

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

type Kept = { readonly address: CollateralAddress; readonly document: VendorDocument }
const admit = ({ address, document }: Kept, anchors: Anchors = anchorsOf([], lab.intel.anchors())): Promise<Admitted> =>
  admitCollateral({ address, bytes: writeVendorDocument(document) }, anchors, lab.now)
const info = (request: Parameters<typeof lab.intel.tcbInfo>[0] = {}): Kept => ({ address: AT.info, document: lab.intel.tcbInfo(request) })
const identity = (request: Parameters<typeof lab.intel.qeIdentity>[0] = {}): Kept => ({
  address: AT.identity,
  document: lab.intel.qeIdentity(request),
})
const pck = (request: object = {}): Kept => ({ address: AT.pck, document: pckCrlDocument(lab.intel, { issuer: 'platform', ...request }) })
const root = (request: object = {}): Kept => ({ address: AT.root, document: bare(lab.intel.crl({ issuer: 'root', ...request })) })
const NOW = '2026-11-23T12:00:00.000Z'

describe('a document of Intel’s that is not kept says why', () => {
  it.each<[code: string, message: string, make: () => Kept]>([
    ['tdx-tcb-info-mismatch', 'the TCB info is for sgx, not tdx', () => info({ tee: 'sgx' })],
    ['tdx-fmspc-mismatch', 'the TCB info is for 00906ed50000, not 00806f050000', () => info({ fmspc: '00906ed50000' })],
    ['tdx-qe-identity-mismatch', 'the identity is that of QE', () => identity({ tee: 'sgx' })],
    ['tdx-qe-identity-mismatch', 'the identity is that of TD_QE', () => ({ ...identity(), address: qeIdentityAddress('sgx', 'standard') })],
    ['tdx-root-crl-issuer-mismatch', 'the list is not the root’s', () => ({ ...pck(), address: AT.root })],
    ['tdx-tcb-info-expired', `from 2026-11-23T11:00:00Z to 2026-11-23T11:59:59Z, now ${NOW}`, () => info({ nextUpdate: lab.at(-1000) })],
    [
      'tdx-qe-identity-expired',
      `from 2026-11-23T11:00:00Z to 2026-11-23T11:59:59Z, now ${NOW}`,
      () => identity({ nextUpdate: lab.at(-1000) }),
    ],
    ['tdx-crl-expired', `from 2026-11-23T11:00:00Z to no time, now ${NOW}`, () => root({ nextUpdate: 'absent' })],
    [
      'tdx-tcb-info-not-yet-valid',
      `from 2026-11-23T12:05:01Z to 2026-12-23T11:00:00Z, now ${NOW}`,
      () => info({ issueDate: lab.at(301_000), nextUpdate: new Date('2026-12-23T11:00:00Z') }),
    ],
    [
      'tdx-qe-identity-not-yet-valid',
      `from 2026-11-23T12:05:01Z to 2026-12-23T11:00:00Z, now ${NOW}`,
      () => identity({ issueDate: lab.at(301_000), nextUpdate: new Date('2026-12-23T11:00:00Z') }),
    ],
    [
      'collateral-unavailable',
      'intel/tcb-info/tdx/00806F050000/standard names no document of Intel’s',
      () => ({ ...info(), address: 'intel/tcb-info/tdx/00806F050000/standard' as const }),
    ],
    [
      'tdx-root-crl-malformed',
      'root-crl.CertificateList @0: is not of type 30h',
      () => ({ address: AT.root, document: bare(new Uint8Array()) }),
    ],
  ])('%s: %s', async (code, message, make) => {
    await expect(admit(make())).rejects.toMatchObject({ code, message })
  })

  it('names the check of its dates, and all checks that were made', async () => {
    await expect(admit(info({ nextUpdate: lab.at(-1000) }))).rejects.toMatchObject({
      at: 'TDX-32',
      checks: [
        { id: 'TDX-30', title: `Every certificate is valid now: ${AT.info}`, outcome: 'pass' },
        { id: 'TDX-32', title: 'The document is current', outcome: 'fail' },
      ],
    })
    await expect(admit(identity({ nextUpdate: lab.at(-1000) }))).rejects.toMatchObject({ at: 'TDX-33' })
    await expect(admit(pck({ nextUpdate: lab.at(-1000) }))).rejects.toMatchObject({ at: 'TDX-31' })
  })

  it('names the certificate that has ended', async () => {
    const ended = lab.intel.reissue('tcb-signing', { notAfter: lab.at(-1000) }).der
    await expect(admit(info({ chain: [ended, lab.intel.authority('root').der] }))).rejects.toMatchObject({
      code: 'tdx-certificate-expired',
      at: 'TDX-30',
      message: expect.stringMatching(/^Intel SGX TCB Signing from .* to 2026-11-23T11:59:59.000Z, now 2026-11-23T12:00:00.000Z$/) as string,
    })
  })

  it('says where no root is pinned', async () => {
    const message = 'no root of Intel’s is pinned'
    await expect(admit(root(), anchorsOf([], []))).rejects.toMatchObject({ code: 'tdx-root-ca-untrusted', message })
  })
})
