import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { admitCollateral } from '../admission.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import type { Anchors, CollateralAddress } from '../verifier.ts'
import { crlAddress } from './address.ts'
import { vcekAddressOfCertificate } from './vek.ts'

const now = new Date('2026-11-23T12:00:00Z')
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000)
const LIST = crlAddress('Milan', 'vcek')

let amd: FakeAmd
let anchors: Anchors
let vcek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  anchors = anchorsOf(amd.anchors())
  vcek = amd.vcek({ product: 'Milan' })
})

const admit = (address: string, bytes: Uint8Array, trusted = anchors) =>
  admitCollateral({ address: address as CollateralAddress, bytes }, trusted, now)
const addressOf = (vek: FakeVek): CollateralAddress => vcekAddressOfCertificate(vek.der) ?? 'amd/none'

describe('a VCEK', () => {
  it('is admitted under its own address', async () => {
    const admitted = await admit(addressOf(vcek), vcek.der)
    expect(admitted.expiresAt.getUTCFullYear()).toBe(2033)
    expect(admitted.mark).toBeUndefined()
    const turin = amd.vcek({ product: 'Turin' })
    expect((await admit(addressOf(turin), turin.der)).expiresAt.getUTCFullYear()).toBe(2033)
  })

  it.each([
    ['of another chip', () => [addressOf(vcek), amd.vcek({ product: 'Milan' }).der], 'snp-vcek-hwid-mismatch'],
    [
      'of another TCB',
      () => [addressOf(vcek), amd.vcek({ product: 'Milan', hwid: vcek.hwid, tcb: { ...vcek.tcb, snp: 1 } }).der],
      'snp-vcek-hwid-mismatch',
    ],
    ['that is a VLEK', () => [addressOf(vcek), amd.vlek({ product: 'Milan' }).der], 'snp-vcek-hwid-mismatch'],
    ['that is no certificate', () => [addressOf(vcek), Uint8Array.of(0x30, 0)], 'snp-vek-algorithm'],
    ['with a byte behind it', () => [addressOf(vcek), Uint8Array.of(...vcek.der, 0)], 'snp-vek-algorithm'],
    [
      'that has ended',
      () => {
        const old = amd.vcek({ product: 'Milan', overrides: { notBefore: hours(-9), notAfter: hours(-1) } })
        return [addressOf(old), old.der]
      },
      'snp-cert-expired',
    ],
    [
      'that has not begun',
      () => {
        const young = amd.vcek({ product: 'Milan', overrides: { notBefore: hours(1) } })
        return [addressOf(young), young.der]
      },
      'snp-cert-not-yet-valid',
    ],
    [
      'of another signer',
      () => {
        const forged = amd.vcek({
          product: 'Milan',
          overrides: { signedBy: { commonName: 'SEV-Milan', privateKey: amd.authority('Turin', 'ask').privateKey } },
        })
        return [addressOf(forged), forged.der]
      },
      'snp-chain-invalid',
    ],
  ] satisfies readonly (readonly [string, () => [CollateralAddress, Uint8Array], string])[])('is refused %s', async (_, make, code) => {
    const [address, bytes] = make()
    await expect(admit(address, bytes)).rejects.toMatchObject({ code })
  })

  it('of the simulator is refused where only AMD’s keys count', async () => {
    await expect(admit(addressOf(vcek), vcek.der, pinnedAnchors)).rejects.toMatchObject({ code: 'snp-root-untrusted' })
  })
})

const list = (request: Partial<Parameters<FakeAmd['crl']>[0]> = {}) => amd.crl({ product: 'Milan', ...request })

describe('a revocation list', () => {
  it('is admitted with its mark', async () => {
    const admitted = await admit(LIST, list({ number: 7n }))
    expect(admitted).toEqual({ expiresAt: hours(720), mark: { number: 7n, thisUpdate: hours(-1) } })
  })

  it('without a number has the lowest mark', async () => {
    expect((await admit(LIST, list({ overrides: { extensions: () => [] } }))).mark?.number).toBe(0n)
  })

  it('is admitted under the root that signed it, beside a pinned one', async () => {
    const admitted = await admit(LIST, list({ number: 7n }), anchorsOf([...pinnedAnchors.amd, ...amd.anchors()]))
    expect(admitted.mark?.number).toBe(7n)
  })

  it.each([
    ['of another product', () => list({ product: 'Turin' }), 'snp-crl-issuer'],
    ['of another signer', () => list({ overrides: { signWith: amd.authority('Milan', 'ask') } }), 'snp-crl-signature'],
    ['that is none', () => Uint8Array.of(1), 'snp-crl-signature'],
    [
      'that is not understood',
      () => list({ overrides: { extensions: (all) => [...all, { oid: '2.5.29.27', critical: true, value: Uint8Array.of(5, 0) }] } }),
      'snp-crl-unavailable',
    ],
    ['that has ended', () => list({ nextUpdate: now }), 'snp-crl-expired'],
    ['without an end', () => list({ nextUpdate: 'absent' }), 'snp-crl-expired'],
    ['of the future', () => list({ thisUpdate: hours(0.1) }), 'snp-crl-not-yet-valid'],
  ])('is refused %s', async (_, make, code) => {
    await expect(admit(LIST, make())).rejects.toMatchObject({ code })
  })

  it('is refused where no root of its product is trusted', async () => {
    await expect(admit(crlAddress('Genoa', 'vcek'), list())).rejects.toMatchObject({ code: 'snp-root-untrusted' })
    await expect(admit(LIST, list(), pinnedAnchors)).rejects.toMatchObject({ code: 'snp-crl-signature' })
  })
})

it('an address that names nothing of AMD’s is refused', async () => {
  await expect(admit('amd/ask/Milan', vcek.der)).rejects.toMatchObject({ code: 'collateral-unavailable' })
})
