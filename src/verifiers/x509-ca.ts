import { readable } from './der-attempt.ts'
import { DerReader, TAG, type DerDocument } from './der.ts'
import { MARKER_OID, carriesMarker } from './x509-marker.ts'
import { repeatedExtension, type Extension, type ParsedCertificate } from './x509.ts'

const DOCUMENT: DerDocument = { what: 'certificate', code: 'snp-certificate-malformed' }

const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
/** Critical extensions that a certificate authority may have: the two that are read here, and the simulator's marker. */
const UNDERSTOOD: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE, MARKER_OID]

/** Bits of KeyUsage (RFC 5280 section 4.2.1.3) that a certificate authority needs, by their place in the first byte. */
const KEY_CERT_SIGN = 0x04
const CRL_SIGN = 0x02

/** What a certificate says of its role: path length undefined where it is not limited. */
type Constraints = { readonly ca: boolean; readonly pathLength: bigint | undefined }

/**
 * Why a certificate cannot be a certificate authority of this role (specification snp.md sections 6.3 and 15, SNP-31): a root signs
 * certificates and lists, an intermediate only certificates of leaves. undefined if it can. Throws AttestationError for extensions that are not DER.
 */
export function unfitForAuthority(certificate: ParsedCertificate, role: 'root' | 'intermediate'): string | undefined {
  const { extensions } = certificate
  const claims = { ...readConstraints(extensions), usage: readKeyUsage(extensions), role }
  return faultOfForm(certificate) ?? RULES.find(({ holds }) => !holds(claims))?.fault
}

type Claims = Constraints & { readonly usage: number; readonly role: 'root' | 'intermediate' }

const RULES: readonly { readonly holds: (claims: Claims) => boolean; readonly fault: string }[] = [
  { holds: ({ ca }) => ca, fault: 'is not a certificate authority' },
  { holds: ({ role, pathLength }) => role === 'root' || pathLength === 0n, fault: 'does not limit its path length to 0' },
  { holds: ({ usage }) => (usage & KEY_CERT_SIGN) !== 0, fault: 'may not sign certificates' },
  { holds: ({ role, usage }) => role === 'intermediate' || (usage & CRL_SIGN) !== 0, fault: 'may not sign revocation lists' },
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
export const claimsAuthority = ({ extensions }: ParsedCertificate): boolean => readable(() => readConstraints(extensions))?.ca === true

/** BasicConstraints (RFC 5280 section 4.2.1.9). It must be critical, else a lax reader would pass over it. */
function readConstraints(extensions: readonly Extension[]): Constraints {
  const extension = extensions.find(({ oid }) => oid === BASIC_CONSTRAINTS)
  if (extension?.critical !== true) return { ca: false, pathLength: undefined }
  return DerReader.all(extension.value, DOCUMENT, (top) =>
    top.sequence('BasicConstraints', (r) => ({
      ca: r.nextTag === TAG.BOOLEAN && r.true('cA'),
      pathLength: r.nextTag === TAG.INTEGER ? r.integer('pathLenConstraint') : undefined,
    })),
  )
}

/** The first byte of KeyUsage, which holds every bit that is asked for; 0 when there is no critical one. */
function readKeyUsage(extensions: readonly Extension[]): number {
  const extension = extensions.find(({ oid }) => oid === KEY_USAGE)
  if (extension?.critical !== true) return 0
  return DerReader.all(extension.value, DOCUMENT, (r) => {
    const { content } = r.expect('KeyUsage', TAG.BIT_STRING)
    const [unused = 8, first = 0] = content
    // A second byte would hold decipherOnly alone, which no authority has.
    const isNamedBits = content.length === 2 && unused < 8 && (first & (2 ** unused - 1)) === 0
    if (!isNamedBits) throw r.malformed('KeyUsage', 'is not one byte of named bits')
    return first
  })
}
