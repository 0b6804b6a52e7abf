import { beforeAll, describe, expect, it } from 'vitest'
import { AT, bare, intelLab, type CollateralLabOfIntel } from '../../../test/tdx-collateral-lab.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { fakeIntel, pckCrlDocument } from '../../simulator/intel.ts'
import { admitCollateral, type Admitted } from '../admission.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import { AttestationError } from '../problems.ts'
import type { Anchors, CollateralAddress } from '../verifier.ts'
import { pckCrlAddress, qeIdentityAddress, tcbInfoAddress } from './address.ts'
import { writeVendorDocument, type VendorDocument } from './document.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MINUTES_5 = 300_000

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

type Kept = { readonly address: CollateralAddress; readonly document: VendorDocument }
type More = { readonly anchors?: Anchors; readonly at?: Date }

const admit = async (
  { address, document }: Kept,
  { anchors = anchorsOf([], lab.intel.anchors()), at = lab.now }: More = {},
): Promise<Admitted> => admitCollateral({ address, bytes: writeVendorDocument(document) }, anchors, at)

async function outcome(kept: Kept, more: More = {}): Promise<string> {
  try {
    await admit(kept, more)
    return 'admitted'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.code
  }
}

const info = (request: Parameters<typeof lab.intel.tcbInfo>[0] = {}): Kept => ({ address: AT.info, document: lab.intel.tcbInfo(request) })
const identity = (request: Parameters<typeof lab.intel.qeIdentity>[0] = {}): Kept => ({
  address: AT.identity,
  document: lab.intel.qeIdentity(request),
})
const pck = (request: object = {}): Kept => ({ address: AT.pck, document: pckCrlDocument(lab.intel, { issuer: 'platform', ...request }) })
const root = (request: object = {}): Kept => ({ address: AT.root, document: bare(lab.intel.crl({ issuer: 'root', ...request })) })
const chained = (...chain: readonly Uint8Array[]): VendorDocument => ({
  ...pck().document,
  issuerChain: lab.intel.tcbInfo({ chain }).issuerChain,
})
const der = (role: 'root' | 'platform' | 'processor' | 'tcb-signing'): Uint8Array => lab.intel.authority(role).der

