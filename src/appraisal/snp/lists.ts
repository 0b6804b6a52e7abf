import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { Question } from '../check.ts'
import { answers, judge, notAsked, oneOf } from '../check.ts'
import { isListed } from '../listed.ts'
import type { SnpCase, SnpRule } from './rule.ts'

const MEASURED = { id: 'SNP-63', title: 'MEASUREMENT is on the policy’s list', origin: 'policy', rule: 'snp.measurements' } as const

/** SNP-63. Without a list nothing is accepted: a genuine report of an unknown program proves nothing. */
export const measurement: SnpRule = ({ claims, policy }) => {
  const question: Question = { ...MEASURED, code: 'snp-measurement-mismatch' }
  const listed = policy.measurements
  if (listed === 'DANGEROUSLY_ACCEPT_ANY') return [notAsked(question, claims.measurement)]
  if (listed === undefined)
    return [
      judge({ ...MEASURED, code: 'snp-measurement-policy-missing' }, false, {
        actual: claims.measurement,
        expected: 'a list of measurements in the policy',
      }),
    ]
  return [judge(question, isListed(listed, claims.measurement), { actual: claims.measurement, expected: oneOf(listed) })]
}

type ListedField = 'host_data' | 'family_id' | 'image_id' | 'report_id' | 'report_id_ma'
type Listed = { readonly field: ListedField; readonly question: Question }

/** SNP-64 and SNP-65: fields that are compared with a list as they stand. */
const FIELDS: readonly Listed[] = [
  { field: 'host_data', question: onList('SNP-64', 'host_data', 'snp-host-data-mismatch') },
  { field: 'family_id', question: onList('SNP-65', 'family_id', 'snp-family-id-mismatch') },
  { field: 'image_id', question: onList('SNP-65', 'image_id', 'snp-image-id-mismatch') },
  { field: 'report_id', question: onList('SNP-65', 'report_id', 'snp-report-id-mismatch') },
  { field: 'report_id_ma', question: onList('SNP-65', 'report_id_ma', 'snp-report-id-ma-mismatch') },
]

function onList(id: string, field: ListedField, code: ProblemCode): Question {
  return { id, title: `${field.toUpperCase()} is on the policy’s list`, code, origin: 'policy', rule: `snp.${field}` }
}

/** SNP-64, SNP-65. */
export const listedFields: SnpRule = (subject) => answers(FIELDS, subject, onItsList)

function onItsList({ field, question }: Listed, { claims, policy }: SnpCase): Check {
  const [actual, accepted] = [claims[field], policy[field]]
  if (accepted === undefined) return notAsked(question, actual)
  return judge(question, accepted.includes(actual), { actual, expected: oneOf(accepted) })
}

const SVN: Question = {
  id: 'SNP-65',
  title: 'GUEST_SVN reaches the policy’s minimum',
  code: 'snp-guest-svn-too-low',
  origin: 'policy',
  rule: 'snp.min_guest_svn',
}

/** minGuestSvn of section 9. It comes from the ID block, so it means something only beside a trusted ID or author key (section 13). */
export const guestSvn: SnpRule = ({ claims, policy }) => {
  const [actual, least] = [claims.guest_svn, policy.min_guest_svn]
  if (least === undefined) return [notAsked(SVN, `${actual}`)]
  return [judge(SVN, actual >= least, { actual: `${actual}`, expected: `at least ${least}` })]
}

const VMPL: Question = {
  id: 'SNP-69',
  title: 'VMPL is on the policy’s list',
  code: 'snp-vmpl-mismatch',
  origin: 'policy',
  rule: 'snp.vmpl',
}

/** SNP-69. Sets, not minima: software at level 0 may ask for a report of a higher level, too (section 14). */
export const vmpl: SnpRule = ({ claims, policy }) => [
  judge(VMPL, policy.vmpl.includes(claims.vmpl), { actual: `${claims.vmpl}`, expected: oneOf(policy.vmpl) }),
]

const AGENT: Question = {
  id: 'SNP-77',
  title: 'No migration agent is bound to the guest',
  code: 'snp-migration-agent-present',
  origin: 'policy',
  rule: 'snp.migration_agent',
}
/** REPORT_ID_MA of every guest without a migration agent (section 1). */
const NO_AGENT = 'ff'.repeat(32)

/** SNP-77. */
export const migrationAgent: SnpRule = ({ claims, policy }) =>
  policy.migration_agent === 'allow'
    ? [notAsked(AGENT, claims.report_id_ma)]
    : [judge(AGENT, claims.report_id_ma === NO_AGENT, { actual: claims.report_id_ma, expected: NO_AGENT })]

const CHIP = { id: 'SNP-70', title: 'The chip is on the policy’s list', origin: 'policy', rule: 'snp.chip_ids' } as const

/** SNP-70. Only a VCEK names a chip (section 7): its hwid equals CHIP_ID, and stands in for one that the host masks. */
export const chipList: SnpRule = ({ claims, policy }) => {
  const hwid = claims.vek.hwid
  const question: Question = { ...CHIP, code: hwid === null ? 'snp-chip-id-unavailable' : 'snp-chip-id-mismatch' }
  if (policy.chip_ids === undefined) return [notAsked(question, hwid ?? 'none')]
  const known = hwid !== null && policy.chip_ids.includes(hwid)
  return [judge(question, known, { actual: hwid ?? 'none', expected: oneOf(policy.chip_ids) })]
}

const DENIED = { id: 'SNP-37', title: 'The policy does not deny the chip', origin: 'policy', rule: 'snp.denied_hwids' } as const

/** SNP-37 by chip. A VLEK report may name its chip in CHIP_ID; one that names none cannot be shown to be another than the denied ones. */
export const deniedChips: SnpRule = ({ claims, policy }) => {
  const chip = chipOf(claims)
  const question: Question = { ...DENIED, code: chip === null ? 'snp-chip-id-unavailable' : 'snp-vek-denied' }
  if (policy.denied_hwids === undefined) return [notAsked(question, chip ?? 'none')]
  const cleared = chip !== null && !policy.denied_hwids.includes(chip)
  return [judge(question, cleared, { actual: chip ?? 'none', expected: `not ${oneOf(policy.denied_hwids)}` })]
}

const chipOf = ({ vek, chip_id }: SnpClaims): string | null => vek.hwid ?? chip_id

const DENIED_KEY: Question = {
  id: 'SNP-37',
  title: 'The policy does not deny the endorsement key',
  code: 'snp-vek-denied',
  origin: 'policy',
  rule: 'snp.denied_vek_spki',
}

/** SNP-37 by SHA-256 of the key: certificates are issued anew for the same key (section 6.1). */
export const deniedKeys = ({ claims, policy }: SnpCase): readonly Check[] => {
  const [actual, denied] = [claims.vek.spki_sha256, policy.denied_vek_spki]
  if (denied === undefined) return [notAsked(DENIED_KEY, actual)]
  return [judge(DENIED_KEY, !denied.includes(actual), { actual, expected: `not ${oneOf(denied)}` })]
}
