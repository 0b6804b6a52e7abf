import { DerReader, TAG, checkWellFormed, type DerDocument } from './der.ts'
import { latin1 } from './der-values.ts'
import { AttestationError, type ProblemCode } from './problems.ts'

/** Largest certificate that is read, as PEM or DER (design section 3, Limits). */
const MAX_BYTES = 64 * 1024

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'
/** RFC 7468 section 3 writes 64 characters a line, older tools up to 76. */
const LINE = /^[A-Za-z0-9+/]{1,76}={0,2}$/

/**
 * The DER of exactly one certificate, given as DER or as one PEM block with at most one line break behind it (SNP-16).
 * The DER is proven well-formed, and to have the outline of a certificate. Throws AttestationError with the code that is given.
 */
export function readCertificateBlob(bytes: Uint8Array, at: string, code: ProblemCode = 'snp-certificate-malformed'): Uint8Array {
  const document: DerDocument = { what: at, code }
  if (bytes.length > MAX_BYTES) throw malformed(document, `is larger than ${MAX_BYTES} bytes`)
  return proven(bytes[0] === TAG.SEQUENCE ? bytes.slice() : decodePem(latin1(bytes), document), document)
}

/**
 * The DER of every certificate of a chain in PEM, as Intel writes them (specification tdx.md sections 1.8 and 10.4): blocks one behind
 * the other, nothing between them but white space, and at most one NUL behind the last. Each is proven as {@link readCertificateBlob} does.
 * Throws AttestationError with the document's code, also for a chain of no certificate.
 */
export function readCertificateChain(bytes: Uint8Array, document: DerDocument): readonly Uint8Array[] {
  if (bytes.length > MAX_BYTES) throw malformed(document, `is larger than ${MAX_BYTES} bytes`)
  const text = latin1(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes)
  // Every piece but the last ends where a block ends; what follows the last block must be nothing.
  const pieces = text.split(END)
  const rest = pieces.pop() ?? ''
  if (pieces.length === 0 || !isBlank(rest)) throw malformed(document, 'is not certificates in PEM and nothing else')
  return pieces.map((piece, index) => {
    const one = { what: `${document.what}[${index}]`, code: document.code }
    return proven(decodePem(piece.replace(/^[ \t\r\n]*/, '') + END, one), one)
  })
}

const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text)

function proven(der: Uint8Array, document: DerDocument): Uint8Array {
  checkWellFormed(der, document)
  DerReader.all(der, document, (top) => top.sequence('Certificate', readOutline))
  return der
}

function readOutline(r: DerReader): void {
  r.expect('tbsCertificate', TAG.SEQUENCE)
  r.expect('signatureAlgorithm', TAG.SEQUENCE)
  r.expect('signatureValue', TAG.BIT_STRING)
}

function decodePem(text: string, document: DerDocument): Uint8Array {
  const lines = text.split(/\r?\n/)
  const body = lines.at(-1) === '' ? lines.slice(0, -1) : lines
  if (body[0] !== BEGIN || body.at(-1) !== END) throw malformed(document, 'is neither DER nor one PEM block')
  const inner = body.slice(1, -1)
  if (!inner.every((line) => LINE.test(line))) throw malformed(document, 'has lines inside its PEM block that are not base64')
  return decodeBase64(inner.join(''), document)
}

function decodeBase64(base64: string, document: DerDocument): Uint8Array {
  const decoded = Buffer.from(base64, 'base64')
  if (decoded.toString('base64') !== base64) throw malformed(document, 'is not canonical base64 inside its PEM block')
  return new Uint8Array(decoded)
}

const malformed = ({ what, code }: DerDocument, why: string): AttestationError => new AttestationError(code, `${what} ${why}`, { at: what })
