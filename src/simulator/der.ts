import {
  AsnArray,
  AsnBooleanConverter,
  AsnConvert,
  AsnEnumeratedConverter,
  AsnIA5StringConverter,
  AsnIntegerBigIntConverter,
  AsnObjectIdentifierConverter,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  OctetString,
} from '@peculiar/asn1-schema'
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  CRLDistributionPoints,
  DistributionPoint,
  DistributionPointName,
  GeneralName,
  KeyIdentifier,
  KeyUsage,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509'

/** An X.509 extension as its bytes: the content of extnValue is free, so that wrong ones can be minted, too. */
export type SimExtension = { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }

/** The DER of a value of the codec's own types. */
export const serialize = (value: unknown): Uint8Array => new Uint8Array(AsnConvert.serialize(value))

/** DER INTEGER. */
export const derInteger = (value: number | bigint): Uint8Array => new Uint8Array(AsnIntegerBigIntConverter.toASN(BigInt(value)).toBER())

/** DER IA5String (tag 16h). */
export const derIa5String = (text: string): Uint8Array => new Uint8Array(AsnIA5StringConverter.toASN(text).toBER())

/** DER OBJECT IDENTIFIER. */
export const derOid = (oid: string): Uint8Array => new Uint8Array(AsnObjectIdentifierConverter.toASN(oid).toBER())

/** DER OCTET STRING. */
export const derOctets = (bytes: Uint8Array): Uint8Array => serialize(new OctetString(bytes))

/** DER BOOLEAN. */
export const derBoolean = (value: boolean): Uint8Array => new Uint8Array(AsnBooleanConverter.toASN(value).toBER())

/** DER ENUMERATED. */
export const derEnumerated = (value: number): Uint8Array => new Uint8Array(AsnEnumeratedConverter.toASN(value).toBER())

class AnySequence extends AsnArray<ArrayBuffer> {}
AsnType({ type: AsnTypeTypes.Sequence, itemType: AsnPropTypes.Any })(AnySequence)

/** DER SEQUENCE of values that are DER themselves. */
export const derSequence = (values: readonly Uint8Array[]): Uint8Array =>
  serialize(new AnySequence(values.map((value) => new Uint8Array(value).buffer)))

/** An extension that nobody has to understand. */
export const extension = (oid: string, value: Uint8Array): SimExtension => ({ oid, critical: false, value })

/** basicConstraints, critical. `pathLength` undefined: unlimited, as in a root. */
export const basicConstraints = (subject: 'ca' | 'end-entity', pathLength?: number): SimExtension => ({
  oid: '2.5.29.19',
  critical: true,
  value: serialize(new BasicConstraints({ cA: subject === 'ca', ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }) })),
})

/** keyUsage, critical; flags as in KeyUsageFlags of the codec. */
export const keyUsage = (flags: number): SimExtension => ({ oid: '2.5.29.15', critical: true, value: serialize(new KeyUsage(flags)) })

/** cRLDistributionPoints with one address. */
export function distributionPoint(url: string): SimExtension {
  const fullName = [new GeneralName({ uniformResourceIdentifier: url })]
  const point = new DistributionPoint({ distributionPoint: new DistributionPointName({ fullName }) })
  return extension('2.5.29.31', serialize(new CRLDistributionPoints([point])))
}

/** cRLNumber. */
export const crlNumber = (value: bigint): SimExtension => extension('2.5.29.20', derInteger(value))

/** subjectKeyIdentifier. */
export const subjectKeyIdentifier = (id: Uint8Array): SimExtension =>
  extension('2.5.29.14', serialize(new SubjectKeyIdentifier(new Uint8Array(id).buffer)))

/** authorityKeyIdentifier with the identifier alone. */
export const authorityKeyIdentifier = (id: Uint8Array): SimExtension =>
  extension('2.5.29.35', serialize(new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(new Uint8Array(id).buffer) })))

/** reasonCode of an entry of a revocation list: keyCompromise, as in all of Intel's. */
export const keyCompromise: SimExtension = extension('2.5.29.21', derEnumerated(1))
