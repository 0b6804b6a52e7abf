import type { KeyObject } from 'node:crypto'
import { CertificateList, RevokedCertificate, TBSCertList, Time } from '@peculiar/asn1-x509'
import { extensionOf, integerContent, writeCertificate } from '../asn1/certificate.ts'
import { restoreArcs } from '../asn1/long-oid.ts'
import { serialize, type SimExtension } from './der.ts'
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
  /** Of every entry; default: none. */
  readonly entryExtensions?: readonly SimExtension[]
  readonly extensions: readonly SimExtension[]
  readonly scheme: SignatureScheme
  readonly signingKey: KeyObject
}

/** A signed certificate, DER. */
export const mintCertificate = ({ subject, issuer, scheme, innerScheme, signingKey, ...rest }: CertificateSpec): Uint8Array =>
  writeCertificate({
    ...rest,
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    algorithm: algorithmOf(scheme),
    ...(innerScheme === undefined ? {} : { innerAlgorithm: algorithmOf(innerScheme) }),
    sign: (signedPart) => signAs(scheme, signingKey, signedPart),
  })

/** A signed revocation list, DER, version 2. */
export function mintRevocationList(spec: RevocationListSpec): Uint8Array {
  const { thisUpdate, nextUpdate, revoked } = spec
  const crlEntryExtensions = spec.entryExtensions?.map(extensionOf)
  const entry = (serial: bigint) =>
    new RevokedCertificate({
      userCertificate: integerContent(serial),
      revocationDate: new Time(thisUpdate),
      ...(crlEntryExtensions === undefined ? {} : { crlEntryExtensions }),
    })
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
  const signature = signatureOver(tbsCertList, spec)
  return restoreArcs(serialize(new CertificateList({ tbsCertList, signatureAlgorithm: algorithmOf(spec.scheme), signature })))
}

type Signing = Pick<CertificateSpec, 'scheme' | 'signingKey'>

/** What is signed holds the marker in its final form; the document around it is marked when it is written. */
const signatureOver = (signedPart: TBSCertList, { scheme, signingKey }: Signing): ArrayBuffer =>
  new Uint8Array(signAs(scheme, signingKey, restoreArcs(serialize(signedPart)))).buffer
