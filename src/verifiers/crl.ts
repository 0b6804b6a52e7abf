import { DerReader, TAG, explicitTag, type DerDocument } from './der.ts'
import { NOTHING_REVOKED, readRevoked } from './crl-serials.ts'
import { readAlgorithm, type SignatureAlgorithm } from './x509-algorithm.ts'
import type { DistinguishedName } from './x509-name.ts'
import { PLAIN, readExtensions, repeatedExtension, type Dialect, type Extension } from './x509.ts'

/** A certificate revocation list read from DER (RFC 5280 section 5.1): parsed, not believed. */
export type RevocationList = {
  /** What is signed: tbsCertList as received. */
  readonly tbs: Uint8Array
  readonly innerAlgorithm: SignatureAlgorithm
  readonly outerAlgorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  readonly issuer: DistinguishedName
  /** The same name as encoded. */
  readonly issuerDer: Uint8Array
  readonly thisUpdate: Date
  /** undefined: the list does not say when it ends, and counts as ended (specification snp.md section 8). */
  readonly nextUpdate: Date | undefined
  /** cRLNumber (RFC 5280 section 5.2.3). */
  readonly number: bigint | undefined
  /** How many certificates are revoked. */
  readonly size: number
  readonly isRevoked: (serial: bigint) => boolean
  /** Number and window, for people. */
  readonly text: string
  /** An extension, of the list or of an entry, that must be understood and is not: the list cannot be used (section 5.2). */
  readonly notUnderstood: string | undefined
  /** The identifiers of the list's own extensions, each once. */
  readonly extensionOids: readonly string[]
}

/** Largest list that is read (design section 3, Limits). */
const MAX_BYTES = 8 * 1024 * 1024
const CRL: DerDocument = { what: 'crl', code: 'snp-crl-signature' }

/** cRLNumber (RFC 5280 section 5.2.3). */
const CRL_NUMBER = '2.5.29.20'
/** issuingDistributionPoint (section 5.2.5): says that a list is partial, so it is refused even when it is not critical. */
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28'
/** deltaCRLIndicator (section 5.2.4): the list is only a difference to another one; refused likewise. */
const DELTA_CRL_INDICATOR = '2.5.29.27'
/** certificateIssuer of an entry (section 5.3.3): the entry is another authority's; refused likewise. */
const CERTIFICATE_ISSUER = '2.5.29.29'
const PARTIAL: readonly string[] = [ISSUING_DISTRIBUTION_POINT, DELTA_CRL_INDICATOR, CERTIFICATE_ISSUER]
/** Extensions whose meaning is heeded or changes nothing: number, authority key identifier, reason code, invalidity date. */
const UNDERSTOOD: readonly string[] = [CRL_NUMBER, '2.5.29.35', '2.5.29.21', '2.5.29.24']

/**
 * Reads one DER revocation list with nothing behind it. Throws AttestationError with the document's code; unless told otherwise
 * snp-crl-signature: nothing shows that such bytes are the vendor's.
 */
export function parseCrl(bytes: Uint8Array, document: DerDocument = CRL, dialect: Dialect = PLAIN): RevocationList {
  const der = bytes.slice()
  return DerReader.all(der, document, (top) => {
    if (der.length > MAX_BYTES) throw top.malformed('CertificateList', `is larger than ${MAX_BYTES} bytes`)
    return top.sequence('CertificateList', (r) => {
      const { content, whole } = r.expect('tbsCertList', TAG.SEQUENCE)
      const tbs = r.within('tbsCertList', content, (t) => readTbs(t, document, dialect))
      const outerAlgorithm = readAlgorithm(r, 'signatureAlgorithm')
      return { tbs: whole, ...tbs, outerAlgorithm, signature: r.bitBytes('signatureValue') }
    })
  })
}

function readTbs(
  r: DerReader,
  document: DerDocument,
  { name, time }: Dialect,
): Omit<RevocationList, 'tbs' | 'outerAlgorithm' | 'signature'> {
  // v2 is 1 (section 5.1.2.1); a version 1 list could carry neither number nor entry extensions.
  if (r.integer('version') !== 1n) throw r.malformed('version', 'is not v2')
  const innerAlgorithm = readAlgorithm(r, 'signature')
  const issuer = name(r, 'issuer')
  const thisUpdate = time(r, 'thisUpdate')
  const nextUpdate = isTime(r.nextTag) ? time(r, 'nextUpdate') : undefined
  const revoked = r.nextTag === TAG.SEQUENCE ? readRevoked(r.any('revokedCertificates').content, document) : NOTHING_REVOKED
  const extensions = r.optional('crlExtensions', explicitTag(0), (e) => readExtensions(e, 'crlExtensions')) ?? []
  if (repeatedExtension(extensions) !== undefined) throw r.malformed('crlExtensions', 'has an extension twice')
  const entryExtensions = revoked.otherExtensions.flatMap((bytes) => r.within('crlEntryExtensions', bytes, readEntryExtensions))
  const number = readNumber(r, extensions)
  return {
    innerAlgorithm,
    issuer: issuer.name,
    issuerDer: issuer.der,
    thisUpdate,
    nextUpdate,
    number,
    text: describe({ number, thisUpdate, nextUpdate }),
    size: revoked.size,
    isRevoked: revoked.has,
    notUnderstood: [...extensions, ...entryExtensions].find(isNotUnderstood)?.oid,
    extensionOids: extensions.map(({ oid }) => oid),
  }
}

const describe = ({ number, thisUpdate, nextUpdate }: Pick<RevocationList, 'number' | 'thisUpdate' | 'nextUpdate'>): string =>
  `number ${number ?? 'none'}, thisUpdate ${thisUpdate.toISOString()}, nextUpdate ${nextUpdate?.toISOString() ?? 'none'}`

const isTime = (tag: number | undefined): boolean => tag === TAG.UTC_TIME || tag === TAG.GENERALIZED_TIME

const readEntryExtensions = (r: DerReader): readonly Extension[] => readExtensions(r, 'crlEntryExtensions')

const isNotUnderstood = ({ oid, critical }: Extension): boolean => PARTIAL.includes(oid) || (critical && !UNDERSTOOD.includes(oid))

function readNumber(r: DerReader, extensions: readonly Extension[]): bigint | undefined {
  const value = extensions.find(({ oid }) => oid === CRL_NUMBER)?.value
  const number = value === undefined ? undefined : r.within('cRLNumber', value, (n) => n.integer('CRLNumber'))
  if (number !== undefined && number < 0n) throw r.malformed('cRLNumber', 'is negative')
  return number
}
