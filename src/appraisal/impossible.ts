import type { AppraisalPolicy } from './policy.ts'
import { impossibleAttributes, impossibleFeatures, impossibleGuestPolicies } from './impossible-bits.ts'

/** A rule that no evidence could pass, or that contradicts another. */
export type Contradiction = { readonly path: readonly (string | number)[]; readonly message: string }

type Row = {
  readonly path: readonly string[]
  readonly message: string
  readonly holds: (document: AppraisalPolicy) => boolean
}

const within = (list: readonly string[] | undefined, others: readonly string[] | undefined): boolean =>
  list !== undefined && others !== undefined && list.every((value) => others.includes(value))

const shared = (list: readonly string[] | undefined, others: readonly string[] | undefined): boolean =>
  list !== undefined && others !== undefined && list.some((value) => others.includes(value))

/** REPORT_ID_MA of every guest without a migration agent (specification snp.md section 1). */
const NO_AGENT = 'ff'.repeat(32)

const needsVectors = (bits: string | undefined, newest: number): boolean => bits !== undefined && BigInt(bits) !== 0n && newest < 5

const ROWS: readonly Row[] = [
  {
    path: ['snp', 'chip_ids'],
    message: 'every chip of the list is denied by denied_hwids',
    holds: ({ snp }) => within(snp.chip_ids, snp.denied_hwids),
  },
  {
    path: ['snp', 'chip_ids'],
    message: 'needs `vcek` among allowed_signing_keys: a VLEK names no chip',
    holds: ({ snp }) => snp.chip_ids !== undefined && !snp.allowed_signing_keys.includes('vcek'),
  },
  {
    path: ['snp', 'csp_ids'],
    message: 'needs `vlek` among allowed_signing_keys: a VCEK names no provider',
    holds: ({ snp }) => snp.csp_ids !== undefined && !snp.allowed_signing_keys.includes('vlek'),
  },
  {
    path: ['snp', 'report_id_ma'],
    message: 'needs `migration_agent: allow`, or the value of guests without one (all ff)',
    holds: ({ snp }) => snp.migration_agent === 'refuse' && snp.report_id_ma?.includes(NO_AGENT) === false,
  },
  {
    path: ['snp', 'min_launch_mit_vector'],
    message: 'needs `max_report_version: 5`: older reports hold no such vector',
    holds: ({ snp }) => needsVectors(snp.min_launch_mit_vector, snp.max_report_version),
  },
  {
    path: ['snp', 'min_current_mit_vector'],
    message: 'needs `max_report_version: 5`: older reports hold no such vector',
    holds: ({ snp }) => needsVectors(snp.min_current_mit_vector, snp.max_report_version),
  },
  {
    path: ['tdx', 'accepted_advisories'],
    message: 'an advisory is listed here and in denied_advisories',
    holds: ({ tdx }) => shared(tdx.accepted_advisories, tdx.denied_advisories),
  },
  {
    path: ['tpm', 'banks'],
    message: 'pcrs lists no values of one of these banks: a host that quotes it is always refused',
    holds: (document) => banksApart(document),
  },
  {
    path: ['tpm', 'enrolled_aks'],
    message: 'every key of the list is denied by denied_aks',
    holds: ({ tpm }) => within(tpm.enrolled_aks, tpm.denied_aks),
  },
  {
    path: ['tpm', 'ek', 'allowed'],
    message: 'every endorsement key of the list is denied',
    holds: ({ tpm }) => within(tpm.ek.allowed, tpm.ek.denied),
  },
  {
    path: ['tpm', 'ek', 'allowed'],
    message: 'needs `ek-activation` among ak_trust: other trust names no endorsement key',
    holds: ({ tpm }) => tpm.ek.allowed !== undefined && !tpm.ak_trust.includes('ek-activation'),
  },
  {
    path: ['tpm', 'ek', 'allowed'],
    message: 'needs ak_trust without `ak-cert`: a certified key names no endorsement key, so the list would not bind it',
    holds: ({ tpm }) => tpm.ek.allowed !== undefined && tpm.ak_trust.includes('ak-cert'),
  },
  {
    path: ['sgx', 'accepted_advisories'],
    message: 'an advisory is listed here and in denied_advisories',
    holds: ({ sgx }) => shared(sgx.accepted_advisories, sgx.denied_advisories),
  },
]

/** Banks that the policy relies on, and banks that its lists are of. */
const banksApart = ({ tpm: { banks, pcrs } }: AppraisalPolicy): boolean =>
  banks !== undefined && pcrs !== undefined && banks.some((bank) => bank === 'DANGEROUSLY_SHA1' || pcrs[bank] === undefined)

/** Rules of a document that could never hold: refused when it is read, because a fleet that is refused as a whole is found too late. */
export const contradictions = (document: AppraisalPolicy): readonly Contradiction[] => [
  ...ROWS.filter(({ holds }) => holds(document)).map(({ path, message }) => ({ path, message })),
  ...impossibleGuestPolicies(document.snp),
  ...impossibleAttributes(document.tdx),
  ...impossibleFeatures(document.tdx),
]
