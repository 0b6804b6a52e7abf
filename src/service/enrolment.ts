import { join } from 'node:path'
import type { Challenges } from '../access/challenge.ts'
import { loadP256Key } from '../access/key-file.ts'
import { createSeal } from '../access/sealed.ts'
import type { DerivedKeys } from '../access/secrets.ts'
import type { Config } from '../config.ts'
import type { EnrolmentSettings } from '../config/enrolment.ts'
import { listedEks } from '../config/enrolment-files.ts'
import { AK_CA_KEY, createAkAuthority, type AkAuthority } from '../enrolment/authority.ts'
import { createEnrolment, type Enrolment } from '../enrolment/enrolment.ts'
import type { EnrolmentRules } from '../enrolment/rules.ts'
import { withTpmAnchors } from '../verifiers/anchors.ts'
import type { Anchors, Memo } from '../verifiers/verifier.ts'

/** Whom a service enrols, and with what it certifies; undefined where the operator says nothing of enrolment. */
export type Enrolling = { readonly settings: EnrolmentSettings; readonly authority: AkAuthority } | undefined

/** The authority for attestation keys: its key is made on first start unless one is named. Throws a plain error for a file that is none of it. */
export async function enrollingOf({ tpm, mode, akCaKeyFile, dataDir }: Config): Promise<Enrolling> {
  if (tpm.enrolment === undefined) return undefined
  const path = akCaKeyFile ?? join(dataDir, 'ak-ca-key')
  const absent = akCaKeyFile === undefined ? 'create' : 'refuse'
  const key = await loadP256Key({ path, mode, absent, format: AK_CA_KEY })
  return { settings: tpm.enrolment, authority: createAkAuthority(key, mode) }
}

/** The anchors with our own authority, and the list by which its certificates are judged. Throws ConfigError for a list that cannot be read. */
export function withEnrolling(anchors: Anchors, enrolling: Enrolling): Anchors {
  if (enrolling === undefined) return anchors
  const { settings, authority } = enrolling
  return withTpmAnchors(anchors, { ...anchors.tpm, own: [{ spki: authority.spki }], listed: listedEks(settings) })
}

/** The rest that enrolment is made of. */
export type EnrolmentGrounds = {
  readonly config: Pick<Config, 'issuer' | 'mode'>
  readonly keys: DerivedKeys
  readonly challenges: Challenges
  readonly anchors: Anchors
  readonly memo: Memo
  readonly now: () => Date
}

/** Enrolment, where there is any. */
export function enrolmentOf(enrolling: Enrolling, { config, keys, ...grounds }: EnrolmentGrounds): Enrolment | undefined {
  if (enrolling === undefined) return undefined
  const { issuer, mode } = config
  const seal = createSeal({ key: keys.sealed, purpose: 'tpm-enrolment', issuer, mode })
  return createEnrolment({ ...grounds, mode, seal, authority: enrolling.authority, rules: rulesOf(enrolling.settings) })
}

const rulesOf = (settings: EnrolmentSettings): EnrolmentRules => ({
  ek: {
    skewSeconds: settings.skewSeconds,
    revocation: settings.revocation,
    crlGraceSeconds: settings.crlGraceSeconds,
    softwareTpm: settings.softwareTpm,
    expiredCertificate: settings.expiredEkCertificate,
  },
  others: settings.others,
  certificateLifetimeSeconds: settings.certificateLifetimeSeconds,
})
