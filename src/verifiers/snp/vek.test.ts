import { beforeAll, describe, expect, it } from 'vitest'
import { vectorBytes, vectorsPresent } from '../../../test/vectors.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName as simulatedName } from '../../simulator/names.ts'
import { signedReport } from '../../simulator/report.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { parseReport, type Report } from './report.ts'
import { authorityName, isAmdName, isAuthorityName, kindOf, amdName } from './vek-names.ts'
import { endorsementCandidates, isChipOf, reportProduct, reportedTcb, selectVek, vcekAddressOfReport } from './vek-select.ts'
import { parseVek, productHint, tryVek, vcekAddressOfCertificate } from './vek.ts'

const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
let amd: FakeAmd
let vcek: FakeVek
let vlek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Turin'] })
  vcek = amd.vcek({ product: 'Milan', tcb })
  vlek = amd.vlek({ product: 'Milan', tcb })
})

const reportOf = (vek: FakeVek): Report => parseReport(signedReport(vek))
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

describe('a VEK', () => {
  it('is read from a VCEK', () => {
    const vek = parseVek(vcek.der)
    expect(vek).toMatchObject({ kind: 'vcek', product: 'Milan', productName: 'Milan-B0', structVersion: 0, tcb })
    expect([hex(vek.hwid), vek.cspId]).toEqual([hex(vcek.hwid), undefined])
    expect(vek.spkiSha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is read from a VLEK', () => {
    const vek = parseVek(vlek.der)
    expect([vek.kind, vek.hwid, vek.cspId]).toEqual(['vlek', undefined, vlek.cspId])
  })

  it('has FMC on Turin only', () => {
    const turin = amd.vcek({ product: 'Turin' })
    expect(parseVek(turin.der).tcb).toEqual(turin.tcb)
    expect(turin.tcb.fmc).toBeTypeOf('number')
  })

  it.skipIf(!vectorsPresent())('is read from a genuine Turin certificate', () => {
    const vek = parseVek(vectorBytes('snp/cert-turin-virtee/vcek.der'))
    expect([vek.product, vek.structVersion, vek.tcb, hex(vek.hwid)]).toEqual([
      'Turin',
      1,
      { bootloader: 0, tee: 0, snp: 0, microcode: 9, fmc: 0 },
      '1e550a8ee5cf9f4d',
    ])
  })

  it.each([
    ['an authority', () => amd.root('Milan'), 'snp-vek-extension-invalid'],
    ['another name', () => amd.vcek({ product: 'Milan', overrides: { commonName: 'VCEK' } }).der, 'snp-vek-subject'],
    ['another issuer', () => amd.vcek({ product: 'Milan', overrides: { issuer: simulatedName('SEV-Rome') } }).der, 'snp-vek-subject'],
    ['garbage', () => Uint8Array.of(1), 'snp-certificate-malformed'],
  ])('is not read from %s', (_, make, code) => {
    expect(() => parseVek(make())).toThrow(expect.objectContaining({ code }))
    expect(tryVek(make())).toBeUndefined()
  })

  it('hints at its product by its issuer', () => {
    expect([vcek.der, vlek.der, amd.intermediate('Milan', 'ask'), Uint8Array.of(1)].map(productHint)).toEqual([
      'Milan',
      'Milan',
      undefined,
      undefined,
    ])
  })

  it('has the address of the report that it signs', () => {
    for (const vek of [vcek, amd.vcek({ product: 'Turin' })]) {
      expect(vcekAddressOfCertificate(vek.der)).toBe(vcekAddressOfReport(reportOf(vek)))
      expect(vcekAddressOfCertificate(vek.der)).toContain(`amd/vcek/${vek.product}/${hex(vek.hwid)}/`)
    }
  })

  it('has no address without a chip of the product’s length', () => {
    const short = amd.vcek({ product: 'Milan', hwid: new Uint8Array(63).fill(1) })
    expect([vlek.der, short.der, amd.root('Milan'), Uint8Array.of(1)].map(vcekAddressOfCertificate)).toEqual(Array.from({ length: 4 }))
  })
})

const otherChip = () => amd.vcek({ product: 'Milan', tcb })
const otherTcb = () => amd.vcek({ product: 'Milan', hwid: vcek.hwid, tcb: { ...tcb, snp: 1 } })
const fetched = () => Uint8Array.of(0x30)
const chosen = (certificates: readonly Uint8Array[], more?: Uint8Array) => selectVek(certificates, reportOf(vcek), more)

describe('the certificate to judge', () => {
  it('is the only one, whatever it is', () => {
    expect(chosen([amd.intermediate('Milan', 'ask')])).toEqual(amd.intermediate('Milan', 'ask'))
    expect(chosen([Uint8Array.of(1)])).toEqual(Uint8Array.of(1))
  })

  it('is the shipped one rather than a fetched one, but no authority', () => {
    expect(chosen([vcek.der], fetched())).toBe(vcek.der)
    expect(chosen([amd.root('Milan')], fetched())).toEqual(fetched())
    expect(chosen([], fetched())).toEqual(fetched())
    expect(chosen([])).toBeUndefined()
    expect(chosen([amd.root('Milan'), amd.intermediate('Milan', 'ask')])).toBeUndefined()
  })

  it('is never one that says that it is an authority, where there is another', () => {
    expect(chosen([amd.root('Milan'), vcek.der, amd.intermediate('Milan', 'ask')])).toBe(vcek.der)
    expect(endorsementCandidates([amd.root('Milan'), vcek.der, Uint8Array.of(1)])).toEqual([vcek.der, Uint8Array.of(1)])
  })

  it('is the one of several that fits kind, chip and TCB', () => {
    const rest = [vlek.der, otherChip().der, otherTcb().der, Uint8Array.of(1)]
    for (let at = 0; at <= rest.length; at += 1) expect(chosen(rest.toSpliced(at, 0, vcek.der))).toBe(vcek.der)
    expect(selectVek([vcek.der, vlek.der], reportOf(vlek), undefined)).toBe(vlek.der)
  })

  it('is the first of its kind where none fits, else the first', () => {
    const [chip, level] = [otherChip().der, otherTcb().der]
    expect(chosen([vlek.der, chip, level])).toBe(chip)
    expect(chosen([vlek.der, Uint8Array.of(1)])).toBe(vlek.der)
  })
})

describe('of several VLEKs, which name no chip,', () => {
  it('the one is judged in whose product’s layout the report’s TCB can be read', () => {
    const turin = amd.vlek({ product: 'Turin' })
    expect(selectVek([turin.der, vlek.der], reportOf(vlek), undefined)).toBe(vlek.der)
  })
})

describe('a report', () => {
  it('names its product, version 2 none', () => {
    expect(reportProduct(reportOf(vcek))).toBe('Milan')
    expect(reportProduct({ ...reportOf(vcek), cpuid: null })).toBeUndefined()
    expect(reportProduct({ ...reportOf(vcek), cpuid: { family: 0x1a, model: 0x50, stepping: 0 } })).toBeUndefined()
  })

  it('has a TCB in the layout of one product only', () => {
    expect(reportedTcb('Milan', reportOf(vcek))).toEqual(tcb)
    expect(reportedTcb('Turin', reportOf(vcek))).toBeUndefined()
  })

  it('has an address only with a product, a chip and a TCB that can be read', () => {
    const report = reportOf(vcek)
    const without = [
      { ...report, cpuid: null },
      { ...report, signingKey: 'vlek' } as const,
      { ...report, chipId: new Uint8Array(64) },
      { ...report, reportedTcb: new Uint8Array(8).fill(0xff) },
    ]
    expect(without.map(vcekAddressOfReport)).toEqual(Array.from({ length: 4 }))
  })

  it('is of a chip if the hwID is CHIP_ID, zeros behind it', () => {
    const chipId = new Uint8Array(64)
    chipId.set([1, 2, 3, 4, 5, 6, 7, 8])
    expect(isChipOf(chipId.subarray(0, 8), chipId)).toBe(true)
    expect(isChipOf(chipId, chipId)).toBe(true)
    expect(isChipOf(chipId.subarray(0, 7), chipId)).toBe(false)
    expect(isChipOf(new Uint8Array(65), new Uint8Array(64))).toBe(false)
    expect(isChipOf(chipId.subarray(0, 8), chipId.with(63, 1))).toBe(false)
  })
})

describe('AMD’s names', () => {
  it('are compared whole and in order', () => {
    const name = amdName('SEV-VCEK')
    expect(isAmdName(name)).toBe(true)
    expect(
      [[], name.slice(1), name.toReversed(), [...name, ...name], name.with(0, { oid: '2.5.4.11', value: 'engineering' })].some(isAmdName),
    ).toBe(false)
  })

  it('tell kinds and authorities', () => {
    expect(['SEV-VCEK', 'SEV-VLEK', 'VCEK', 'SEV-Milan', 'toString', undefined].map(kindOf)).toEqual([
      'vcek',
      'vlek',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect([authorityName('ark', 'Genoa'), authorityName('ask', 'Genoa'), authorityName('asvk', 'Genoa')].map(isAuthorityName)).toEqual([
      true,
      true,
      true,
    ])
    expect(['SEV-VCEK', 'SEV-Rome', undefined].some(isAuthorityName)).toBe(false)
  })
})
