import { DerReader, TAG, checkWellFormed, type DerDocument } from './der.ts'
import { latin1 } from './der-values.ts'
import { AttestationError } from './problems.ts'

/** Largest certificate that is read, as PEM or DER (design section 3, Limits). */
const MAX_BYTES = 64 * 1024

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'
/** RFC 7468 section 3 writes 64 characters a line, older tools up to 76. */
const LINE = /^[A-Za-z0-9+/]{1,76}={0,2}$/

/**
 * The DER of exactly one certificate, given as DER or as one PEM block with at most one line break behind it (SNP-16).
 * The DER is proven well-formed, and to have the outline of a certificate. Throws AttestationError snp-certificate-malformed.
 */
export function readCertificateBlob(bytes: Uint8Array, at: string): Uint8Array {
  const document: DerDocument = { what: at, code: 'snp-certificate-malformed' }
  if (bytes.length > MAX_BYTES) throw malformed(document, `is larger than ${MAX_BYTES} bytes`)
  const der = bytes[0] === TAG.SEQUENCE ? bytes.slice() : decodePem(latin1(bytes), document)
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
