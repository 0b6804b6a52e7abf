import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'
import { unlessZero, type Detail } from './detail.ts'

/**
 * What relying parties match, by the names of the appraisal. Left to the appraisal: what names the chip (CHIP_ID, hwID, the certificate's
 * key) or the guest (REPORT_ID), which `host_id` and `sub` replace, and REPORT_DATA, which says no more than the nonce and `cnf`.
 */
export function leanSnp(snp: SnpClaims, item: ItemAppraisal, detail: Detail): object {
  return {
    product: snp.product,
    version: snp.version,
    guest_svn: snp.guest_svn,
    vmpl: snp.vmpl,
    measurement: snp.measurement,
    host_data: snp.host_data,
    ...STATES[detail](snp),
    reported_tcb: snp.reported_tcb,
    signing_key: snp.signing_key,
    revocation: snp.revocation,
    advisories: item.advisories.filter(({ applies }) => applies).map(({ id }) => id),
    ...(detail === 'all' || detail === 'most' ? idBlock(snp) : {}),
  }
}

/** Every bit of guest and platform, and the firmware besides REPORTED_TCB. */
const fullState = (snp: SnpClaims): object => ({
  policy: snp.policy,
  platform_info: snp.platform_info,
  current_tcb: snp.current_tcb,
  committed_tcb: snp.committed_tcb,
  launch_tcb: snp.launch_tcb,
  current_version: snp.current_version,
  committed_version: snp.committed_version,
  launch_mit_vector: snp.launch_mit_vector ?? undefined,
  current_mit_vector: snp.current_mit_vector ?? undefined,
})

/** The bits that relying parties ask for most; `value` holds them all. */
const briefState = ({ policy, platform_info: platform }: SnpClaims): object => ({
  policy: {
    value: policy.value,
    debug_allowed: policy.debug_allowed,
    migrate_ma_allowed: policy.migrate_ma_allowed,
    smt_allowed: policy.smt_allowed,
  },
  platform_info: { value: platform.value, smt_enabled: platform.smt_enabled, alias_check_complete: platform.alias_check_complete },
})

/** The fields alone. */
const bareState = ({ policy, platform_info: platform }: SnpClaims): object => ({
  policy: { value: policy.value },
  platform_info: { value: platform.value },
})

const STATES = { all: fullState, most: briefState, least: bareState, bare: bareState } as const satisfies Record<
  Detail,
  (snp: SnpClaims) => object
>

/** What the guest's owner put into the ID block, absent where there was none, and the provider that a VLEK names. */
const idBlock = (snp: SnpClaims): object => ({
  family_id: unlessZero(snp.family_id),
  image_id: unlessZero(snp.image_id),
  id_key_digest: unlessZero(snp.id_key_digest),
  author_key_digest: unlessZero(snp.author_key_digest),
  csp_id: snp.vek.csp_id ?? undefined,
})
