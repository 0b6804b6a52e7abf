import { readable } from './der-attempt.ts'
import type { DerDocument } from './der.ts'
import { MARKER_OID, carriesMarker } from './x509-marker.ts'
import { BASIC_CONSTRAINTS, KEY_USAGE, USAGE, readConstraints, readKeyUsage, type Constraints } from './x509-usage.ts'
import { repeatedExtension, type ParsedCertificate } from './x509.ts'

const DOCUMENT: DerDocument = { what: 'certificate', code: 'snp-certificate-malformed' }

/** Critical extensions that a certificate authority may have: the two that are read here, and the simulator's marker. */
const UNDERSTOOD: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE, MARKER_OID]

/**
 * Why a certificate cannot be a certificate authority of this role (specification snp.md sections 6.3 and 15, SNP-31): a root signs
 * certificates and lists, an intermediate only certificates of leaves. undefined if it can. Throws AttestationError for extensions that are not DER.
 */
export function unfitForAuthority(certificate: ParsedCertificate, role: 'root' | 'intermediate'): string | undefined {
  const claims = { ...readConstraints(certificate, DOCUMENT), usage: readKeyUsage(certificate, DOCUMENT), role }
  return faultOfForm(certificate) ?? RULES.find(({ holds }) => !holds(claims))?.fault
}

type Claims = Constraints & { readonly usage: number; readonly role: 'root' | 'intermediate' }

const RULES: readonly { readonly holds: (claims: Claims) => boolean; readonly fault: string }[] = [
  { holds: ({ ca }) => ca, fault: 'is not a certificate authority' },
  { holds: ({ role, pathLength }) => role === 'root' || pathLength === 0n, fault: 'does not limit its path length to 0' },
  { holds: ({ usage }) => (usage & USAGE.keyCertSign) !== 0, fault: 'may not sign certificates' },
  { holds: ({ role, usage }) => role === 'intermediate' || (usage & USAGE.crlSign) !== 0, fault: 'may not sign revocation lists' },
]

function faultOfForm({ version, extensions }: ParsedCertificate): string | undefined {
  if (version !== 3) return 'is not X.509 v3'
  if (repeatedExtension(extensions) !== undefined) return 'has an extension twice'
  const unknown = extensions.find(({ oid, critical }) => critical && !UNDERSTOOD.includes(oid))
  return unknown === undefined ? undefined : `has the critical extension ${unknown.oid}, which is not understood`
}

/** Whether the simulator minted this certificate (design section 5). */
export const isSimulated = ({ extensions }: ParsedCertificate): boolean => extensions.some(carriesMarker)

/** Whether a certificate says that it is an authority; a basicConstraints that cannot be read says no. */
export const claimsAuthority = (certificate: ParsedCertificate): boolean =>
  readable(() => readConstraints(certificate, DOCUMENT))?.ca === true
