import { randomBytes, sign } from 'node:crypto'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  ExtendedKeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
} from '@peculiar/asn1-x509'
import { writeCertificate } from '../asn1/certificate.ts'
import { authorityKeyIdentifier, basicConstraints, extension, keyUsage, subjectKeyIdentifier } from '../asn1/extensions.ts'
import { derInteger, derOctets, derSequence, derUtf8String, serialize, type DerExtension } from '../asn1/values.ts'
import { OWN_EXTENSION, type OwnStatement } from '../verifiers/tpm/trust/own-certificate.ts'
import { MARKER_OID } from '../verifiers/x509-marker.ts'
import { keyIdOf, type AkSubject, type AuthorityKey } from './authority.ts'

/** TCG: the certificate is of an attestation key. */
const ATTESTATION_KEY = '2.23.133.8.3'

/** RFC 5758 section 3.2; the parameters are absent. */
const ECDSA_SHA256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })

/** The authority ends when its key is replaced, and no earlier: RFC 5280 section 4.1.2.5 writes that so. */
const AUTHORITY_DATES = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('9999-12-31T23:59:59Z') }

const SERIAL_BYTES = 16

/** 128 random bits, above 0. */
const randomSerial = (): bigint => BigInt(`0x${randomBytes(SERIAL_BYTES).toString('hex')}`) + 1n

const commonName = (value: string): Name =>
  new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: '2.5.4.3', value: new AttributeValue({ utf8String: value }) })]),
  ])

/** Names its mode where that is not production, so that people see it, too. */
const nameOf = ({ mode, keyId }: AuthorityKey): Name =>
  commonName(`Assay AK CA${mode === 'production' ? '' : ` (${mode})`} ${Buffer.from(keyId).toString('hex').slice(0, 16)}`)

/** What marks certificates outside production: no verifier in production reads any further (design section 5). */
const markOf = ({ mode }: AuthorityKey): readonly DerExtension[] =>
  mode === 'production' ? [] : [{ oid: MARKER_OID, critical: true, value: Uint8Array.of(0x05, 0x00) }]

const signedBy = ({ privateKey }: AuthorityKey) => ({
  algorithm: ECDSA_SHA256,
  sign: (bytes: Uint8Array): Uint8Array => sign('sha256', bytes, privateKey),
})

/** The self-signed certificate of the authority. It certifies leaves only. */
export const authorityCertificate = (key: AuthorityKey): Uint8Array =>
  writeCertificate({
    ...AUTHORITY_DATES,
    serial: randomSerial(),
    subject: nameOf(key),
    issuer: nameOf(key),
    publicKey: key.publicKey,
    extensions: [basicConstraints('ca', 0), keyUsage(KeyUsageFlags.keyCertSign), subjectKeyIdentifier(key.keyId), ...markOf(key)],
    ...signedBy(key),
  })

/** The certificate of an attestation key (X.509 v3): it may sign, and nothing else. */
export const akCertificate = (key: AuthorityKey, { publicKey, statement, notBefore, notAfter }: AkSubject): Uint8Array =>
  writeCertificate({
    serial: randomSerial(),
    // For people only: the beginning of the digest in the key's name.
    subject: commonName(`AK ${statement.akName.slice(4, 36)}`),
    issuer: nameOf(key),
    notBefore,
    notAfter,
    publicKey,
    extensions: [
      basicConstraints('end-entity'),
      keyUsage(KeyUsageFlags.digitalSignature),
      extension('2.5.29.37', serialize(new ExtendedKeyUsage([ATTESTATION_KEY]))),
      subjectKeyIdentifier(keyIdOf(publicKey)),
      authorityKeyIdentifier(key.keyId),
      extension(OWN_EXTENSION, statementDer({ ...statement, mode: key.mode })),
      ...markOf(key),
    ],
    ...signedBy(key),
  })

const octets = (hex: string): Uint8Array => derOctets(new Uint8Array(Buffer.from(hex, 'hex')))

/** The form is written beside its reader, own-certificate.ts. */
function statementDer({ mode, akName, ekSpkiSha256, basis, listedBy }: OwnStatement): Uint8Array {
  const head = [derInteger(1), derUtf8String(mode), octets(akName), octets(ekSpkiSha256), derUtf8String(basis)]
  return derSequence(listedBy === null ? head : [...head, octets(listedBy)])
}
