import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { CertificateList, Extension } from '@peculiar/asn1-x509'
import { assert, nat, property } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import type { CrlRequest } from '../simulator/revocation.ts'
import { parseCrl } from './crl.ts'
import { AttestationError } from './problems.ts'
import { isAmdPss } from './x509-algorithm.ts'
import { formatName } from './x509-name.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ now: new Date('2026-11-23T12:00:00Z'), products: ['Milan'] })
})

const NULL = Uint8Array.of(0x05, 0x00)
const mint = (request: Omit<CrlRequest, 'product'> = {}): Uint8Array => amd.crl({ product: 'Milan', ...request })
const extended = (oid: string, critical: boolean, value = NULL): NonNullable<CrlRequest['overrides']> => ({
  extensions: (standard) => [...standard, { oid, critical, value }],
})
/** A list whose second entry has one extension more. Its signature is not that of the change, and is not looked at here. */
function entryExtended(extnID: string, critical: boolean, value = NULL): Uint8Array {
  const codec = AsnConvert.parse(Buffer.from(mint({ revoked: [5n, 6n] })), CertificateList)
  const second = codec.tbsCertList.revokedCertificates?.[1]
  if (second !== undefined) second.crlEntryExtensions = [new Extension({ extnID, critical, extnValue: new OctetString(value) })]
  return new Uint8Array(AsnConvert.serialize(codec))
}
/** The version is the first INTEGER of a list; 1 means v2. */
function version(number: number): Uint8Array {
  const der = mint()
  return der.with(Buffer.from(der).indexOf(Buffer.from('020101', 'hex')) + 2, number)
}
const malformed = expect.objectContaining({ code: 'snp-crl-signature' })

describe('a revocation list', () => {
  it('is read field by field', () => {
    const list = parseCrl(mint({ number: 7n, revoked: [0x10001n, 0x10101n] }))
    expect(formatName(list.issuer)).toMatch(/CN=ARK-Milan$/)
    expect(list.thisUpdate.toISOString()).toBe('2026-11-23T11:00:00.000Z')
    expect(list.nextUpdate?.toISOString()).toBe('2026-12-23T12:00:00.000Z')
    expect([list.number, list.size, list.notUnderstood]).toEqual([7n, 2, undefined])
    expect([0x10001n, 0x10101n, 0x10000n, 7n].map(list.isRevoked)).toEqual([true, true, false, false])
    expect(isAmdPss(list.innerAlgorithm, list.outerAlgorithm)).toBe(true)
  })

  it('is read as an ASN.1 codec reads it', () => {
    const der = mint({ number: 300n, revoked: [1n, 0x80n, 0xffffffffffn] })
    const codec = AsnConvert.parse(Buffer.from(der), CertificateList)
    const serials = codec.tbsCertList.revokedCertificates?.map(({ userCertificate }) =>
      BigInt(`0x${Buffer.from(userCertificate).toString('hex')}`),
    )
    const list = parseCrl(der)
    expect(list.thisUpdate).toEqual(codec.tbsCertList.thisUpdate.getTime())
    expect(list.nextUpdate).toEqual(codec.tbsCertList.nextUpdate?.getTime())
    expect(serials?.map((serial) => list.isRevoked(serial))).toEqual([true, true, true])
    expect(Buffer.from(list.signature)).toEqual(Buffer.from(codec.signature))
  })

  it('may lack its end and its number', () => {
    const list = parseCrl(mint({ nextUpdate: 'absent', overrides: { extensions: () => [] } }))
    expect([list.nextUpdate, list.number]).toEqual([undefined, undefined])
  })

  it.each([
    ['a critical extension that nobody knows', extended('1.2.3.4', true), '1.2.3.4'],
    ['a delta indicator, even when not critical', extended('2.5.29.27', false), '2.5.29.27'],
    ['a distribution point, critical', extended('2.5.29.28', true), '2.5.29.28'],
    ['a distribution point, not critical', extended('2.5.29.28', false), '2.5.29.28'],
  ])('says that it has %s', (_, overrides, oid) => expect(parseCrl(mint({ overrides })).notUnderstood).toBe(oid))

  it.each([
    ['of an issuer of its own, as indirect lists have', '2.5.29.29', true],
    ['of an issuer of its own, not critical', '2.5.29.29', false],
    ['that is critical and unknown', '1.2.3.4', true],
  ])('says that an entry has an extension %s', (_, oid, critical) => {
    const list = parseCrl(entryExtended(oid, critical))
    expect([list.notUnderstood, list.size]).toEqual([oid, 2])
  })

  it.each([
    ['an unknown extension that is not critical', '1.2.3.4', false, NULL],
    ['the reason removeFromCRL, which counts as any other', '2.5.29.21', false, Uint8Array.of(0x0a, 1, 8)],
    ['a reason that is critical', '2.5.29.21', true, Uint8Array.of(0x0a, 1, 1)],
  ] as const)('revokes by an entry with %s', (...[, oid, critical, value]) => {
    const list = parseCrl(entryExtended(oid, critical, value))
    expect([list.notUnderstood, list.isRevoked(5n), list.isRevoked(6n)]).toEqual([undefined, true, true])
  })

  it.each([
    ['an unknown extension that is not critical', extended('1.2.3.4', false)],
    ['an authority key identifier', extended('2.5.29.35', true)],
  ])('is usable with %s', (_, overrides) => expect(parseCrl(mint({ overrides })).notUnderstood).toBeUndefined())

  it.each([
    ['nothing', () => new Uint8Array(0)],
    ['a certificate', () => amd.root('Milan')],
    ['a byte behind it', () => Uint8Array.of(...mint(), 0)],
    ['its end missing', () => mint().subarray(0, -1)],
    ['a number that is no integer', () => mint({ overrides: { extensions: () => [{ oid: '2.5.29.20', critical: false, value: NULL }] } })],
    ['a negative number', () => mint({ number: -1n })],
    ['version 1', () => version(0)],
    ['version 3', () => version(2)],
    ['an extension twice', () => mint({ overrides: { extensions: (all) => [...all, ...all] } })],
    ['more than 8 MiB', () => Buffer.concat([Buffer.of(0x30, 0x83, 0x80, 0x00, 0x00), Buffer.alloc(0x800000)])],
  ])('is refused with %s', (_, make) => expect(() => parseCrl(make())).toThrow(malformed))

  it('is read or refused, whichever byte is changed', () => {
    const der = mint({ revoked: [1n, 2n] })
    const isHandled = (at: number, value: number): boolean => {
      try {
        return parseCrl(der.with(at, value)).size >= 0
      } catch (error) {
        return error instanceof AttestationError
      }
    }
    expect(() => assert(property(nat(der.length - 1), nat(255), isHandled), { seed: 20261123, numRuns: 3000 })).not.toThrow()
  })
})
