import { AsnBooleanConverter, AsnEnumeratedConverter, AsnIA5StringConverter, AsnObjectIdentifierConverter } from '@peculiar/asn1-schema'
import { CRLDistributionPoints, DistributionPoint, DistributionPointName, GeneralName } from '@peculiar/asn1-x509'
import { extension } from '../asn1/extensions.ts'
import { derInteger, serialize, type DerExtension } from '../asn1/values.ts'

export { authorityKeyIdentifier, basicConstraints, extension, keyUsage, subjectKeyIdentifier } from '../asn1/extensions.ts'
export { derInteger, derOctets, derSequence, serialize } from '../asn1/values.ts'

/** An X.509 extension as its bytes, so that wrong ones can be minted, too. */
export type SimExtension = DerExtension

/** DER IA5String (tag 16h). */
export const derIa5String = (text: string): Uint8Array => new Uint8Array(AsnIA5StringConverter.toASN(text).toBER())

/** DER OBJECT IDENTIFIER. */
export const derOid = (oid: string): Uint8Array => new Uint8Array(AsnObjectIdentifierConverter.toASN(oid).toBER())

/** DER BOOLEAN. */
export const derBoolean = (value: boolean): Uint8Array => new Uint8Array(AsnBooleanConverter.toASN(value).toBER())

/** DER ENUMERATED. */
export const derEnumerated = (value: number): Uint8Array => new Uint8Array(AsnEnumeratedConverter.toASN(value).toBER())

/** cRLDistributionPoints with one address. */
export function distributionPoint(url: string): SimExtension {
  const fullName = [new GeneralName({ uniformResourceIdentifier: url })]
  const point = new DistributionPoint({ distributionPoint: new DistributionPointName({ fullName }) })
  return extension('2.5.29.31', serialize(new CRLDistributionPoints([point])))
}

/** cRLNumber. */
export const crlNumber = (value: bigint): SimExtension => extension('2.5.29.20', derInteger(value))

/** reasonCode of an entry of a revocation list: keyCompromise, as in all of Intel's. */
export const keyCompromise: SimExtension = extension('2.5.29.21', derEnumerated(1))
