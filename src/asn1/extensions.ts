import { AuthorityKeyIdentifier, BasicConstraints, KeyIdentifier, KeyUsage, SubjectKeyIdentifier } from '@peculiar/asn1-x509'
import { serialize, type DerExtension } from './values.ts'

/** An extension that nobody has to understand. */
export const extension = (oid: string, value: Uint8Array): DerExtension => ({ oid, critical: false, value })

/** basicConstraints, critical. `pathLength` undefined: unlimited, as in a root. */
export const basicConstraints = (subject: 'ca' | 'end-entity', pathLength?: number): DerExtension => ({
  oid: '2.5.29.19',
  critical: true,
  value: serialize(new BasicConstraints({ cA: subject === 'ca', ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }) })),
})

/** keyUsage, critical; flags as in KeyUsageFlags of the codec. */
export const keyUsage = (flags: number): DerExtension => ({ oid: '2.5.29.15', critical: true, value: serialize(new KeyUsage(flags)) })

/** subjectKeyIdentifier. */
export const subjectKeyIdentifier = (id: Uint8Array): DerExtension =>
  extension('2.5.29.14', serialize(new SubjectKeyIdentifier(new Uint8Array(id).buffer)))

/** authorityKeyIdentifier with the identifier alone. */
export const authorityKeyIdentifier = (id: Uint8Array): DerExtension =>
  extension('2.5.29.35', serialize(new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(new Uint8Array(id).buffer) })))
