import { describe, expect, it } from 'vitest'
import {
  akCertificate,
  authority,
  ecKeys,
  ekCertificate,
  purposes,
  specification,
  statement,
  swapped,
  tlv,
} from '../../../../test/tpm-trust-lab.ts'
import { vectorBytes, vectorsPresent } from '../../../../test/vectors.ts'
import { extension } from '../../../simulator/der.ts'
import { inspectCertificate } from '../../inspect.ts'
import { GCE_IDENTITY } from './gce-identity.ts'

const root = authority('root')
const ak = ecKeys()
const enrolment = {
  mode: 'test',
  akName: `000b${'ab'.repeat(32)}`,
  ekSpkiSha256: 'e1'.repeat(32),
  basis: 'enroller',
  listedBy: null,
} as const

describe('a certificate of a TPM’s key, inspected', () => {
  it('tells purpose and TPM', () => {
    expect(inspectCertificate(ekCertificate(ak.publicKey, root), 'ek')).toMatchObject({
      at: 'ek',
      issuer: 'CN=root',
      extended_key_usage: ['2.23.133.8.1'],
      tpm: [
        { oid: '2.23.133.2.1', value: 'id:53544D20' },
        { oid: '2.23.133.2.2', value: 'ST33' },
        { oid: '2.23.133.2.3', value: 'id:00010101' },
      ],
      gce: null,
      assay: null,
    })
  })
  it.each([
    ['1.2', [{ family: '1.2', level: '0', revision: '142' }]],
    ['2.0', [{ family: '2.0', level: '0', revision: '142' }]],
  ])('tells that its TPM follows specification %s', (family, expected) => {
    const named = ekCertificate(ak.publicKey, root, { extensions: (all) => [...all, specification(family)] })
    expect(inspectCertificate(named, 'ek')).toMatchObject({ tpm_specifications: expected })
  })
  it('tells why the specification of its TPM cannot be read', () => {
    const odd = ekCertificate(ak.publicKey, root, { extensions: (all) => [...all, extension('2.5.29.9', tlv(5))] })
    expect(inspectCertificate(odd, 'ek')).toMatchObject({ tpm_specifications: { code: 'tpm-ek-cert-profile-invalid' } })
    expect(inspectCertificate(ekCertificate(ak.publicKey, root), 'ek')).toMatchObject({ tpm_specifications: [] })
  })
  it('tells what Assay would have said, without believing it', () => {
    const own = akCertificate(ak.publicKey, root, { extensions: (all) => [...all, statement(enrolment)] })
    expect(inspectCertificate(own, 'ak')).toMatchObject({ assay: enrolment, tpm: null })
    const other = akCertificate(ak.publicKey, root, { extensions: (all) => [...all, statement(enrolment, 2)] })
    expect(inspectCertificate(other, 'ak')).toMatchObject({ assay: { code: 'tpm-ak-cert-chain-invalid' } })
  })
  it('tells why an identity cannot be read', () => {
    const odd = akCertificate(ak.publicKey, root, { extensions: (all) => [...all, extension(GCE_IDENTITY, tlv(5))] })
    expect(inspectCertificate(odd, 'ak')).toMatchObject({ gce: { code: 'tpm-gce-identity-invalid' } })
  })
  it('is shown though its uses cannot be read', () => {
    const extensions = [extension(GCE_IDENTITY, tlv(5)), { ...purposes('2.23.133.8.3'), value: tlv(5) }]
    const odd = akCertificate(ak.publicKey, root, {
      extensions: (all) => [...swapped(purposes('2.23.133.8.3'))(all).slice(0, -1), ...extensions],
    })
    expect(inspectCertificate(odd, 'ak')).toMatchObject({ extended_key_usage: null, tpm: null })
  })
  it('is none where nothing of a TPM is in it', () => {
    expect(inspectCertificate(authority('plain').der, 'ca')).not.toHaveProperty('gce')
    expect(() => inspectCertificate(Uint8Array.of(1), 'x')).toThrow(expect.objectContaining({ code: 'snp-certificate-malformed' }))
  })
  it.skipIf(!vectorsPresent())('tells the instance of Google', () => {
    expect(inspectCertificate(vectorBytes('tpm/gce-cos-85-nonce9009/ak.cert.der'), 'ak')).toMatchObject({
      subject: '',
      gce: { zone: 'us-central1-a', production: 'yes' },
    })
  })
  it.skipIf(!vectorsPresent())('is read where names have several attributes in one part', () => {
    const roots = Buffer.from(vectorBytes('tpm/ca-roots/tpm-manufacturer-roots.pem')).toString('latin1')
    const blocks = roots.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
    const odd = blocks.map((block) => inspectCertificate(Buffer.from(block, 'latin1'), 'root'))
    expect(odd).toHaveLength(26)
    expect(odd.filter(({ subject }) => subject.includes('Nuvoton'))).not.toEqual([])
  })
})
