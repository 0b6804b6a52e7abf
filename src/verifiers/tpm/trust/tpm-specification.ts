import { DerReader, TAG, type DerDocument } from '../../der.ts'
import { latin1 } from '../../der-values.ts'
import type { ParsedCertificate } from '../../x509.ts'

/** Attributes of the subject, of which the specification of the TPM is looked at (TCG EK credential profile). */
export const DIRECTORY_ATTRIBUTES = '2.5.29.9'
const TPM_SPECIFICATION = '2.23.133.2.16'

/** The specification that a TPM is made by, as its manufacturer certifies it: `2.0`, level and revision as decimal strings. */
export type TpmSpecification = { readonly family: string; readonly level: string; readonly revision: string }

const DOCUMENT: DerDocument = { what: 'subjectDirectoryAttributes', code: 'tpm-ek-cert-profile-invalid' }

/** Every specification that a certificate names, none without the extension. Throws AttestationError tpm-ek-cert-profile-invalid. */
export function readSpecifications({ extensions }: Pick<ParsedCertificate, 'extensions'>): readonly TpmSpecification[] {
  const extension = extensions.find(({ oid }) => oid === DIRECTORY_ATTRIBUTES)
  if (extension === undefined) return []
  return DerReader.all(extension.value, DOCUMENT, (top) => top.sequence('Attributes', (all) => all.list(readAttribute))).flat()
}

const readAttribute = (all: DerReader): readonly TpmSpecification[] =>
  all.sequence('Attribute', (r) => {
    const type = r.oid('type')
    const values = r.expect('values', TAG.SET).content
    return type === TPM_SPECIFICATION ? [r.within('values', values, readSpecification)] : []
  })

/** SEQUENCE { family UTF8String, level INTEGER, revision INTEGER }. */
const readSpecification = (values: DerReader): TpmSpecification =>
  values.sequence('tPMSpecification', (r) => ({
    family: latin1(r.expect('family', TAG.UTF8_STRING).content),
    level: String(r.integer('level')),
    revision: String(r.integer('revision')),
  }))
