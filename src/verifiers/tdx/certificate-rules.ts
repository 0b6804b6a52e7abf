import type { KeyObject } from 'node:crypto'
import { attempt } from '../der-attempt.ts'
import type { DerDocument } from '../der.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import { readPublicKey, verifyEcdsaDer } from '../signatures.ts'
import type { Anchors, Mode } from '../verifier.ts'
import { isSimulated } from '../x509-ca.ts'
import { MARKER_OID } from '../x509-marker.ts'
import { ATTRIBUTE, formatName, type DistinguishedName } from '../x509-name.ts'
import { BASIC_CONSTRAINTS, KEY_USAGE, USAGE, readConstraints, readKeyUsage, type Constraints } from '../x509-usage.ts'
import { repeatedExtension, type ParsedCertificate } from '../x509.ts'

/** What a certificate of Intel's is there for. `end`: a PCK or the TCB signing key. */
export type CertificateRole = 'root' | 'ca' | 'end'

/** The common names of Intel's certificates (specification tdx.md sections 3.1 and 3.2). */
export const INTEL_CN = {
  root: 'Intel SGX Root CA',
  platform: 'Intel SGX PCK Platform CA',
  processor: 'Intel SGX PCK Processor CA',
  pck: 'Intel SGX PCK Certificate',
  tcbSigning: 'Intel SGX TCB Signing',
} as const

/** SGX extensions of a PCK certificate (section 3.3). */
export const SGX_EXTENSION = '1.2.840.113741.1.13.1'

/** What stands beside the common name in every subject, in the order of the encoding. */
const ORGANISATION: DistinguishedName = [
  { oid: ATTRIBUTE.O, value: 'Intel Corporation' },
  { oid: ATTRIBUTE.L, value: 'Santa Clara' },
  { oid: ATTRIBUTE.ST, value: 'CA' },
  { oid: ATTRIBUTE.C, value: 'US' },
]

/** Whether a name is Intel's, whole and in order, with this common name (section 3.4). */
export function isIntelName(name: DistinguishedName, commonName: string): boolean {
  const [first, ...rest] = name
  if (first?.oid !== ATTRIBUTE.CN || first.value !== commonName || rest.length !== ORGANISATION.length) return false
  return ORGANISATION.every(({ oid, value }, index) => rest[index]?.oid === oid && rest[index].value === value)
}

type Claims = Constraints & { readonly usage: number }
type Rule = { readonly holds: (claims: Claims) => boolean; readonly fault: string }

const has = (bit: number, usage: number): boolean => (usage & bit) !== 0

const AUTHORITY: readonly Rule[] = [
  { holds: ({ ca }) => ca, fault: 'is not a certificate authority' },
  { holds: ({ usage }) => has(USAGE.keyCertSign, usage), fault: 'may not sign certificates' },
  { holds: ({ usage }) => has(USAGE.crlSign, usage), fault: 'may not sign revocation lists' },
]
const USES: Readonly<Record<CertificateRole, readonly Rule[]>> = {
  root: [...AUTHORITY, { holds: ({ pathLength = 1n }) => pathLength >= 1n, fault: 'has no room for an authority below it' }],
  ca: [...AUTHORITY, { holds: ({ pathLength }) => pathLength === 0n, fault: 'does not limit its path length to 0' }],
  end: [
    { holds: ({ ca, pathLength }) => !ca && pathLength === undefined, fault: 'is a certificate authority' },
    { holds: ({ usage }) => has(USAGE.digitalSignature, usage), fault: 'may not sign' },
    { holds: ({ usage }) => !has(USAGE.keyCertSign | USAGE.crlSign, usage), fault: 'may sign certificates or lists' },
  ],
}

const CONSTRAINTS: DerDocument = { what: 'certificate', code: 'tdx-certificate-constraints-violated' }
const UNDERSTOOD: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE, SGX_EXTENSION, MARKER_OID]

/** Why a certificate may not be used in a role (TDX-23): constraints, key usage, path length, critical extensions. undefined if it may. */
export function unfitFor(certificate: ParsedCertificate, role: CertificateRole): string | undefined {
  if (certificate.version !== 3) return 'is not X.509 v3'
  if (repeatedExtension(certificate.extensions) !== undefined) return 'has an extension twice'
  const unknown = certificate.extensions.find(({ oid, critical }) => critical && !UNDERSTOOD.includes(oid))
  if (unknown !== undefined) return `has the critical extension ${unknown.oid}, which is not understood`
  const claims = attempt(() => ({ ...readConstraints(certificate, CONSTRAINTS), usage: readKeyUsage(certificate, CONSTRAINTS) }))
  if (claims instanceof AttestationError) return `cannot be read: ${claims.message}`
  return USES[role].find(({ holds }) => !holds(claims))?.fault
}

