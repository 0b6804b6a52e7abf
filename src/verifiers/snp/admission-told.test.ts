import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName } from '../../simulator/names.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { admitCollateral } from '../admission.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import type { CollateralAddress } from '../verifier.ts'
import { crlAddress } from './address.ts'
import { vcekAddressOfCertificate } from './vek.ts'

const now = new Date('2026-11-23T12:00:00Z')
const seconds = (count: number): Date => new Date(now.getTime() + count * 1000)
const LIST = crlAddress('Milan', 'vcek')

let amd: FakeAmd
let vcek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  vcek = amd.vcek({ product: 'Milan' })
})

const addressOf = (vek: FakeVek): CollateralAddress => vcekAddressOfCertificate(vek.der) ?? 'amd/none'
const admit = (address: CollateralAddress, bytes: Uint8Array, anchors = anchorsOf(amd.anchors())) =>
  admitCollateral({ address, bytes }, anchors, now)
const list = (request: Partial<Parameters<FakeAmd['crl']>[0]> = {}): Uint8Array => amd.crl({ product: 'Milan', ...request })
const AMD = 'OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices'

describe('a revocation list that is not kept says why', () => {
  it.each<[string, string, () => Uint8Array]>([
    ['snp-crl-issuer', `issued by ${AMD}, CN=ARK-Turin`, () => list({ product: 'Turin' })],
    [
      'snp-crl-signature',
      'not signed by the pinned key of ARK-Milan',
      () => list({ overrides: { signWith: amd.authority('Milan', 'ask') } }),
    ],
    ['snp-crl-signature', 'signed with another algorithm than AMD’s', () => list({ overrides: { scheme: 'pkcs1-sha384' } })],
    [
      'snp-crl-unavailable',
      'the list has extension 2.5.29.27, which is not understood',
      () => list({ overrides: { extensions: (all) => [...all, { oid: '2.5.29.27', critical: true, value: Uint8Array.of(5, 0) }] } }),
    ],
    ['snp-crl-not-yet-valid', 'thisUpdate 2026-11-23T12:05:01.000Z', () => list({ thisUpdate: seconds(301) })],
    ['snp-crl-expired', 'nextUpdate 2026-11-23T12:00:00.000Z', () => list({ nextUpdate: now })],
    ['snp-crl-expired', 'nextUpdate none', () => list({ nextUpdate: 'absent' })],
  ])('%s: %s', async (code, message, make) => {
    await expect(admit(LIST, make())).rejects.toMatchObject({ code, message })
  })

  it('as the place tells of one that is not its root’s', async () => {
    await expect(admit(LIST, list({ product: 'Turin' }))).rejects.toMatchObject({ at: 'crl' })
  })

  it('as not signed where the key of its root cannot be read', async () => {
    const spoilt = anchorsOf(amd.anchors().map((anchor) => ({ ...anchor, spki: Uint8Array.of(0x30, 0) })))
    await expect(admit(LIST, list(), spoilt)).rejects.toMatchObject({ message: 'not signed by the pinned key of ARK-Milan' })
  })

  it('where no root of its product is pinned', async () => {
    const refused = admit(crlAddress('Genoa', 'vcek'), list())
    await expect(refused).rejects.toMatchObject({ code: 'snp-root-untrusted', message: 'no root of this product is pinned' })
  })
})

describe('the window of a list that is kept', () => {
  it('may begin within five minutes, by which clocks may differ', async () => {
    for (const thisUpdate of [seconds(-1), now, seconds(300)])
      expect((await admit(LIST, list({ thisUpdate }))).mark).toEqual({ number: 1n, thisUpdate })
  })

  it('may end in the next second', async () => {
    expect((await admit(LIST, list({ nextUpdate: seconds(1) }))).expiresAt).toEqual(seconds(1))
  })
})

describe('a VCEK that is not kept says why', () => {
  it.each<[string, string, () => readonly [CollateralAddress, Uint8Array]]>([
    [
      'snp-vek-algorithm',
      'the key is not an uncompressed point of the named curve P-384',
      () => {
        const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        return [addressOf(vcek), amd.vcek({ product: 'Milan', hwid: vcek.hwid, overrides: { keys } }).der]
      },
    ],
    [
      'snp-chain-invalid',
      'no pinned ASK is called SEV-Rome',
      () => [addressOf(vcek), amd.vcek({ product: 'Milan', hwid: vcek.hwid, overrides: { issuer: amdName('SEV-Rome') } }).der],
    ],
    [
      'snp-cert-expired',
      'SEV-VCEK from 2026-11-23T10:00:00.000Z to 2026-11-23T11:54:59.000Z, now 2026-11-23T12:00:00.000Z',
      () => {
        const old = amd.vcek({ product: 'Milan', overrides: { notBefore: seconds(-7200), notAfter: seconds(-301) } })
        return [addressOf(old), old.der]
      },
    ],
    [
      'snp-cert-not-yet-valid',
      'SEV-VCEK from 2026-11-23T12:05:01.000Z to 2026-11-23T13:00:00.000Z, now 2026-11-23T12:00:00.000Z',
      () => {
        const young = amd.vcek({ product: 'Milan', overrides: { notBefore: seconds(301), notAfter: seconds(3600) } })
        return [addressOf(young), young.der]
      },
    ],
  ])('%s: %s', async (code, message, make) => {
    await expect(admit(...make())).rejects.toMatchObject({ code, message })
  })

  it('with the number of the check that failed, and all checks that were made', async () => {
    const old = amd.vcek({ product: 'Milan', overrides: { notBefore: seconds(-7200), notAfter: seconds(-301) } })
    await expect(admit(addressOf(old), old.der)).rejects.toMatchObject({ at: 'SNP-33', checks: [{ id: 'SNP-33', outcome: 'fail' }] })
  })

  it('by the address that is its own', async () => {
    const other = amd.vcek({ product: 'Milan' })
    const message = `the certificate is ${addressOf(other)}, not ${addressOf(vcek)}`
    await expect(admit(addressOf(vcek), other.der)).rejects.toMatchObject({ code: 'snp-vcek-hwid-mismatch', message })
  })

  it('by what it is when it is a VLEK', async () => {
    const message = `the certificate is no VCEK, not ${addressOf(vcek)}`
    await expect(admit(addressOf(vcek), amd.vlek({ product: 'Milan' }).der)).rejects.toMatchObject({ message })
  })

  it('within five minutes of either end is kept, and judged when it is used', async () => {
    for (const [notBefore, notAfter] of [
      [seconds(300), seconds(3600)],
      [seconds(-3600), seconds(-300)],
    ] as const) {
      const dated = amd.vcek({ product: 'Milan', overrides: { notBefore, notAfter } })
      expect(await admit(addressOf(dated), dated.der)).toEqual({ expiresAt: notAfter })
    }
  })

  it('of a test root is kept beside AMD’s own roots, where a test root is trusted', async () => {
    const both = anchorsOf([...pinnedAnchors.amd, ...amd.anchors()])
    expect((await admit(addressOf(vcek), vcek.der, both)).expiresAt).toEqual(new Date('2033-11-23T06:00:00Z'))
  })
})

it('an address that names nothing of AMD’s is refused by name', async () => {
  const message = 'amd/ask/Milan names no document of AMD’s'
  await expect(admit('amd/ask/Milan', vcek.der)).rejects.toMatchObject({ code: 'collateral-unavailable', message })
})
