import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { basicConstraints, keyUsage, type SimExtension } from '../simulator/der.ts'
import { anchorsOf, pinnedAnchors, testAnchors } from './anchors.ts'
import { fakeIntel } from '../simulator/intel.ts'
import { AMD_ANCHORS } from './snp/roots.ts'
import { INTEL_ANCHORS } from './tdx/roots.ts'

let amd: FakeAmd
let other: FakeAmd
const intel = fakeIntel()
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan', 'Turin'] })
  other = await fakeAmd({ products: ['Milan'] })
})

const names = (roots: readonly Uint8Array[], others: readonly Uint8Array[]) =>
  testAnchors(roots, others).amd.map(({ commonName }) => commonName)
const untrusted = expect.objectContaining({ code: 'snp-root-untrusted' })

describe('the digest of an anchor set', () => {
  it('is that of the pinned keys in production', () => {
    expect(pinnedAnchors).toEqual(anchorsOf(AMD_ANCHORS, INTEL_ANCHORS))
    expect(pinnedAnchors.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('changes with every field of every anchor', () => {
    const [first, ...rest] = AMD_ANCHORS
    const changed = [
      { product: 'Genoa' as const },
      { role: 'ask' as const },
      { commonName: 'ARK-Milano' },
      { serial: 1n },
      { notBefore: new Date(0) },
      { notAfter: new Date(0) },
      { spki: new Uint8Array(550) },
      { origin: 'test' as const },
    ].map((change) => anchorsOf(first === undefined ? [] : [{ ...first, ...change }, ...rest]).digest)
    expect(new Set([...changed, anchorsOf(rest).digest, anchorsOf(AMD_ANCHORS).digest, pinnedAnchors.digest]).size).toBe(changed.length + 3)
  })
})

/** The algorithm beside the signature says a salt of 20 bytes; what is signed, and the signature, are as they were. */
function withOuterSalt20(der: Uint8Array): Uint8Array {
  const changed = Buffer.from(der)
  changed[changed.lastIndexOf(Buffer.from('a203020130', 'hex')) + 4] = 20
  return new Uint8Array(changed)
}

describe('test anchors', () => {
  it('are the roots that are named and the intermediates that they signed', () => {
    const { amd: anchors } = testAnchors([amd.root('Milan')], [amd.intermediate('Milan', 'ask'), amd.intermediate('Milan', 'asvk')])
    const minted = amd.anchors().filter(({ product }) => product === 'Milan')
    const byName = (list: typeof anchors) => list.toSorted((a, b) => a.commonName.localeCompare(b.commonName))
    expect(byName(anchors)).toEqual(byName(minted))
  })

  it('ignore what no named root signed', () => {
    expect(names([amd.root('Milan')], [other.intermediate('Milan', 'ask'), amd.intermediate('Turin', 'ask'), amd.root('Turin')])).toEqual([
      'ARK-Milan',
    ])
  })

  it('take a certificate once', () => {
    const ask = amd.intermediate('Milan', 'ask')
    expect(names([amd.root('Milan'), amd.root('Milan')], [ask, ask])).toEqual(['ARK-Milan', 'SEV-Milan'])
  })

  it.each([
    ['garbage', () => Uint8Array.of(1, 2, 3)],
    ['a VCEK', () => amd.vcek({ product: 'Milan' }).der],
    ['the root itself', () => amd.root('Milan')],
    ['another name', () => amd.reissue('Milan', 'ask', { commonName: 'SEV-Genoa' })],
    [
      'another issuer’s name',
      () => amd.reissue('Milan', 'ask', { signedBy: { ...amd.authority('Milan', 'ark'), commonName: 'ARK-Genoa' } }),
    ],
    ['PKCS#1 v1.5', () => amd.reissue('Milan', 'ask', { scheme: 'pkcs1-sha384' })],
    ['another algorithm outside than inside', () => withOuterSalt20(amd.intermediate('Milan', 'ask'))],
    ['a salt of 20 bytes', () => amd.reissue('Milan', 'ask', { scheme: 'pss-sha384-salt20' })],
    [
      'no keyCertSign',
      () => amd.reissue('Milan', 'ask', { extensions: (all) => [...all.filter(({ oid }) => oid !== '2.5.29.15'), keyUsage(1)] }),
    ],
    [
      'an end before its beginning',
      () => amd.reissue('Milan', 'ask', { notBefore: new Date('2030-01-01'), notAfter: new Date('2029-01-01') }),
    ],
  ])('ignore an intermediate with %s', (_, make) => expect(names([amd.root('Milan')], [make()])).toEqual(['ARK-Milan']))

  it.each([
    ['an intermediate', () => amd.intermediate('Milan', 'ask')],
    ['a VCEK', () => amd.vcek({ product: 'Milan' }).der],
    ['a name that is none of AMD’s', () => amd.reissue('Milan', 'ark', { commonName: 'ARK-Rome' })],
    ['a signature of another key', () => amd.reissue('Milan', 'ark', { signedBy: { ...other.authority('Milan', 'ark') } })],
    ['PKCS#1 v1.5', () => amd.reissue('Milan', 'ark', { scheme: 'pkcs1-sha384' })],
    [
      'no cRLSign',
      () => amd.reissue('Milan', 'ark', { extensions: (all) => [...all.filter(({ oid }) => oid !== '2.5.29.15'), keyUsage(32)] }),
    ],
  ])('refuse a root with %s', (_, make) => expect(() => testAnchors([make()], [])).toThrow(untrusted))

  it('refuse a root that is no certificate', () => {
    expect(() => testAnchors([Uint8Array.of(0x30, 0)], [])).toThrow(expect.objectContaining({ code: 'snp-certificate-malformed' }))
  })

  it('refuse two roots for one product', () => {
    expect(() => testAnchors([amd.root('Milan'), other.root('Milan')], [])).toThrow(untrusted)
  })
})

const foreign = expect.objectContaining({ code: 'tdx-root-ca-untrusted' })
const reissued = (overrides: Parameters<typeof intel.reissue>[1]) => intel.reissue('root', overrides).der
const without = (oid: string) => (all: readonly SimExtension[]) => all.filter((extension) => extension.oid !== oid)

describe('test anchors of Intel', () => {
  it('are the roots that are named', () => {
    const more = fakeIntel()
    const roots = [intel.authority('root').der, more.authority('root').der]
    expect(testAnchors(roots, [])).toEqual(anchorsOf(AMD_ANCHORS, [...intel.anchors(), ...more.anchors()]))
  })

  it('take the place of Intel’s pin and of none of AMD’s, and the other way round', () => {
    const ark = amd.root('Milan')
    expect(testAnchors([intel.authority('root').der], []).amd).toEqual(AMD_ANCHORS)
    expect(testAnchors([ark], []).intel).toEqual(INTEL_ANCHORS)
    const both = testAnchors([ark, intel.authority('root').der], [])
    expect([both.amd.map(({ commonName }) => commonName), both.intel]).toEqual([['ARK-Milan'], intel.anchors()])
  })

  it.each([
    ['a signature of another key', () => reissued({ signingKey: intel.authority('platform').privateKey })],
    ['another issuer', () => reissued({ signedBy: { ...intel.authority('root'), commonName: 'Intel SGX PCK Platform CA' } })],
    ['SHA-384', () => reissued({ scheme: 'ecdsa-sha384' })],
    ['no cRLSign', () => reissued({ extensions: (all) => [...without('2.5.29.15')(all), keyUsage(32)] })],
    ['path length 0', () => reissued({ extensions: (all) => [...without('2.5.29.19')(all), basicConstraints('ca', 0)] })],
    ['no distribution point', () => reissued({ extensions: without('2.5.29.31') })],
    ['an end before its beginning', () => reissued({ notBefore: new Date('2030-01-01'), notAfter: new Date('2029-01-01') })],
  ])('refuse a root with %s', (_, make) => expect(() => testAnchors([make()], [])).toThrow(foreign))

  it('refuse the names of Intel’s other certificates', () => {
    expect(() => testAnchors([intel.authority('platform').der], [])).toThrow(untrusted)
  })
})
