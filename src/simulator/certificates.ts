import type { KeyObject } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  Certificate,
  CertificateList,
  Extension,
  Extensions,
  RevokedCertificate,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
} from '@peculiar/asn1-x509'
import { AsnIntegerBigIntConverter } from '@peculiar/asn1-schema'
import { serialize, type SimExtension } from './der.ts'
import { mark } from './marker.ts'
import { nameOf, type SimName } from './names.ts'
import { algorithmOf, signAs, type SignatureScheme } from './signatures.ts'

/** Everything that goes into a certificate. */
export type CertificateSpec = {
  readonly serial: bigint
  readonly subject: SimName
  readonly issuer: SimName
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: KeyObject
  readonly extensions: readonly SimExtension[]
  readonly scheme: SignatureScheme
  /** What the signed part says of the signature, if not the truth. */
  readonly innerScheme?: SignatureScheme
  readonly signingKey: KeyObject
}

/** Everything that goes into a revocation list. */
export type RevocationListSpec = {
  readonly issuer: SimName
  readonly thisUpdate: Date
  readonly nextUpdate: Date | undefined
  readonly revoked: readonly bigint[]
  readonly extensions: readonly SimExtension[]
  readonly scheme: SignatureScheme
  readonly signingKey: KeyObject
}

/** A signed certificate, DER. */
export function mintCertificate(spec: CertificateSpec): Uint8Array {
  const tbsCertificate = new TBSCertificate({
    version: 2,
    serialNumber: integerContent(spec.serial),
    signature: algorithmOf(spec.innerScheme ?? spec.scheme),
    issuer: nameOf(spec.issuer),
    validity: new Validity({ notBefore: spec.notBefore, notAfter: spec.notAfter }),
    subject: nameOf(spec.subject),
    subjectPublicKeyInfo: AsnConvert.parse(spec.publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: new Extensions(spec.extensions.map(extensionOf)),
  })
  const unsigned = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithmOf(spec.scheme),
    signatureValue: roomForSignature(spec.signingKey),
  })
  return signInPlace(serialize(unsigned), serialize(tbsCertificate).length, spec)
}

/** A signed revocation list, DER, version 2. */
export function mintRevocationList(spec: RevocationListSpec): Uint8Array {
  const { thisUpdate, nextUpdate, revoked } = spec
  const entry = (serial: bigint) =>
    new RevokedCertificate({ userCertificate: integerContent(serial), revocationDate: new Time(thisUpdate) })
  const tbsCertList = new TBSCertList({
    version: 1,
    signature: algorithmOf(spec.scheme),
    issuer: nameOf(spec.issuer),
    thisUpdate: new Time(thisUpdate),
    ...(nextUpdate === undefined ? {} : { nextUpdate: new Time(nextUpdate) }),
    // An empty list has no entries at all (RFC 5280 section 5.1.2.6).
    ...(revoked.length === 0 ? {} : { revokedCertificates: revoked.map(entry) }),
    ...(spec.extensions.length === 0 ? {} : { crlExtensions: spec.extensions.map(extensionOf) }),
  })
  const signature = roomForSignature(spec.signingKey)
  const unsigned = new CertificateList({ tbsCertList, signatureAlgorithm: algorithmOf(spec.scheme), signature })
  return signInPlace(serialize(unsigned), serialize(tbsCertList).length, spec)
}

const extensionOf = ({ oid, critical, value }: SimExtension): Extension =>
  new Extension({ extnID: oid, critical, extnValue: new OctetString(value) })

/** The content octets of an INTEGER, as the codec takes serial numbers. */
const integerContent = (value: bigint): ArrayBuffer => AsnIntegerBigIntConverter.toASN(value).valueBlock.valueHexView.slice().buffer

const roomForSignature = (key: KeyObject): ArrayBuffer => new ArrayBuffer((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)

/** The signed part follows the outer header (four bytes: every document here is longer than 255), the signature is the end. */
function signInPlace(document: Uint8Array, signedLength: number, { scheme, signingKey }: Pick<CertificateSpec, 'scheme' | 'signingKey'>) {
  const marked = mark(document)
  const signature = signAs(scheme, signingKey, marked.subarray(4, 4 + signedLength))
  marked.set(signature, marked.length - signature.length)
  return marked
}
