import { z } from 'zod'
import { integer, path } from './schemas.ts'

/** Any TPM that is genuine may be enrolled by anybody: the weakening, by its name. */
export const ANY_TPM = 'DANGEROUSLY_ANY_GENUINE_TPM'

/** An endorsement key by the SHA-256 of its SubjectPublicKeyInfo, or every one that an authority certified: a PEM file, or the SHA-256 of its DER. */
export type ListedEk = { readonly spkiSha256: string } | { readonly authority: string }

/** Whom Assay enrols, and what its certificates for attestation keys are like. */
export type EnrolmentSettings = {
  readonly listed: readonly ListedEk[]
  /** What becomes of genuine TPMs that nobody listed and for which no caller with role enroller vouches. */
  readonly others: 'refuse' | typeof ANY_TPM
  readonly certificateLifetimeSeconds: number
  readonly softwareTpm: 'refuse' | 'allow'
  readonly expiredEkCertificate: 'refuse' | 'allow'
  readonly revocation: 'require' | 'prefer' | 'DANGEROUSLY_OFF'
  readonly crlGraceSeconds: number
  /** Tolerance for clocks towards EK certificates. */
  readonly skewSeconds: number
}

/** More than any fleet of one service; a text of ten megabytes. */
const MOST_EKS = 100_000

const DIGEST = /^[0-9a-f]{64}$/
/** Whether a text is a SHA-256 in lower-case hex, and so no path. */
export const isDigest = (text: string): boolean => DIGEST.test(text)

const entry = z.union(
  [z.literal(ANY_TPM), z.string().regex(DIGEST), z.strictObject({ authority: path })],
  `the SHA-256 of an EK's public key (64 digits), {authority: FILE or SHA-256}, or ${ANY_TPM}`,
)

/** `tpm.enrolment` as it is written. */
export const enrolmentMembers = z.strictObject({
  ek: z.union([z.literal(ANY_TPM).transform((): z.output<typeof entry>[] => [ANY_TPM]), z.array(entry).max(MOST_EKS)]).default([]),
  certificate_lifetime_seconds: integer(300, 30 * 86_400).default(86_400),
  software_tpm: z.enum(['refuse', 'allow']).default('refuse'),
  expired_ek_certificate: z.enum(['refuse', 'allow']).default('refuse'),
  crl: z.enum(['require', 'prefer', 'DANGEROUSLY_OFF']).default('require'),
  crl_grace_seconds: integer(0, 30 * 86_400).default(0),
  clock_skew_seconds: integer(0, 300).default(0),
})

/** The settings of enrolment; undefined where the operator says nothing of it: nobody is enrolled then. */
export function enrolmentOf(row: z.output<typeof enrolmentMembers> | undefined): EnrolmentSettings | undefined {
  if (row === undefined) return undefined
  return {
    listed: row.ek.flatMap((one) => (one === ANY_TPM ? [] : [typeof one === 'string' ? { spkiSha256: one } : one])),
    others: row.ek.includes(ANY_TPM) ? ANY_TPM : 'refuse',
    certificateLifetimeSeconds: row.certificate_lifetime_seconds,
    softwareTpm: row.software_tpm,
    expiredEkCertificate: row.expired_ek_certificate,
    revocation: row.crl,
    crlGraceSeconds: row.crl_grace_seconds,
    skewSeconds: row.clock_skew_seconds,
  }
}

/** The same as it is written in a file. */
export const printEnrolment = (settings: EnrolmentSettings): z.input<typeof enrolmentMembers> => ({
  ek: [
    ...(settings.others === ANY_TPM ? [ANY_TPM] : []),
    ...settings.listed.map((one) => ('authority' in one ? { authority: one.authority } : one.spkiSha256)),
  ],
  certificate_lifetime_seconds: settings.certificateLifetimeSeconds,
  software_tpm: settings.softwareTpm,
  expired_ek_certificate: settings.expiredEkCertificate,
  crl: settings.revocation,
  crl_grace_seconds: settings.crlGraceSeconds,
  clock_skew_seconds: settings.skewSeconds,
})
