import { TAG, type DerDocument, type DerReader } from '../../der.ts'
import { hexOf, latin1 } from '../../der-values.ts'
import { readCertificateBlob } from '../../pem.ts'
import type { DistinguishedName, ReadName } from '../../x509-name.ts'
import { parseCertificate, type Dialect, type ParsedCertificate } from '../../x509.ts'

/** Text that may be shown to people as it is. */
const PRINTABLE_ASCII = /^[\x20-\x7e]{0,256}$/
/** String types of ASCII text, and UTF8String, which is that where it holds nothing else. */
const TEXT_TAGS: readonly number[] = [TAG.UTF8_STRING, TAG.PRINTABLE_STRING, TAG.IA5_STRING]

/**
 * Reads a Name of relative names of any number of attributes, in any order: some authorities of TPM manufacturers (Nuvoton Root CA 1110,
 * 1111, 2111, 2112) have one with a wrong SET OF order (specification tpm.md section 8.7). Names are compared by their bytes, so what they
 * hold is for people only; a value that is no printable text is shown as `#` and the hex of its bytes, as RFC 4514 does.
 */
const readAnyName: ReadName = (r, field) => {
  const { whole, content } = r.expect(field, TAG.SEQUENCE)
  return { name: r.within(field, content, readAttributes), der: whole }
}

/** The attributes of the contents of a Name. */
export const readAttributes = (names: DerReader): DistinguishedName =>
  names.list((name) => name.nested('RelativeDistinguishedName', TAG.SET, (set) => set.list(readAttribute))).flat()

const readAttribute = (set: DerReader): DistinguishedName[number] =>
  set.sequence('AttributeTypeAndValue', (r) => ({ oid: r.oid('type'), value: textOf(r.any('value')) }))

const textOf = ({ tag, content, whole }: ReturnType<DerReader['any']>): string => {
  const text = latin1(content)
  return TEXT_TAGS.includes(tag) && PRINTABLE_ASCII.test(text) ? text : `#${hexOf(whole.subarray(0, 128))}`
}

/** How authorities of TPM manufacturers write: names of any form, and GeneralizedTime where UTCTime is due (AMD's). */
export const TPM_DIALECT: Dialect = { name: readAnyName, time: (r, field) => r.anyTime(field) }

/** Reads one certificate, DER or one PEM block, with nothing behind it. Throws AttestationError with the document's code. */
export const readTpmCertificate = (bytes: Uint8Array, document: DerDocument): ParsedCertificate =>
  parseCertificate(readCertificateBlob(bytes, document.what, document.code), document, TPM_DIALECT)
