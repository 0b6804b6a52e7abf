import { createPublicKey, hash } from 'node:crypto'
import { attempt } from './der-attempt.ts'
import type { DerDocument } from './der.ts'
import { hexOf } from './der-values.ts'
import { AttestationError, type ProblemCode } from './problems.ts'
import { readCertificateBlob } from './pem.ts'
import type { SignatureAlgorithm } from './x509-algorithm.ts'
import { formatName } from './x509-name.ts'
import { parseCertificate, type Extension, type ParsedCertificate } from './x509.ts'

/** One extension as it stands: the name where a source names it, the content of extnValue in hex. */
type ExtensionView = { readonly oid: string; readonly name: string | null; readonly critical: boolean; readonly value: string }

/** What could not be read: the code that verification would give, and why. */
export type Unreadable = { readonly code: ProblemCode; readonly detail: string }

/** Every field of one certificate, unverified, whoever issued it. Times are RFC 3339, byte fields lower-case hex. */
export type PlainCertificateView = {
  /** Where it was found: `cert_table.vcek`, `certificates[0]`. */
  readonly at: string
  readonly version: number
  readonly serial: string
  readonly issuer: string
  readonly subject: string
  readonly not_before: string
  readonly not_after: string
  readonly signature_algorithm: string
  /** `EC secp384r1`, `RSA 4096`; null when no key can be read. */
  readonly public_key: string | null
  readonly spki_sha256: string
  readonly sha256: string
  readonly extensions: readonly ExtensionView[]
}

/** Extensions by name: those that every vendor's certificates carry (RFC 5280 section 4.2.1), and more by the vendor's. */
type Names = Readonly<Record<string, string>>

const STANDARD: Names = {
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.35': 'authorityKeyIdentifier',
}

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes)

/** Runs a reading; what it refuses becomes data, since inspection explains rather than refuses. */
export function readable<T>(read: () => T): T | Unreadable {
  const outcome = attempt(read)
  return outcome instanceof AttestationError ? { code: outcome.code, detail: outcome.message } : outcome
}

/** Exactly one certificate, DER or one PEM block. Throws AttestationError with the document's code. */
export const readCertificate = (bytes: Uint8Array, document: DerDocument): ParsedCertificate =>
  parseCertificate(readCertificateBlob(bytes, document.what, document.code), document)

/** Every field of a certificate. */
export const certificateView = (at: string, cert: ParsedCertificate, names: Names): PlainCertificateView => ({
  at,
  version: cert.version,
  serial: `0x${cert.serial.toString(16)}`,
  issuer: formatName(cert.issuer),
  subject: formatName(cert.subject),
  not_before: cert.notBefore.toISOString(),
  not_after: cert.notAfter.toISOString(),
  signature_algorithm: algorithmOf(cert.outerAlgorithm),
  public_key: publicKeyOf(cert.spki),
  spki_sha256: sha256(cert.spki),
  sha256: sha256(cert.der),
  extensions: cert.extensions.map((extension) => extensionOf(extension, names)),
})

const extensionOf = ({ oid, critical, value }: Extension, names: Names): ExtensionView => ({
  oid,
  name: STANDARD[oid] ?? names[oid] ?? null,
  critical,
  value: hexOf(value),
})

const algorithmOf = ({ oid, pss }: SignatureAlgorithm): string =>
  pss === undefined ? oid : `RSASSA-PSS ${pss.hash}, salt ${pss.saltLength}`

/** Kind and size of a public key; null when node:crypto cannot read it. */
function publicKeyOf(spki: Uint8Array): string | null {
  try {
    const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const size = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength ?? ''
    return `${asymmetricKeyType.toUpperCase()} ${size}`.trim()
  } catch {
    return null
  }
}
