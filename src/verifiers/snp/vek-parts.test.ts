import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName } from '../../simulator/names.ts'
import { VEK_OID } from '../../simulator/veks.ts'
import { parseVek, tryVek, vcekAddressOfCertificate } from './vek.ts'
import { inspectCertificate } from './inspect-certificate.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Turin'] })
})

const PARTS = ['bootloader', 'tee', 'snp', 'microcode'] as const
const without = (product: 'Milan' | 'Turin', part: keyof typeof VEK_OID): Uint8Array =>
  amd.vcek({ product, overrides: { extensions: (all) => all.filter(({ oid }) => oid !== VEK_OID[part]) } }).der

describe('a VEK whose certificate lacks', () => {
  it.each([...PARTS.map((part) => ['Milan', part] as const), ...[...PARTS, 'fmc' as const].map((part) => ['Turin', part] as const)])(
    'of %s its SPL of %s is none',
    (product, part) => {
      const der = without(product, part)
      const error = { code: 'snp-vek-subject', at: 'vek', message: 'the certificate is not an endorsement key of a known product' }
      expect(() => parseVek(der)).toThrow(expect.objectContaining(error))
      expect([tryVek(der), vcekAddressOfCertificate(der)]).toEqual([undefined, undefined])
    },
  )

  it('its chip is one without it, which has no address', () => {
    const der = without('Milan', 'hwid')
    expect(parseVek(der)).not.toHaveProperty('hwid')
    expect(parseVek(der)).not.toHaveProperty('cspId')
    expect(vcekAddressOfCertificate(der)).toBeUndefined()
  })

  it.each([
    ['the name of either kind', { commonName: 'SEV-Milan' }],
    ['an issuer of a known product', { issuer: amdName('SEV-Rome') }],
    ['an issuer that signs endorsement keys', { issuer: amdName('ARK-Milan') }],
  ])('%s is none', (_, overrides) => expect(tryVek(amd.vcek({ product: 'Milan', overrides }).der)).toBeUndefined())
})

describe('a VEK holds no member that its certificate does not', () => {
  it('of a VCEK: no provider, and on Milan no FMC', () => {
    expect(parseVek(amd.vcek({ product: 'Milan' }).der)).not.toHaveProperty('cspId')
    expect(parseVek(amd.vcek({ product: 'Milan' }).der).tcb).not.toHaveProperty('fmc')
  })

  it('of a VLEK: no chip', () => expect(parseVek(amd.vlek({ product: 'Milan' }).der)).not.toHaveProperty('hwid'))
})

describe('the view of a certificate', () => {
  it('shows a provider or a chip as null where there is none', () => {
    const vcek = amd.vcek({ product: 'Milan' })
    const vlek = amd.vlek({ product: 'Milan' })
    expect(inspectCertificate(vcek.der, 'certificates[0]').vek).toMatchObject({
      hwid: Buffer.from(vcek.hwid).toString('hex'),
      csp_id: null,
    })
    expect(inspectCertificate(vlek.der, 'certificates[0]').vek).toMatchObject({ hwid: null, csp_id: vlek.cspId })
  })

  it('is refused by the place of what is none', () => {
    const error = { code: 'snp-certificate-malformed', message: expect.stringMatching(/^cert_table\.vcek /) }
    expect(() => inspectCertificate(Buffer.from('text'), 'cert_table.vcek')).toThrow(expect.objectContaining(error))
  })
})
