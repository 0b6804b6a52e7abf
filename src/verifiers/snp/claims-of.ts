import { hexOf } from '../der-values.ts'
import type { SnpClaims, SnpProduct } from './claims.ts'
import { isZero } from '../checks.ts'
import { hwidBytes } from './products.ts'
import type { Report } from './report.ts'
import type { Tcbs } from './structure-identity.ts'
import type { Vek } from './vek.ts'

/** Lower-case hex. */
export const hex = hexOf

/** `0x` and 16 hex digits. */
export const hex64 = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`

const bit = (value: bigint, index: number): boolean => ((value >> BigInt(index)) & 1n) === 1n

/** POLICY by bits (specification snp.md section 1.1). */
export const policyOf = (value: bigint): SnpClaims['policy'] => ({
  value: hex64(value),
  abi_major: Number((value >> 8n) & 0xffn),
  abi_minor: Number(value & 0xffn),
  smt_allowed: bit(value, 16),
  migrate_ma_allowed: bit(value, 18),
  debug_allowed: bit(value, 19),
  single_socket: bit(value, 20),
  cxl_allowed: bit(value, 21),
  mem_aes_256_xts: bit(value, 22),
  rapl_dis: bit(value, 23),
  ciphertext_hiding: bit(value, 24),
  page_swap_disable: bit(value, 25),
})

/** Bits 0 to 5 and 7 of PLATFORM_INFO have a name (specification snp.md section 1.2). */
const NAMED_PLATFORM_BITS = 0xbfn

/** PLATFORM_INFO by bits (specification snp.md section 1.2). */
export const platformInfoOf = (value: bigint): SnpClaims['platform_info'] => ({
  value: hex64(value),
  smt_enabled: bit(value, 0),
  tsme_enabled: bit(value, 1),
  ecc_enabled: bit(value, 2),
  rapl_disabled: bit(value, 3),
  ciphertext_hiding_enabled: bit(value, 4),
  alias_check_complete: bit(value, 5),
  tio_enabled: bit(value, 7),
  unknown_bits: `0x${(value & ~NAMED_PLATFORM_BITS).toString(16)}`,
})

/** CHIP_ID as claims have it: the significant bytes, null when masked (all zero; specification snp.md section 7). */
export const chipIdOf = (product: SnpProduct, chipId: Uint8Array): string | null =>
  isZero(chipId) ? null : hex(chipId.subarray(0, hwidBytes(product)))

const vekOf = (vek: Vek): SnpClaims['vek'] => ({
  kind: vek.kind,
  product_name: vek.productName,
  spki_sha256: vek.spkiSha256,
  hwid: vek.hwid === undefined ? null : hex(vek.hwid),
  csp_id: vek.cspId ?? null,
  not_before: vek.notBefore.toISOString(),
  not_after: vek.notAfter.toISOString(),
})

const mitVector = (value: bigint | null): string | null => (value === null ? null : hex64(value))

/** All that the claims of a verified report are made from. */
export type ClaimSources = {
  readonly report: Report
  readonly product: SnpProduct
  readonly tcbs: Tcbs
  readonly vek: Vek
  readonly revocation: SnpClaims['revocation']
}

/** The claims of a report that has passed every check of genuineness: every field of section 1, in its order. */
export const claimsOf = ({ report, product, tcbs, vek, revocation }: ClaimSources): SnpClaims => ({
  product,
  version: report.version,
  guest_svn: report.guestSvn,
  policy: policyOf(report.policy),
  family_id: hex(report.familyId),
  image_id: hex(report.imageId),
  vmpl: report.vmpl,
  signature_algo: report.signatureAlgo,
  current_tcb: tcbs.current,
  platform_info: platformInfoOf(report.platformInfo),
  author_key_en: report.authorKeyEn,
  mask_chip_key: report.maskChipKey,
  signing_key: report.signingKey,
  report_data: hex(report.reportData),
  measurement: hex(report.measurement),
  host_data: hex(report.hostData),
  id_key_digest: hex(report.idKeyDigest),
  author_key_digest: hex(report.authorKeyDigest),
  report_id: hex(report.reportId),
  report_id_ma: hex(report.reportIdMa),
  reported_tcb: tcbs.reported,
  cpuid: report.cpuid,
  chip_id: chipIdOf(product, report.chipId),
  committed_tcb: tcbs.committed,
  current_version: report.currentVersion,
  committed_version: report.committedVersion,
  launch_tcb: tcbs.launch,
  launch_mit_vector: mitVector(report.launchMitVector),
  current_mit_vector: mitVector(report.currentMitVector),
  vek: vekOf(vek),
  revocation,
})
