import { attempt } from '../../der-attempt.ts'
import { DerReader, TAG, type DerDocument } from '../../der.ts'
import { AttestationError } from '../../problems.ts'
import { MARKER_OID } from '../../x509-marker.ts'
import { BASIC_CONSTRAINTS, KEY_USAGE, USAGE, readConstraints, type Constraints } from '../../x509-usage.ts'
import { repeatedExtension, type Extension, type ParsedCertificate } from '../../x509.ts'
import { readAttributes } from './certificate.ts'
import { OWN_EXTENSION } from './own-certificate.ts'
import type { DistinguishedName } from '../../x509-name.ts'

/** Extensions by name (RFC 5280 section 4.2.1). */
export const EXTENSION = {
  subjectAltName: '2.5.29.17',
  certificatePolicies: '2.5.29.32',
  nameConstraints: '2.5.29.30',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
} as const

/** Extended key usages (specification tpm.md section 6.1; TCG EK credential profile). */
export const PURPOSE = { ek: '2.23.133.8.1', ak: '2.23.133.8.3', any: '2.5.29.37.0' } as const

/** What a certificate says that it may be used for. */
export type Usages = Constraints & {
  /** The first byte of KeyUsage, critical or not; undefined without the extension. */
  readonly usage: number | undefined
  /** undefined without the extension. */
  readonly purposes: readonly string[] | undefined
  /** The directory names of SubjectAltName; undefined without the extension. */
  readonly directoryNames: readonly DistinguishedName[] | undefined
  /** Whether SubjectAltName holds anything but directory names. */
  readonly otherNames: 'none' | 'some'
}

/** Why the extensions of a certificate cannot be relied on: version, repeated, critical and not understood; undefined if they can. */
export function faultOfForm({ version, extensions }: ParsedCertificate): string | undefined {
  if (version !== 3) return 'is not X.509 v3'
  if (repeatedExtension(extensions) !== undefined) return 'has an extension twice'
  const unknown = extensions.find(({ oid, critical }) => FORBIDDEN.includes(oid) || (critical && !UNDERSTOOD.includes(oid)))
  return unknown === undefined ? undefined : `has extension ${unknown.oid}, which is not understood`
}

/** Limits that nobody here could honour are refused even where an authority forgot to call them critical. */
const FORBIDDEN: readonly string[] = [EXTENSION.nameConstraints, EXTENSION.policyConstraints]
/** Policies are named, never mapped or demanded, so a critical list of them changes nothing (RFC 5280 section 6.1.1 with any-policy). */
const UNDERSTOOD: readonly string[] = [
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  EXTENSION.subjectAltName,
  EXTENSION.certificatePolicies,
  EXTENSION.extendedKeyUsage,
  MARKER_OID,
  OWN_EXTENSION,
]

const DOCUMENT: DerDocument = { what: 'certificate', code: 'tpm-ak-cert-chain-invalid' }

/** Reads what a certificate says of its uses. A text where an extension is not DER, or a critical SubjectAltName holds what is not understood. */
export function usagesOf(certificate: ParsedCertificate): Usages | { readonly fault: string } {
  const usages = attempt(() => readUsages(certificate))
  if (usages instanceof AttestationError) return { fault: `cannot be read: ${usages.message}` }
  const critical = certificate.extensions.some((extension) => extension.oid === EXTENSION.subjectAltName && extension.critical)
  return critical && usages.otherNames === 'some' ? { fault: 'has a critical subjectAltName that is not a directory name alone' } : usages
}

function readUsages(certificate: ParsedCertificate): Usages {
  const find = (oid: string): Extension | undefined => certificate.extensions.find((extension) => extension.oid === oid)
  const usage = find(KEY_USAGE)
  const purposes = find(EXTENSION.extendedKeyUsage)
  const names = find(EXTENSION.subjectAltName)
  const general = names === undefined ? undefined : readGeneralNames(names.value)
  const directoryNames = general?.flatMap((name) => (name === undefined ? [] : [name]))
  return {
    ...readConstraints(certificate, DOCUMENT),
    usage: usage === undefined ? undefined : readKeyUsage(usage.value),
    purposes: purposes === undefined ? undefined : readPurposes(purposes.value),
    directoryNames,
    otherNames: general?.length === directoryNames?.length ? 'none' : 'some',
  }
}

/**
 * The first byte of KeyUsage. Two roots (Azure's AME, Microsoft's TPM root of 2014) do not call it critical; it limits them all the same. Four
 * authorities of STMicroelectronics have a second byte, of bits without a meaning, which permit nothing.
 */
const readKeyUsage = (value: Uint8Array): number =>
  DerReader.all(value, DOCUMENT, (r) => {
    const { content } = r.expect('KeyUsage', TAG.BIT_STRING)
    const [unused = 8, first] = content
    if (first === undefined || content.length > 3 || unused >= 8) throw r.malformed('KeyUsage', 'is not one or two bytes of named bits')
    return first
  })

const readPurposes = (value: Uint8Array): readonly string[] =>
  DerReader.all(value, DOCUMENT, (top) => top.sequence('ExtKeyUsageSyntax', (r) => r.list((list) => list.oid('KeyPurposeId'))))

/** directoryName [4] of GeneralName, which is EXPLICIT because Name is a CHOICE (RFC 5280 section 4.2.1.6). */
const DIRECTORY_NAME = 0xa4

/** The directory names among GeneralNames, and undefined for each other name. */
const readGeneralNames = (value: Uint8Array): readonly (DistinguishedName | undefined)[] =>
  DerReader.all(value, DOCUMENT, (top) => top.sequence('GeneralNames', (r) => r.list(readGeneralName)))

function readGeneralName(r: DerReader): DistinguishedName | undefined {
  if (r.nextTag === DIRECTORY_NAME)
    return r.nested('directoryName', DIRECTORY_NAME, (name) => name.nested('Name', TAG.SEQUENCE, readAttributes))
  r.any('GeneralName')
  return undefined
}

/** Whether a certificate may sign certificates and lists (RFC 5280 section 4.2.1.3). */
const may = (bit: number, { usage = 0 }: Usages): boolean => (usage & bit) !== 0

/** Purposes of which an authority must be allowed one where it is limited at all: no TPM authority is meant for anything else. */
const TPM_PURPOSES: readonly string[] = Object.values(PURPOSE)

/**
 * Why a certificate cannot be an authority above this many others, the leaf not counted (specification tpm.md section 8.8); undefined if it can.
 */
export function unfitForAuthority(certificate: ParsedCertificate, below: number): string | undefined {
  const form = faultOfForm(certificate)
  if (form !== undefined) return form
  const usages = usagesOf(certificate)
  if ('fault' in usages) return usages.fault
  return AUTHORITY_RULES.find(({ holds }) => !holds(usages, below))?.fault
}

const AUTHORITY_RULES: readonly { readonly holds: (usages: Usages, below: number) => boolean; readonly fault: string }[] = [
  { holds: ({ ca }) => ca, fault: 'is not a certificate authority' },
  { holds: (usages) => may(USAGE.keyCertSign, usages), fault: 'may not sign certificates' },
  { holds: ({ pathLength }, below) => pathLength === undefined || pathLength >= BigInt(below), fault: 'stands above too many authorities' },
  {
    holds: ({ purposes }) => purposes === undefined || purposes.some((purpose) => TPM_PURPOSES.includes(purpose)),
    fault: 'is an authority for other things than TPMs',
  },
]
