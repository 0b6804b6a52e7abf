import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { AlgorithmIdentifier, Name } from '@peculiar/asn1-x509'
import { describe, expect, it } from 'vitest'
import { MARKER_OID, carriesMarker } from '../verifiers/x509-marker.ts'
import { parseCertificate } from '../verifiers/x509.ts'
import { writeCertificate } from './certificate.ts'
import { restoreArcs, standInFor } from './long-oid.ts'

const OTHER = `${MARKER_OID.slice(0, -2)}.2`

describe('certificates', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = writeCertificate({
    serial: 5n,
    subject: new Name([]),
    issuer: new Name([]),
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-01-02T00:00:00Z'),
    publicKey,
    extensions: [MARKER_OID, OTHER, '2.5.29.14'].map((oid) => ({ oid, critical: oid === MARKER_OID, value: Uint8Array.of(5, 0) })),
    algorithm: new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' }),
    sign: (bytes) => sign('sha256', bytes, privateKey),
  })

  it('hold identifiers of ours in their true form, signed', () => {
    const { extensions } = parseCertificate(der)
    expect(extensions.map(({ oid, critical }) => [oid, critical])).toEqual([
      [MARKER_OID, true],
      [OTHER, false],
      ['2.5.29.14', false],
    ])
    expect(extensions.map(carriesMarker)).toEqual([true, false, false])
    expect(new X509Certificate(der).verify(createPublicKey(privateKey))).toBe(true)
  })
})

describe('identifiers that the codec cannot write', () => {
  it('have a stand-in of their own length, others none', () => {
    expect(standInFor(MARKER_OID)).toMatch(/^2\.25(\.1)+$/)
    expect(standInFor(OTHER)).toMatch(/^2\.25(\.1)+\.2$/)
    expect(standInFor('2.25.7')).toBe('2.25.7')
  })

  it('are put back from an offset on, each time that they occur', () => {
    const standIn = Uint8Array.of(0x69, ...Array.from({ length: 19 }, () => 1))
    const twice = () => Uint8Array.of(9, ...standIn, 7, ...standIn, 8)
    const restored = restoreArcs(twice())
    expect(restored.subarray(1, 21)).toEqual(restored.subarray(22, 42))
    expect(restored.subarray(1, 21)).not.toEqual(standIn)
    expect([restored[0], restored[21], restored[42]]).toEqual([9, 7, 8])
    expect(restoreArcs(twice(), 2).subarray(1, 21)).toEqual(standIn)
    expect(restoreArcs(twice(), 2).subarray(22, 42)).toEqual(restored.subarray(22, 42))
  })
})
