import { AttestationError } from '../problems.ts'
import type { IntelAnchor } from '../verifier.ts'
import { formatName } from '../x509-name.ts'
import type { ParsedCertificate } from '../x509.ts'
import { INTEL_CN, isIntelName, missingExtensions, pinnedRootKey, unfitFor } from './certificate-rules.ts'

/** Whether a certificate calls itself Intel's root. */
export const isIntelRootByName = ({ subject }: ParsedCertificate): boolean => isIntelName(subject, INTEL_CN.root)

/**
 * The anchor of a root that a test names or mints in place of Intel's: everything that is asked of Intel's own root (specification tdx.md
 * section 3.4) but the pinned key. Throws AttestationError tdx-root-ca-untrusted.
 */
export function intelTestRoot(certificate: ParsedCertificate): IntelAnchor {
  const anchor = { spki: certificate.spki.slice(), origin: 'test' } as const
  const fault = faultOf(certificate, anchor)
  if (fault === undefined) return anchor
  throw new AttestationError('tdx-root-ca-untrusted', `${formatName(certificate.subject)}: ${fault}`, { at: 'test root' })
}

function faultOf(certificate: ParsedCertificate, anchor: IntelAnchor): string | undefined {
  const [missing] = missingExtensions(certificate)
  if (missing !== undefined) return `lacks ${missing}`
  if (certificate.notAfter <= certificate.notBefore) return 'is never valid'
  // With its own key as the only anchor, what is left to ask is name, algorithm and self-signature.
  const root = pinnedRootKey(certificate, [], { anchors: { intel: [anchor] }, mode: 'test' })
  return 'fault' in root ? root.fault : unfitFor(certificate, 'root')
}
