import { certificateView, readable, type PlainCertificateView, type Unreadable } from '../../inspect-certificate.ts'
import { AttestationError } from '../../problems.ts'
import type { DistinguishedName } from '../../x509-name.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { GceClaims } from '../claims.ts'
import { readTpmCertificate } from './certificate.ts'
import { GCE_IDENTITY, readGceIdentity } from './gce-identity.ts'
import { OWN_EXTENSION, readOwnStatement, type OwnStatement } from './own-certificate.ts'
import { DIRECTORY_ATTRIBUTES, readSpecifications, type TpmSpecification } from './tpm-specification.ts'
import { EXTENSION, usagesOf } from './usage.ts'

/** Every field of one certificate of a TPM's key or of its authorities, unverified. Members are null where the certificate says nothing. */
export type CertificateView = PlainCertificateView & {
  /** Object identifiers. */
  readonly extended_key_usage: readonly string[] | null
  /** Attributes of the directory names of subjectAltName: manufacturer, model and version of the TPM. */
  readonly tpm: readonly { readonly oid: string; readonly value: string }[] | null
  /** Family, level and revision of the specification that the TPM is made by. */
  readonly tpm_specifications: readonly TpmSpecification[] | Unreadable
  readonly gce: (GceClaims & { readonly production: 'yes' | 'no' }) | Unreadable | null
  /** What a certificate of Assay's own would say. */
  readonly assay: OwnStatement | Unreadable | null
}

/** Names of the extensions that certificates of TPMs carry. */
const NAMES: Readonly<Record<string, string>> = {
  [EXTENSION.subjectAltName]: 'subjectAltName',
  [EXTENSION.certificatePolicies]: 'certificatePolicies',
  [EXTENSION.nameConstraints]: 'nameConstraints',
  [EXTENSION.policyConstraints]: 'policyConstraints',
  [EXTENSION.extendedKeyUsage]: 'extKeyUsage',
  [DIRECTORY_ATTRIBUTES]: 'subjectDirectoryAttributes',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  [GCE_IDENTITY]: 'gceInstanceIdentity',
  [OWN_EXTENSION]: 'assayEnrolment',
}

/** Identifiers of the TCG. */
const TCG = '2.23.133.'

/** Whether a certificate says that it is one of a TPM's key, or of an authority of such: by its purpose, its names, or an extension. */
function isTpms(cert: ParsedCertificate): boolean {
  const usages = usagesOf(cert)
  const { purposes = [], directoryNames = [] } = 'fault' in usages ? {} : usages
  const oids = [...purposes, ...directoryNames.flat().map(({ oid }) => oid)]
  return oids.some((oid) => oid.startsWith(TCG)) || cert.extensions.some(({ oid }) => oid === GCE_IDENTITY || oid === OWN_EXTENSION)
}

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError tpm-ak-cert-chain-invalid. */
export function inspectCertificate(bytes: Uint8Array, at: string): CertificateView {
  const cert = readTpmCertificate(bytes, { what: at, code: 'tpm-ak-cert-chain-invalid' })
  const usages = usagesOf(cert)
  const { purposes, directoryNames } = 'fault' in usages ? {} : usages
  return {
    ...certificateView(at, cert, NAMES),
    extended_key_usage: purposes ?? null,
    tpm: attributesOf(directoryNames),
    tpm_specifications: readable(() => readSpecifications(cert)),
    gce: gceOf(cert),
    assay: orNull(readable(() => readOwnStatement(cert))),
  }
}

const attributesOf = (names: readonly DistinguishedName[] | undefined): DistinguishedName | null => names?.flat() ?? null

function gceOf(cert: ParsedCertificate): CertificateView['gce'] {
  const identity = orNull(readable(() => readGceIdentity(cert)))
  return identity === null || 'code' in identity ? identity : { ...identity.claims, production: identity.production }
}

const orNull = <T>(value: T | undefined): T | null => value ?? null

/** The certificate of these bytes where it is one of TPMs, or one that only their reader reads; undefined for any other, and for none. */
export function tpmCertificateOf(bytes: Uint8Array, at: string, strict: ParsedCertificate | AttestationError): CertificateView | undefined {
  if (!(strict instanceof AttestationError)) return isTpms(strict) ? inspectCertificate(bytes, at) : undefined
  const view = readable(() => inspectCertificate(bytes, at))
  return 'code' in view ? undefined : view
}
