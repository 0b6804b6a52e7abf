import { X509Certificate } from 'node:crypto'
import { assert, nat, property } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { vectorBytes, vectorsPresent } from '../../test/vectors.ts'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { DerReader, TAG } from './der.ts'
import { AttestationError } from './problems.ts'
import { AMD_ANCHORS } from './snp/roots.ts'
import { isAmdPss } from './x509-algorithm.ts'
import { claimsAuthority } from './x509-ca.ts'
import { formatName } from './x509-name.ts'
import { parseCertificate, readExtensions } from './x509.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
})

const malformed = expect.objectContaining({ code: 'snp-certificate-malformed' })

/** What OpenSSL reads of a certificate, in our terms. */
function openssl(der: Uint8Array) {
  const certificate = new X509Certificate(der)
  return {
    serial: BigInt(`0x${certificate.serialNumber}`),
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    spki: certificate.publicKey.export({ format: 'der', type: 'spki' }).toString('hex'),
    ca: certificate.ca,
  }
}

function ours(der: Uint8Array): ReturnType<typeof openssl> {
  const certificate = parseCertificate(der)
  const { serial, notBefore, notAfter, spki } = certificate
  const names = { subject: formatName(certificate.subject), issuer: formatName(certificate.issuer) }
  return { serial, ...names, notBefore, notAfter, spki: Buffer.from(spki).toString('hex'), ca: claimsAuthority(certificate) }
}

describe('a certificate is read as OpenSSL reads it', () => {
  it.each([
    ['ARK', () => amd.root('Milan')],
    ['ASK', () => amd.intermediate('Milan', 'ask')],
    ['VCEK', () => amd.vcek({ product: 'Milan' }).der],
    ['VLEK', () => amd.vlek({ product: 'Milan' }).der],
  ])('%s of the simulator', (_, make) => {
    const der = make()
    expect(ours(der)).toEqual(openssl(der))
  })

  it.skipIf(!vectorsPresent()).each(AMD_ANCHORS)('$commonName of AMD', ({ commonName }) => {
    const der = vectorBytes(`snp/_roots/${commonName}.der`)
    expect(ours(der)).toEqual(openssl(der))
    const { innerAlgorithm, outerAlgorithm } = parseCertificate(der)
    expect(isAmdPss(innerAlgorithm, outerAlgorithm)).toBe(true)
  })

  it('and kept as a copy', () => {
    const der = amd.root('Milan').slice()
    const parsed = parseCertificate(der)
    der.fill(0)
    expect(Buffer.from(parsed.der)).toEqual(Buffer.from(amd.root('Milan')))
    expect(parsed.tbs[0]).toBe(TAG.SEQUENCE)
  })
})

describe('a certificate is refused', () => {
  it.each([
    ['empty', () => new Uint8Array(0)],
    ['cut short', () => amd.root('Milan').subarray(0, -1)],
    ['with a byte behind it', () => Uint8Array.of(...amd.root('Milan'), 0)],
    ['with a negative serial number', () => amd.vcek({ product: 'Milan', overrides: { serial: -1n } }).der],
  ])('%s', (_, make) => expect(() => parseCertificate(make())).toThrow(malformed))

  it('or read, whichever byte is changed, and nothing but AttestationError escapes', () => {
    const der = amd.vcek({ product: 'Milan' }).der
    const isHandled = (at: number, value: number): boolean => {
      try {
        return parseCertificate(der.with(at, value)).der.length === der.length
      } catch (error) {
        return error instanceof AttestationError
      }
    }
    expect(() => assert(property(nat(der.length - 1), nat(255), isHandled), { seed: 20261123, numRuns: 3000 })).not.toThrow()
  })
})

it('extensions are at least one', () => {
  const document = { what: 'certificate', code: 'snp-certificate-malformed' } as const
  expect(() => DerReader.all(Uint8Array.of(0x30, 0), document, (r) => readExtensions(r, 'extensions'))).toThrow(malformed)
})
