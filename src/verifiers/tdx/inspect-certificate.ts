import { certificateView, readable, readCertificate, type PlainCertificateView, type Unreadable } from '../inspect-certificate.ts'
import { ATTRIBUTE } from '../x509-name.ts'
import type { ParsedCertificate } from '../x509.ts'
import type { PckCa } from './address.ts'
import { INTEL_CN, SGX_EXTENSION, isIntelName } from './certificate-rules.ts'
import { platformClaims } from './claims-of.ts'
import type { PlatformClaims } from './claims.ts'
import { readSgxExtension } from './sgx-extension.ts'

/** Every field of one certificate, unverified. */
export type CertificateView = PlainCertificateView & {
  /** What the SGX extension says of the platform (specification tdx.md section 3.3), or why it cannot be read; null where there is none. */
  readonly sgx_extension: PlatformClaims | Unreadable | null
}

const NAMES: Readonly<Record<string, string>> = { [SGX_EXTENSION]: 'sgxExtensions' }

/** Whether a certificate says that it is one of Intel's: a PCK certificate, or one with Intel's organisation as its issuer. */
export const isIntels = ({ extensions, issuer }: ParsedCertificate): boolean =>
  extensions.some(({ oid }) => oid === SGX_EXTENSION) ||
  issuer.some(({ oid, value }) => oid === ATTRIBUTE.O && value === 'Intel Corporation')

/** Which entries a PCK certificate must have depends on who issued it; one of another issuer is read as the Platform CA's, which has them all. */
const issuerOf = ({ issuer }: ParsedCertificate): PckCa => (isIntelName(issuer, INTEL_CN.processor) ? 'processor' : 'platform')

function extensionOf(cert: ParsedCertificate): CertificateView['sgx_extension'] {
  if (!cert.extensions.some(({ oid }) => oid === SGX_EXTENSION)) return null
  return readable(() => platformClaims({ extension: readSgxExtension(cert, issuerOf(cert)), issuedBy: issuerOf(cert) }))
}

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError tdx-pck-chain-malformed. */
export function inspectCertificate(bytes: Uint8Array, at: string): CertificateView {
  const cert = readCertificate(bytes, { what: at, code: 'tdx-pck-chain-malformed' })
  return { ...certificateView(at, cert, NAMES), sgx_extension: extensionOf(cert) }
}
