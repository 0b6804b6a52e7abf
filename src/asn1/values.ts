import {
  AsnArray,
  AsnConvert,
  AsnIntegerBigIntConverter,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  AsnUtf8StringConverter,
  OctetString,
} from '@peculiar/asn1-schema'

/** An X.509 extension as its bytes: the content of extnValue is free. */
export type DerExtension = { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }

/** The DER of a value of the codec's own types. */
export const serialize = (value: unknown): Uint8Array => new Uint8Array(AsnConvert.serialize(value))

/** DER INTEGER. */
export const derInteger = (value: number | bigint): Uint8Array => new Uint8Array(AsnIntegerBigIntConverter.toASN(BigInt(value)).toBER())

/** DER UTF8String. */
export const derUtf8String = (text: string): Uint8Array => new Uint8Array(AsnUtf8StringConverter.toASN(text).toBER())

/** DER OCTET STRING. */
export const derOctets = (bytes: Uint8Array): Uint8Array => serialize(new OctetString(bytes))

class AnySequence extends AsnArray<ArrayBuffer> {}
AsnType({ type: AsnTypeTypes.Sequence, itemType: AsnPropTypes.Any })(AnySequence)

/** DER SEQUENCE of values that are DER themselves. */
export const derSequence = (values: readonly Uint8Array[]): Uint8Array =>
  serialize(new AnySequence(values.map((value) => new Uint8Array(value).buffer)))