describe('a document of Intel’s', () => {
  it.each([
    ['TCB info', 30 * DAY - HOUR, () => info()],
    ['TCB info in capital letters', 30 * DAY - HOUR, () => info({ fmspc: '00806F050000' })],
    ['QE identity', 30 * DAY - HOUR, () => identity()],
    ['PCK list', 30 * DAY - HOUR, () => pck()],
    ['root list', 365 * DAY - HOUR, () => root()],
    ['early TCB info', 30 * DAY - HOUR, () => ({ ...info({ update: 'early' }), address: tcbInfoAddress('tdx', '00806f050000', 'early') })],
    ['TCB info for SGX', 30 * DAY - HOUR, () => ({ ...info({ tee: 'sgx' }), address: tcbInfoAddress('sgx', '00806f050000', 'standard') })],
    [
      'TCB info of version 2',
      30 * DAY - HOUR,
      () => ({ ...info({ tee: 'sgx', version: 2 }), address: tcbInfoAddress('sgx', '00806f050000', 'standard') }),
    ],
    [
      'PCK list of the Processor CA',
      30 * DAY - HOUR,
      () => ({ address: pckCrlAddress('processor'), document: pckCrlDocument(lab.intel, { issuer: 'processor' }) }),
    ],
  ] as const)('is kept until it ends, with the date that must not be rolled back: %s', async (_, left, make) => {
    expect(await admit(make())).toEqual({ expiresAt: lab.at(left), mark: { number: 0n, thisUpdate: lab.at(-HOUR) } })
  })

  it('is not kept for longer than its signing certificate lasts', async () => {
    const signer = lab.intel.reissue('tcb-signing', { notAfter: lab.at(DAY) }).der
    expect((await admit(info({ chain: [signer, der('root')] }))).expiresAt).toEqual(lab.at(DAY))
  })

  it.each([
    ['TCB info of another FMSPC', 'tdx-fmspc-mismatch', () => info({ fmspc: '00906ed50000' })],
    ['TCB info for SGX', 'tdx-tcb-info-mismatch', () => info({ tee: 'sgx' })],
    ['TCB info of version 2', 'tdx-tcb-info-mismatch', () => info({ tee: 'sgx', version: 2 })],
    ['QE identity for SGX', 'tdx-qe-identity-mismatch', () => identity({ tee: 'sgx' })],
    [
      'QE identity at the address of SGX',
      'tdx-qe-identity-mismatch',
      () => ({ ...identity(), address: qeIdentityAddress('sgx', 'standard') }),
    ],
    ['QE identity in the place of TCB info', 'tdx-tcb-info-malformed', () => ({ ...identity(), address: AT.info })],
    ['a list in the place of TCB info', 'tdx-tcb-signing-chain-invalid', () => ({ ...pck(), address: AT.info })],
    [
      'list of the Processor CA',
      'tdx-pck-crl-issuer-mismatch',
      () => ({ address: AT.pck, document: pckCrlDocument(lab.intel, { issuer: 'processor' }) }),
    ],
    ['list of the root in the place of that of the CA', 'tdx-pck-crl-issuer-mismatch', () => ({ ...root(), address: AT.pck })],
    ['list of the CA in the place of that of the root', 'tdx-root-crl-issuer-mismatch', () => ({ ...pck(), address: AT.root })],
    ['TCB info signed by another key', 'tdx-tcb-info-invalid-signature', () => info({ signWith: p256Keys().privateKey })],
    ['QE identity signed by another key', 'tdx-qe-identity-invalid-signature', () => identity({ signWith: p256Keys().privateKey })],
    ['PCK list signed by another key', 'tdx-pck-crl-invalid-signature', () => pck({ overrides: { signWith: p256Keys() } })],
    ['root list signed by another key', 'tdx-root-crl-invalid-signature', () => root({ overrides: { signWith: p256Keys() } })],
    ['TCB info with an unknown status', 'tdx-tcb-status-unrecognized', () => info({ text: (text) => text.replace('"Revoked"', '"Fine"') })],
    ['PCK list without a chain', 'tdx-pck-crl-issuer-mismatch', () => ({ address: AT.pck, document: bare(pck().document.body) })],
    [
      'PCK list with a chain that ends early',
      'tdx-pck-crl-issuer-mismatch',
      () => ({ address: AT.pck, document: chained(der('platform')) }),
    ],
    [
      'PCK list with the TCB signer in its chain',
      'tdx-pck-crl-issuer-mismatch',
      () => ({ address: AT.pck, document: chained(der('tcb-signing'), der('root')) }),
    ],
    ['nothing', 'tdx-root-crl-malformed', () => ({ address: AT.root, document: bare(new Uint8Array()) })],
    ['TCB info that has ended', 'tdx-tcb-info-expired', () => info({ nextUpdate: lab.at(-1000) })],
    ['QE identity that has ended', 'tdx-qe-identity-expired', () => identity({ nextUpdate: lab.at(-1000) })],
    ['PCK list that has ended', 'tdx-crl-expired', () => pck({ nextUpdate: lab.at(-1000) })],
    ['root list without an end', 'tdx-crl-expired', () => root({ nextUpdate: 'absent' })],
    ['TCB info of later', 'tdx-tcb-info-not-yet-valid', () => info({ issueDate: lab.at(MINUTES_5 + 1000) })],
    ['root list of later', 'tdx-crl-not-yet-valid', () => root({ thisUpdate: lab.at(MINUTES_5 + 1000) })],
    [
      'TCB info under an ended certificate',
      'tdx-certificate-expired',
      () => info({ chain: [lab.intel.reissue('tcb-signing', { notAfter: lab.at(-1000) }).der, der('root')] }),
    ],
    ['an address of nobody', 'collateral-unavailable', () => ({ ...info(), address: 'intel/tcb-info/tdx/00806F050000/standard' as const })],
  ] as const)('is not kept: %s', async (_, code, make) => {
    expect(await outcome(make())).toBe(code)
  })

  it('is kept though it begins in five minutes', async () => {
    expect([await outcome(info({ issueDate: lab.at(MINUTES_5) })), await outcome(root({ thisUpdate: lab.at(MINUTES_5) }))]).toEqual([
      'admitted',
      'admitted',
    ])
  })

  it('of a test’s Intel is nothing to whoever trusts the pinned root alone', async () => {
    const anchors = pinnedAnchors
    const codes = await Promise.all([info(), identity(), pck(), root()].map(async (kept) => outcome(kept, { anchors })))
    expect(codes).toEqual([
      'tdx-tcb-signing-chain-invalid',
      'tdx-tcb-signing-chain-invalid',
      'tdx-pck-crl-issuer-mismatch',
      'tdx-root-crl-invalid-signature',
    ])
  })

  it('may stand under any of the roots that are trusted', async () => {
    const anchors = anchorsOf([], [...pinnedAnchors.intel, ...fakeIntel({ now: lab.now }).anchors(), ...lab.intel.anchors()])
    const codes = await Promise.all([info(), identity(), pck(), root()].map(async (kept) => outcome(kept, { anchors })))
    expect(codes).toEqual(['admitted', 'admitted', 'admitted', 'admitted'])
    expect(await outcome(root(), { anchors: anchorsOf([], []) })).toBe('tdx-root-ca-untrusted')
  })
})
