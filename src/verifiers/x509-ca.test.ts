import { beforeAll, describe, expect, it } from 'vitest'
import { vectorBytes, vectorsPresent } from '../../test/vectors.ts'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { basicConstraints, keyUsage, type SimExtension } from '../simulator/der.ts'
import { MARKER_OID } from './anchors.ts'
import { AMD_ANCHORS } from './snp/roots.ts'
import { claimsAuthority, isSimulated, unfitForAuthority } from './x509-ca.ts'
import { parseCertificate, repeatedExtension } from './x509.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
})

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const malformed = expect.objectContaining({ code: 'snp-certificate-malformed' })
const without = (oid: string) => (all: readonly SimExtension[]) => all.filter((extension) => extension.oid !== oid)
const swapped = (extension: SimExtension) => (all: readonly SimExtension[]) => [...without(extension.oid)(all), extension]

const intermediate = (change: (standard: readonly SimExtension[]) => readonly SimExtension[]) =>
  parseCertificate(amd.reissue('Milan', 'ask', { extensions: change }))

describe('authorities', () => {
  it('are fit for their role', () => {
    expect(unfitForAuthority(parseCertificate(amd.root('Milan')), 'root')).toBeUndefined()
    expect(
      unfitForAuthority(
        intermediate((same) => same),
        'intermediate',
      ),
    ).toBeUndefined()
  })

  it.skipIf(!vectorsPresent())('are fit for their role when they are AMD’s', () => {
    const faults = AMD_ANCHORS.map(({ commonName, role }) =>
      unfitForAuthority(parseCertificate(vectorBytes(`snp/_roots/${commonName}.der`)), role === 'ark' ? 'root' : 'intermediate'),
    )
    expect(faults).toEqual(AMD_ANCHORS.map(() => undefined))
  })

  it.each([
    ['no basicConstraints', without('2.5.29.19'), /not a certificate authority/],
    ['basicConstraints that say no', swapped(basicConstraints('end-entity')), /not a certificate authority/],
    ['basicConstraints that are not critical', swapped({ ...basicConstraints('ca', 0), critical: false }), /not a certificate authority/],
    ['no path length', swapped(basicConstraints('ca')), /path length/],
    ['path length 1', swapped(basicConstraints('ca', 1)), /path length/],
    ['no keyUsage', without('2.5.29.15'), /may not sign certificates/],
    ['a keyUsage without keyCertSign', swapped(keyUsage(1)), /may not sign certificates/],
    ['a keyUsage that is not critical', swapped({ ...keyUsage(32), critical: false }), /may not sign certificates/],
    ['an unknown critical extension', swapped({ oid: '1.2.3.4', critical: true, value: bytes('0500') }), /1\.2\.3\.4/],
    [
      'an extension twice',
      (all: readonly SimExtension[]) => [...all, { oid: '2.5.29.31', critical: false, value: bytes('0500') }],
      /twice/,
    ],
  ])('are unfit with %s', (_, change, fault) => expect(unfitForAuthority(intermediate(change), 'intermediate')).toMatch(fault))

  it('need keyUsage for lists where they are roots', () => {
    expect(unfitForAuthority(parseCertificate(amd.reissue('Milan', 'ark', { extensions: swapped(keyUsage(32)) })), 'root')).toMatch(
      /revocation lists/,
    )
  })

  it('are malformed where their extensions are', () => {
    const garbage = intermediate(swapped({ oid: '2.5.29.19', critical: true, value: bytes('0500') }))
    expect(() => unfitForAuthority(garbage, 'intermediate')).toThrow(malformed)
    expect(claimsAuthority(garbage)).toBe(false)
    const bits = intermediate(swapped({ oid: '2.5.29.15', critical: true, value: bytes('0302 0307') }))
    expect(() => unfitForAuthority(bits, 'intermediate')).toThrow(malformed)
  })

  it('of the simulator carry its marker', () => {
    const certificate = parseCertificate(amd.root('Milan'))
    expect(isSimulated(certificate)).toBe(true)
    expect(certificate.extensions.find(({ oid }) => oid === MARKER_OID)?.critical).toBe(true)
    expect(isSimulated(parseCertificate(amd.reissue('Milan', 'ask', { marker: 'omit' })))).toBe(false)
  })

  it('repeat no extension', () => expect(repeatedExtension(parseCertificate(amd.root('Milan')).extensions)).toBeUndefined())
})
