import { DerReader, TAG, explicitTag, type DerDocument } from './der.ts'
import { readAlgorithm, type SignatureAlgorithm } from './x509-algorithm.ts'
import { readName, type DistinguishedName, type ReadName } from './x509-name.ts'

/** One extension of a certificate, list or list entry (RFC 5280 section 4.2): `value` is what is inside its OCTET STRING. */
export type Extension = { readonly oid: string; readonly encodedOid: Uint8Array; readonly critical: boolean; readonly value: Uint8Array }

/** A certificate read from DER (RFC 5280 section 4.1): parsed, not believed. */
export type ParsedCertificate = {
  /** The whole certificate, a copy. */
  readonly der: Uint8Array
  /** What is signed: tbsCertificate as received. */
  readonly tbs: Uint8Array
  /** 1 to 3. */
  readonly version: number
  readonly serial: bigint
  /** signatureAlgorithm as tbsCertificate repeats it, and as it stands beside the signature. */
  readonly innerAlgorithm: SignatureAlgorithm
  readonly outerAlgorithm: SignatureAlgorithm
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** The same names as encoded: two encodings of one text are different names to whoever compares bytes. */
  readonly issuerDer: Uint8Array
  readonly subjectDer: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** DER SubjectPublicKeyInfo as received. */
  readonly spki: Uint8Array
  readonly extensions: readonly Extension[]
  readonly signature: Uint8Array
}

const CERTIFICATE: DerDocument = { what: 'certificate', code: 'snp-certificate-malformed' }

/** How a vendor writes what RFC 5280 leaves no choice about, or what this service reads more narrowly than it must. */
export type Dialect = { readonly name: ReadName; readonly time: (r: DerReader, field: string) => Date }

/** Names of one attribute a part in ASCII, times as RFC 5280 demands. */
export const PLAIN: Dialect = { name: readName, time: (r, field) => r.time(field) }

/**
 * Reads one DER certificate with nothing behind it. Unique identifiers, which RFC 5280 forbids to use, are not read.
 * Throws AttestationError with the document's code, snp-certificate-malformed unless told otherwise.
 */
export function parseCertificate(bytes: Uint8Array, document: DerDocument = CERTIFICATE, dialect: Dialect = PLAIN): ParsedCertificate {
  const der = bytes.slice()
  return DerReader.all(der, document, (top) =>
    top.sequence('Certificate', (r) => {
      const { content, whole } = r.expect('tbsCertificate', TAG.SEQUENCE)
      const tbs = r.within('tbsCertificate', content, (t) => readTbs(t, dialect))
      const outerAlgorithm = readAlgorithm(r, 'signatureAlgorithm')
      return { der, tbs: whole, ...tbs, outerAlgorithm, signature: r.bitBytes('signatureValue') }
    }),
  )
}

function readTbs(r: DerReader, { name, time }: Dialect): Omit<ParsedCertificate, 'der' | 'tbs' | 'outerAlgorithm' | 'signature'> {
  const version = r.optional('version', explicitTag(0), readVersion) ?? 1
  const serial = r.integer('serialNumber')
  if (serial < 0n) throw r.malformed('serialNumber', 'is negative')
  return {
    version,
    serial,
    innerAlgorithm: readAlgorithm(r, 'signature'),
    ...readIssuer(r, name),
    ...r.sequence('validity', (v) => ({ notBefore: time(v, 'notBefore'), notAfter: time(v, 'notAfter') })),
    ...readSubject(r, name),
    spki: r.expect('subjectPublicKeyInfo', TAG.SEQUENCE).whole,
    extensions: r.optional('extensions', explicitTag(3), (e) => readExtensions(e, 'extensions')) ?? [],
  }
}

const readIssuer = (r: DerReader, read: ReadName): Pick<ParsedCertificate, 'issuer' | 'issuerDer'> => {
  const { name, der } = read(r, 'issuer')
  return { issuer: name, issuerDer: der }
}

const readSubject = (r: DerReader, read: ReadName): Pick<ParsedCertificate, 'subject' | 'subjectDer'> => {
  const { name, der } = read(r, 'subject')
  return { subject: name, subjectDer: der }
}

/** Version numbers start at 0 for v1, which DER leaves out. */
function readVersion(r: DerReader): number {
  const version = Number(r.integer('version'))
  if (version !== 1 && version !== 2) throw r.malformed('version', 'is neither v2 nor v3')
  return version + 1
}

/** Extensions (RFC 5280 section 4.1): at least one. Whoever reads them asks {@link repeatedExtension}, since the code of that fault is theirs. */
export function readExtensions(r: DerReader, field: string): readonly Extension[] {
  const extensions = r.sequence(field, (list) => list.list(readExtension))
  if (extensions.length === 0) throw r.malformed(field, 'is empty')
  return extensions
}

function readExtension(list: DerReader): Extension {
  return list.sequence('Extension', (r) => {
    const { oid, encoded } = r.oidWithEncoding('extnID')
    const critical = r.nextTag === TAG.BOOLEAN && r.true('critical')
    return { oid, encodedOid: encoded, critical, value: r.octets('extnValue') }
  })
}

/** An extension that occurs more than once, which RFC 5280 section 4.2 forbids. */
export const repeatedExtension = (extensions: readonly Extension[]): Extension | undefined =>
  extensions.find((extension, index) => extensions.findIndex((other) => other.oid === extension.oid) !== index)
