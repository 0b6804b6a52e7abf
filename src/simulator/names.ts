import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from '@peculiar/asn1-x509'

/** One attribute of a distinguished name, with the string type that it is encoded in. */
type NameAttribute = { readonly oid: string; readonly value: string; readonly as: 'utf8String' | 'printableString' }
/** A distinguished name in the order of its encoding. */
export type SimName = readonly NameAttribute[]

/** AMD's names: everything but the common name is the same in every certificate (specification snp.md section 6.3). */
export const amdName = (commonName: string): SimName => [
  { oid: '2.5.4.11', value: 'Engineering', as: 'utf8String' },
  { oid: '2.5.4.6', value: 'US', as: 'printableString' },
  { oid: '2.5.4.7', value: 'Santa Clara', as: 'utf8String' },
  { oid: '2.5.4.8', value: 'CA', as: 'utf8String' },
  { oid: '2.5.4.10', value: 'Advanced Micro Devices', as: 'utf8String' },
  { oid: '2.5.4.3', value: commonName, as: 'utf8String' },
]

/** Intel's names: everything but the common name is the same in every certificate (specification tdx.md section 3.1). */
export const intelName = (commonName: string): SimName => [
  { oid: '2.5.4.3', value: commonName, as: 'utf8String' },
  { oid: '2.5.4.10', value: 'Intel Corporation', as: 'utf8String' },
  { oid: '2.5.4.7', value: 'Santa Clara', as: 'utf8String' },
  { oid: '2.5.4.8', value: 'CA', as: 'utf8String' },
  { oid: '2.5.4.6', value: 'US', as: 'printableString' },
]

/** The name as the codec writes it. */
export const nameOf = (name: SimName): Name =>
  new Name(
    name.map(
      ({ oid, value, as }) =>
        new RelativeDistinguishedName([new AttributeTypeAndValue({ type: oid, value: new AttributeValue({ [as]: value }) })]),
    ),
  )
