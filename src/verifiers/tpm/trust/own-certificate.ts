import { DerReader, TAG, type DerDocument } from '../../der.ts'
import { hexOf, latin1 } from '../../der-values.ts'
import type { Mode } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { EnrolmentBasis } from '../claims.ts'

/** The extension of Assay's own certificates for attestation keys. */
export const OWN_EXTENSION = '2.25.291172566907466161648125306256757391295.2'

/**
 * What Assay's own certificate says: SEQUENCE { version INTEGER 1, mode UTF8String, akName OCTET STRING, ekSpkiSha256 OCTET STRING,
 * basis UTF8String, listedBy OCTET STRING OPTIONAL }. Hex is lower-case.
 */
export type OwnStatement = {
  readonly mode: Mode
  readonly akName: string
  readonly ekSpkiSha256: string
  readonly basis: EnrolmentBasis
  /** SHA-256 of the DER of the authority that the EK was listed by; null where the EK is listed itself, or not at all. */
  readonly listedBy: string | null
}

const DOCUMENT: DerDocument = { what: 'assay-certificate', code: 'tpm-ak-cert-chain-invalid' }
const MODES: readonly Mode[] = ['production', 'demo', 'test']
const BASES: readonly EnrolmentBasis[] = ['listed', 'enroller', 'any']

/** Reads what Assay's own certificate says; undefined for a certificate without the extension. Throws AttestationError tpm-ak-cert-chain-invalid. */
export function readOwnStatement({ extensions }: Pick<ParsedCertificate, 'extensions'>): OwnStatement | undefined {
  const extension = extensions.find(({ oid }) => oid === OWN_EXTENSION)
  return extension === undefined ? undefined : DerReader.all(extension.value, DOCUMENT, (top) => top.sequence('Statement', readStatement))
}

function readStatement(r: DerReader): OwnStatement {
  if (r.integer('version') !== 1n) throw r.malformed('version', 'is not 1')
  return {
    mode: oneOf(r, 'mode', MODES),
    akName: readAkName(r),
    ekSpkiSha256: digest(r, 'ekSpkiSha256'),
    basis: oneOf(r, 'basis', BASES),
    listedBy: r.nextTag === TAG.OCTET_STRING ? digest(r, 'listedBy') : null,
  }
}

function oneOf<T extends string>(r: DerReader, field: string, all: readonly T[]): T {
  const value = latin1(r.expect(field, TAG.UTF8_STRING).content)
  const known = all.find((one) => one === value)
  if (known === undefined) throw r.malformed(field, 'is none that is known')
  return known
}

/** nameAlg and a digest of SHA-256, SHA-384 or SHA-512. */
const NAME_BYTES: readonly number[] = [34, 50, 66]

function readAkName(r: DerReader): string {
  const name = r.octets('akName')
  if (!NAME_BYTES.includes(name.length)) throw r.malformed('akName', 'is not the name of a key')
  return hexOf(name)
}

function digest(r: DerReader, field: string): string {
  const bytes = r.octets(field)
  if (bytes.length !== 32) throw r.malformed(field, 'is not a digest of SHA-256')
  return hexOf(bytes)
}
