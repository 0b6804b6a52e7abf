import { attempt } from '../../der-attempt.ts'
import { AttestationError } from '../../problems.ts'
import type { DistinguishedName } from '../../x509-name.ts'
import { BASIC_CONSTRAINTS, KEY_USAGE, USAGE } from '../../x509-usage.ts'
import type { Extension, ParsedCertificate } from '../../x509.ts'
import type { CertifiedKey } from './facts.ts'
import { readSpecifications } from './tpm-specification.ts'
import { EXTENSION, PURPOSE, faultOfForm, usagesOf, type Usages } from './usage.ts'

/** What the subject alternative name of an endorsement certificate says of the TPM. */
export type TpmIdentity = {
  /** 8 lower-case hex digits. */
  readonly manufacturer: string
  readonly model: string
  /** Informative. */
  readonly version: string
}

/** Attributes of the TPM (TCG EK credential profile). */
const ATTRIBUTE = { manufacturer: '2.23.133.2.1', model: '2.23.133.2.2', version: '2.23.133.2.3' } as const
/** authorityKeyIdentifier, authorityInfoAccess, cRLDistributionPoints, extendedKeyUsage and subjectKeyIdentifier are never critical. */
const AUTHORITY_KEY = '2.5.29.35'
const NEVER_CRITICAL: readonly string[] = [AUTHORITY_KEY, '1.3.6.1.5.5.7.1.1', '2.5.29.31', EXTENSION.extendedKeyUsage, '2.5.29.14']
/** Bits of KeyUsage by the kind of key: it decrypts, or it agrees upon a secret. */
const BITS = { rsa: 0x20, ec: 0x08 } as const

type Subject = { readonly certificate: ParsedCertificate; readonly usages: Usages; readonly kind: 'rsa' | 'ec' }
type ProfileRule = { readonly holds: (subject: Subject) => boolean; readonly fault: string }

const find = ({ extensions }: ParsedCertificate, wanted: string): Extension | undefined => extensions.find(({ oid }) => oid === wanted)
const isCritical = (certificate: ParsedCertificate, oid: string): boolean => find(certificate, oid)?.critical === true

/** Specification tpm.md section 8, 1 to 4. */
const RULES: readonly ProfileRule[] = [
  { holds: ({ certificate }) => certificate.serial > 0n, fault: 'has no positive serial number' },
  { holds: ({ certificate }) => certificate.issuer.length > 0, fault: 'has no issuer' },
  { holds: ({ certificate }) => isCritical(certificate, BASIC_CONSTRAINTS), fault: 'has no critical basicConstraints' },
  { holds: ({ usages }) => !usages.ca && usages.pathLength === undefined, fault: 'is an authority' },
  { holds: ({ certificate }) => isCritical(certificate, KEY_USAGE), fault: 'has no critical keyUsage' },
  { holds: ({ usages, kind }) => ((usages.usage ?? 0) & BITS[kind]) !== 0, fault: 'is not for a key that decrypts (RSA) or agrees (EC)' },
  { holds: ({ usages }) => ((usages.usage ?? 0) & (USAGE.keyCertSign | USAGE.crlSign)) === 0, fault: 'may sign certificates or lists' },
  {
    holds: ({ certificate }) => (find(certificate, AUTHORITY_KEY)?.value.length ?? 0) > 2,
    fault: 'does not identify the key of its issuer',
  },
  { holds: ({ certificate }) => !NEVER_CRITICAL.some((oid) => isCritical(certificate, oid)), fault: 'calls critical what never is' },
  {
    holds: ({ certificate }) => certificate.subject.length > 0 || isCritical(certificate, EXTENSION.subjectAltName),
    fault: 'has no subject, and a subjectAltName that is not critical',
  },
  { holds: ({ usages }) => usages.directoryNames?.length === 1, fault: 'has not exactly one directory name in its subjectAltName' },
  { holds: ({ usages }) => usages.purposes?.includes(PURPOSE.ek) !== false, fault: 'is not for endorsement keys' },
]

/** TPM-25: what an endorsement certificate says of its TPM, or why it does not follow the profile. */
export function readEkProfile(certificate: ParsedCertificate, { key }: CertifiedKey): TpmIdentity | { readonly fault: string } {
  const form = faultOfForm(certificate)
  if (form !== undefined) return { fault: form }
  const usages = usagesOf(certificate)
  if ('fault' in usages) return usages
  const kind = key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'
  const broken = RULES.find(({ holds }) => !holds({ certificate, usages, kind }))
  if (broken !== undefined) return { fault: broken.fault }
  return faultOfSpecification(certificate) ?? identityOf(usages.directoryNames?.[0] ?? [])
}

const MANUFACTURER = /^id:([0-9A-Fa-f]{8})$/

/** Each attribute exactly once, in one relative name or in several; other attributes are some manufacturers' own. */
function identityOf(name: DistinguishedName): TpmIdentity | { readonly fault: string } {
  const [manufacturer, model, version] = [ATTRIBUTE.manufacturer, ATTRIBUTE.model, ATTRIBUTE.version].map((oid) => only(name, oid))
  if (manufacturer === undefined || model === undefined || version === undefined)
    return { fault: 'does not name manufacturer, model and version of the TPM once each' }
  const [, vendor] = MANUFACTURER.exec(manufacturer) ?? []
  return vendor === undefined
    ? { fault: 'names a manufacturer that is no vendor id' }
    : { manufacturer: vendor.toLowerCase(), model, version }
}

function only(name: DistinguishedName, wanted: string): string | undefined {
  const [first, ...more] = name.filter(({ oid }) => oid === wanted)
  return more.length === 0 ? first?.value : undefined
}

/** Specification tpm.md section 8.4: where the certificate names the TPM's specification, it is 2.0. */
function faultOfSpecification(certificate: ParsedCertificate): { readonly fault: string } | undefined {
  const specifications = attempt(() => readSpecifications(certificate))
  if (specifications instanceof AttestationError) return { fault: `cannot be read: ${specifications.message}` }
  return specifications.every(({ family }) => family === '2.0') ? undefined : { fault: 'is of a TPM of another family than 2.0' }
}