/** The five extensions that all of Intel's certificates have (TDX-24; RFC 5280 section 4.2.1). */
const STANDARD: Readonly<Record<string, string>> = {
  '2.5.29.35': 'authorityKeyIdentifier',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.14': 'subjectKeyIdentifier',
  [KEY_USAGE]: 'keyUsage',
  [BASIC_CONSTRAINTS]: 'basicConstraints',
}

/** The names of the standard extensions that a certificate lacks (TDX-24). */
export const missingExtensions = ({ extensions }: ParsedCertificate): readonly string[] =>
  Object.entries(STANDARD).flatMap(([oid, name]) => (extensions.some((extension) => extension.oid === oid) ? [] : [name]))

/** AlgorithmIdentifier of ecdsa-with-SHA256, which has no parameters (RFC 5758 section 3.2). */
const ECDSA_SHA256 = '300a06082a8648ce3d040302'
/** SubjectPublicKeyInfo of an uncompressed P-256 point up to its coordinates (RFC 5480 section 2); 64 bytes follow. */
const P256_SPKI = '3059301306072a8648ce3d020106082a8648ce3d03010703420004'
const P256_SPKI_BYTES = 91

/** Whether a signed document says ecdsa-with-SHA256 inside what is signed and beside the signature. */
export const isEcdsaSha256 = ({ innerAlgorithm, outerAlgorithm }: Pick<ParsedCertificate, 'innerAlgorithm' | 'outerAlgorithm'>): boolean =>
  hexOf(innerAlgorithm.der) === ECDSA_SHA256 && hexOf(outerAlgorithm.der) === ECDSA_SHA256

/** What is not P-256 or not ecdsa-with-SHA256 about a certificate (TDX-25); undefined if nothing. */
export function foreignAlgorithm(certificate: ParsedCertificate): string | undefined {
  const { spki, innerAlgorithm, outerAlgorithm } = certificate
  if (spki.length !== P256_SPKI_BYTES || !hexOf(spki).startsWith(P256_SPKI)) return 'has a key that is no uncompressed point of P-256'
  return isEcdsaSha256(certificate) ? undefined : `is signed with ${innerAlgorithm.oid} inside, ${outerAlgorithm.oid} outside`
}

/** The P-256 key of a certificate; undefined where it is none, or its point is not on the curve. */
export const keyOf = (certificate: ParsedCertificate): KeyObject | undefined =>
  foreignAlgorithm(certificate) === undefined ? readPublicKey(certificate.spki) : undefined

/** Why a certificate is not signed by the holder of this name and key: the names differ by a byte, or the signature does not verify. */
export function notIssuedBy(
  certificate: ParsedCertificate,
  issuer: Pick<ParsedCertificate, 'subjectDer'>,
  key: KeyObject,
): string | undefined {
  if (!equalBytes(certificate.issuerDer, issuer.subjectDer)) return `names ${formatName(certificate.issuer)} as its issuer`
  const { tbs, signature } = certificate
  if (!isEcdsaSha256(certificate)) return 'is not signed with ecdsa-with-SHA256'
  return verifyEcdsaDer({ key, data: tbs, signature }) ? undefined : 'is not signed by its issuer'
}

/** Whom chains may end in, and whether that may be a root that was minted for a test. */
export type TrustScope = { readonly anchors: Pick<Anchors, 'intel'>; readonly mode: Mode }

/** The key that a chain ends in, or why it is not trusted. */
export type RootKey = { readonly key: KeyObject } | { readonly fault: string }

/**
 * The key of the root of a chain (TDX-20): pinned by its public key, since the same subject stands on other roots, and self-signed.
 * In production neither a test root nor any simulated certificate, the root or one `below` it, is trusted.
 */
export function pinnedRootKey(root: ParsedCertificate, below: readonly ParsedCertificate[], scope: TrustScope): RootKey {
  if (scope.mode === 'production' && [root, ...below].some(isSimulated)) return { fault: 'a certificate of the simulator' }
  const key = isPinned(root, scope) ? keyOf(root) : undefined
  if (key === undefined) return { fault: 'the root has another key than the pinned one' }
  if (!isIntelName(root.subject, INTEL_CN.root)) return { fault: `the root is called ${formatName(root.subject)}` }
  const fault = notIssuedBy(root, root, key)
  return fault === undefined ? { key } : { fault: `the root ${fault}` }
}

const isPinned = (root: ParsedCertificate, { anchors, mode }: TrustScope): boolean =>
  anchors.intel.some(({ spki, origin }) => equalBytes(spki, root.spki) && (mode !== 'production' || origin === 'pinned'))
