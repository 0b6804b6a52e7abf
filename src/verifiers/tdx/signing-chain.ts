import { createHash, type KeyObject } from 'node:crypto'
import { readCertificateChain } from '../pem.ts'
import { AttestationError } from '../problems.ts'
import { formatName } from '../x509-name.ts'
import { parseCertificate, type ParsedCertificate } from '../x509.ts'
import { windowOf, type Window } from './certificate-dates.ts'
import {
  INTEL_CN,
  foreignAlgorithm,
  isIntelName,
  keyOf,
  missingExtensions,
  notIssuedBy,
  pinnedRootKey,
  unfitFor,
  type CertificateRole,
  type TrustScope,
} from './certificate-rules.ts'

/** A chain of two, proven up to a pinned root; dates and revocation not asked. */
export type ShortChain = {
  readonly first: ParsedCertificate
  readonly root: ParsedCertificate
  /** The public key of the first. */
  readonly key: KeyObject
  /** SHA-384 of the root's public point, in hex (section 5.8). */
  readonly rootKeyId: string
  /** Of root and first. */
  readonly windows: readonly Window[]
}

/** What a chain of two must be. */
type Expectation = {
  readonly commonName: string
  readonly role: Extract<CertificateRole, 'ca' | 'end'>
  readonly document: { readonly what: string; readonly code: 'tdx-tcb-signing-chain-invalid' | 'tdx-pck-crl-issuer-mismatch' }
}

const TCB_SIGNING: Expectation = {
  commonName: INTEL_CN.tcbSigning,
  role: 'end',
  document: { what: 'tcb-signing-chain', code: 'tdx-tcb-signing-chain-invalid' },
}

/**
 * TDX-35: the TCB signing key and Intel's root, in PEM, nothing else (specification tdx.md section 3.4): exact names, pinned root, signature,
 * key usages, extensions, algorithms. Throws AttestationError tdx-tcb-signing-chain-invalid.
 */
export const proveSigningChain = (pem: Uint8Array, scope: TrustScope): ShortChain => proveShortChain(pem, TCB_SIGNING, scope)

/** The same for the chain of the authority that issues a PCK revocation list. Throws AttestationError tdx-pck-crl-issuer-mismatch. */
export const proveIssuerChain = (pem: Uint8Array, ca: 'platform' | 'processor', scope: TrustScope): ShortChain =>
  proveShortChain(
    pem,
    { commonName: INTEL_CN[ca], role: 'ca', document: { what: 'pck-crl-chain', code: 'tdx-pck-crl-issuer-mismatch' } },
    scope,
  )

function proveShortChain(pem: Uint8Array, expectation: Expectation, scope: TrustScope): ShortChain {
  const { document, role, commonName } = expectation
  const { first, root } = readPair(pem, document)
  const pinned = pinnedRootKey(root, [first], scope)
  if ('fault' in pinned) throw refusal(document, pinned.fault)
  const fault = faultOfName(first, commonName) ?? notIssuedBy(first, root, pinned.key) ?? faultOfForm(first, role)
  if (fault !== undefined) throw refusal(document, `the certificate ${fault}`)
  const rootFault = faultOfForm(root, 'root')
  if (rootFault !== undefined) throw refusal(document, `the root ${rootFault}`)
  const key = keyOf(first)
  if (key === undefined) throw refusal(document, 'the key is no point of P-256')
  return { first, root, key, rootKeyId: keyIdOf(root), windows: [root, first].map(windowOf) }
}

function readPair(pem: Uint8Array, document: Expectation['document']): Pick<ShortChain, 'first' | 'root'> {
  const certificates = readCertificateChain(pem, document).map((der) => parseCertificate(der, document))
  const [first, root] = certificates
  if (first === undefined || root === undefined || certificates.length !== 2)
    throw refusal(document, `${certificates.length} certificates, not 2`)
  return { first, root }
}

/** SubjectPublicKeyInfo of P-256 ends in the uncompressed point (RFC 5480 section 2). */
const POINT_BYTES = 65
const keyIdOf = ({ spki }: ParsedCertificate): string => createHash('sha384').update(spki.subarray(-POINT_BYTES)).digest('hex')

const faultOfName = ({ subject }: ParsedCertificate, commonName: string): string | undefined =>
  isIntelName(subject, commonName) ? undefined : `is called ${formatName(subject)}`

const refusal = ({ what, code }: Expectation['document'], why: string): AttestationError =>
  new AttestationError(code, `${what}: ${why}`, { at: what })

/** TDX-23 to 25 for one certificate. */
function faultOfForm(certificate: ParsedCertificate, role: CertificateRole): string | undefined {
  const missing = missingExtensions(certificate)
  return unfitFor(certificate, role) ?? foreignAlgorithm(certificate) ?? (missing.length > 0 ? `lacks ${missing.join(', ')}` : undefined)
}
