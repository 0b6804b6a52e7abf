import type { KeyObject } from 'node:crypto'
import { AsnConvert, AsnIntegerBigIntConverter, OctetString } from '@peculiar/asn1-schema'
import {
  Certificate,
  Extension,
  Extensions,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  type AlgorithmIdentifier,
  type Name,
} from '@peculiar/asn1-x509'
import { restoreArcs, standInFor } from './long-oid.ts'
import { serialize, type DerExtension } from './values.ts'

/** Everything that goes into a certificate. */
export type CertificateParts = {
  readonly serial: bigint
  readonly subject: Name
  readonly issuer: Name
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: KeyObject
  readonly extensions: readonly DerExtension[]
  readonly algorithm: AlgorithmIdentifier
  /** What the signed part says of the signature, if not the truth. */
  readonly innerAlgorithm?: AlgorithmIdentifier
  /** Signs what is given; the form is that of `algorithm`. */
  readonly sign: (signedPart: Uint8Array) => Uint8Array
}

/** A signed certificate of version 3, DER. */
export function writeCertificate(parts: CertificateParts): Uint8Array {
  const spki = parts.publicKey.export({ type: 'spki', format: 'der' })
  const tbsCertificate = new TBSCertificate({
    version: 2,
    serialNumber: integerContent(parts.serial),
    signature: parts.innerAlgorithm ?? parts.algorithm,
    issuer: parts.issuer,
    validity: new Validity({ notBefore: parts.notBefore, notAfter: parts.notAfter }),
    subject: parts.subject,
    subjectPublicKeyInfo: AsnConvert.parse(spki, SubjectPublicKeyInfo),
    extensions: new Extensions(parts.extensions.map(extensionOf)),
  })
  // Whatever a key looks like, it is none of our identifiers: these are behind it.
  const restore = (der: Uint8Array): Uint8Array => restoreArcs(der, Buffer.from(der).indexOf(spki) + spki.length)
  const signatureValue = new Uint8Array(parts.sign(restore(serialize(tbsCertificate)))).buffer
  return restore(serialize(new Certificate({ tbsCertificate, signatureAlgorithm: parts.algorithm, signatureValue })))
}

/** The codec's form of an extension; one of ours with the stand-in for its identifier. */
export const extensionOf = ({ oid, critical, value }: DerExtension): Extension =>
  new Extension({ extnID: standInFor(oid), critical, extnValue: new OctetString(value) })

/** The content octets of an INTEGER, as the codec takes serial numbers. */
export const integerContent = (value: bigint): ArrayBuffer => AsnIntegerBigIntConverter.toASN(value).valueBlock.valueHexView.slice().buffer
