import { AsnConvert, AsnIA5StringConverter, AsnIntegerBigIntConverter } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  CRLDistributionPoints,
  DistributionPoint,
  DistributionPointName,
  GeneralName,
  KeyUsage,
} from '@peculiar/asn1-x509'

/** An X.509 extension as its bytes: the content of extnValue is free, so that wrong ones can be minted, too. */
export type SimExtension = { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }

/** The DER of a value of the codec's own types. */
export const serialize = (value: unknown): Uint8Array => new Uint8Array(AsnConvert.serialize(value))

/** DER INTEGER. */
export const derInteger = (value: number | bigint): Uint8Array => new Uint8Array(AsnIntegerBigIntConverter.toASN(BigInt(value)).toBER())

/** DER IA5String (tag 16h). */
export const derIa5String = (text: string): Uint8Array => new Uint8Array(AsnIA5StringConverter.toASN(text).toBER())

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
