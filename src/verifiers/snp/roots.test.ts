import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorsPresent } from '../../../test/vectors.ts'
import { AMD_ANCHORS } from './roots.ts'

/** Specification snp.md section 6.4: name, serial, notBefore, SHA-256 of the SubjectPublicKeyInfo. */
const PUBLISHED = [
  ['ARK-Milan', 0x10000, '2020-10-22T17:23:05.000Z', '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'],
  ['SEV-Milan', 0x10001, '2020-10-22T18:24:20.000Z', '42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6'],
  ['SEV-VLEK-Milan', 0x10101, '2022-11-16T22:45:24.000Z', '66450a123ea5876206df67f2514a4fea224c0f63b18313423078b0edc4535e33'],
  ['ARK-Genoa', 0x20000, '2022-01-26T15:34:37.000Z', '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'],
  ['SEV-Genoa', 0x20002, '2022-10-31T13:33:48.000Z', '0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8'],
  ['SEV-VLEK-Genoa', 0x20101, '2022-11-18T20:48:34.000Z', '7d1633252ebbadaa75f96e9b4e6f7d43a90ceb3f843937482630f8da2459264e'],
  ['ARK-Turin', 0x30000, '2023-05-15T20:03:12.000Z', '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'],
  ['SEV-Turin', 0x30001, '2023-05-15T20:25:21.000Z', '0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9'],
  ['SEV-VLEK-Turin', 0x30101, '2023-05-15T21:09:41.000Z', 'bfc441408b2f806c5dbf180bd8920e6e60dd404d82141780d85dbf962954d386'],
] as const

describe('AMD’s pinned keys', () => {
  it('are those of section 6.4, in its order', () => {
    const pinned = AMD_ANCHORS.map(({ commonName, serial, notBefore, spki }) => [
      commonName,
      Number(serial),
      notBefore.toISOString(),
      createHash('sha256').update(spki).digest('hex'),
    ])
    expect(pinned).toEqual(PUBLISHED.map((row) => [...row]))
  })

  it('are valid for 25 years, pinned, and named by product and role', () => {
    for (const { product, role, commonName, notBefore, notAfter, origin } of AMD_ANCHORS) {
      expect(notAfter.getUTCFullYear() - notBefore.getUTCFullYear()).toBe(25)
      expect(origin).toBe('pinned')
      expect(commonName).toBe(`${{ ark: 'ARK-', ask: 'SEV-', asvk: 'SEV-VLEK-' }[role]}${product}`)
    }
  })

  it('are RSA keys of 4096 bits', () => {
    for (const { spki } of AMD_ANCHORS) {
      const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
      expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength, key.asymmetricKeyDetails?.publicExponent]).toEqual([
        'rsa',
        4096,
        65537n,
      ])
    }
  })

  it.skipIf(!vectorsPresent()).each(AMD_ANCHORS)('agree with the certificate $commonName', (anchor) => {
    const certificate = new X509Certificate(vectorBytes(`snp/_roots/${anchor.commonName}.der`))
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' })
    expect(spki.equals(anchor.spki)).toBe(true)
    expect(BigInt(`0x${certificate.serialNumber}`)).toBe(anchor.serial)
    expect([certificate.validFromDate, certificate.validToDate]).toEqual([anchor.notBefore, anchor.notAfter])
  })
})
