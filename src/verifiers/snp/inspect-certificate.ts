import { createHash, createPublicKey } from 'node:crypto'
import { AttestationError, type ProblemCode } from '../problems.ts'
import { readCertificateBlob } from '../pem.ts'
import { parseCertificate, type Extension, type ParsedCertificate } from '../x509.ts'
import type { SignatureAlgorithm } from '../x509-algorithm.ts'
import { formatName } from '../x509-name.ts'
import { hex } from './claims-of.ts'
import type { SnpTcb } from './claims.ts'
import { attempt } from '../der-attempt.ts'
import { parseVek } from './vek.ts'

/** One extension as it stands: the name where a source names it, the content of extnValue in hex. */
type ExtensionView = { readonly oid: string; readonly name: string | null; readonly critical: boolean; readonly value: string }

/** What AMD's extensions say, or why they cannot be read (specification snp.md section 6.2). */
type VekView =
  | {
      readonly kind: 'vcek' | 'vlek'
      readonly product_name: string
      readonly struct_version: number
      readonly tcb: SnpTcb
      readonly hwid: string | null
      readonly csp_id: string | null
    }
  | Unreadable

/** What could not be read: the code that verification would give, and why. */
export type Unreadable = { readonly code: ProblemCode; readonly detail: string }

/** Every field of one certificate, unverified. Times are RFC 3339, byte fields lower-case hex. */
export type CertificateView = {
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
  readonly vek: VekView
}

/** Names of the extensions that AMD's certificates carry: section 6.2, and RFC 5280 section 4.2.1 for the CA certificates. */
const NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.3704.1.1': 'structVersion',
  '1.3.6.1.4.1.3704.1.2': 'productName',
  '1.3.6.1.4.1.3704.1.3.1': 'blSPL',
  '1.3.6.1.4.1.3704.1.3.2': 'teeSPL',
  '1.3.6.1.4.1.3704.1.3.3': 'snpSPL',
  '1.3.6.1.4.1.3704.1.3.4': 'spl4',
  '1.3.6.1.4.1.3704.1.3.5': 'spl5',
  '1.3.6.1.4.1.3704.1.3.6': 'spl6',
  '1.3.6.1.4.1.3704.1.3.7': 'spl7',
  '1.3.6.1.4.1.3704.1.3.8': 'ucodeSPL',
  '1.3.6.1.4.1.3704.1.3.9': 'fmcSPL',
  '1.3.6.1.4.1.3704.1.4': 'hwID',
  '1.3.6.1.4.1.3704.1.5': 'cspID',
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.35': 'authorityKeyIdentifier',
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const extensionOf = ({ oid, critical, value }: Extension): ExtensionView => ({ oid, name: NAMES[oid] ?? null, critical, value: hex(value) })

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

/** Runs a reading; what it refuses becomes data, since inspection explains rather than refuses. */
export function readable<T>(read: () => T): T | Unreadable {
  const outcome = attempt(read)
  return outcome instanceof AttestationError ? { code: outcome.code, detail: outcome.message } : outcome
}

function vekOf(der: Uint8Array): VekView {
  return readable(() => {
    const vek = parseVek(der)
    return {
      kind: vek.kind,
      product_name: vek.productName,
      struct_version: vek.structVersion,
      tcb: vek.tcb,
      hwid: vek.hwid === undefined ? null : hex(vek.hwid),
      csp_id: vek.cspId ?? null,
    }
  })
}

const certificateOf = (at: string, cert: ParsedCertificate): CertificateView => ({
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
  extensions: cert.extensions.map(extensionOf),
  vek: vekOf(cert.der),
})

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError snp-certificate-malformed. */
export const inspectCertificate = (bytes: Uint8Array, at: string): CertificateView =>
  certificateOf(at, parseCertificate(readCertificateBlob(bytes, at)))
