import { describe, expect, it } from 'vitest'
import { judgedUnder } from '../../../test/intel-judged.ts'
import { policyTextFromShorthand } from '../../../test/policy-shorthand.ts'
import { genuine, soundClaims } from '../../../test/snp-claims.ts'
import { toldBy } from '../../../test/told.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { Judgement } from '../appraisal.ts'

type Options = { readonly [option: string]: unknown }

const LENIENT = JSON.parse(policyTextFromShorthand({})) as { snp: Options }

const judged = (options: Options, claims: SnpClaims): Judgement =>
  judgedUnder({ ...LENIENT, snp: { ...LENIENT.snp, ...options } }, genuine(claims))

const told = (options: Options, claims: SnpClaims): string => toldBy(judged(options, claims)).join('\n')

const [a16, a32, a48, a64] = ['aa'.repeat(16), 'aa'.repeat(32), 'aa'.repeat(48), 'aa'.repeat(64)]
const parts = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
/** Every option that asks something. */
const ALL: Options = {
  min_report_version: 4,
  max_report_version: 5,
  allowed_signing_keys: ['vcek', 'vlek'],
  denied_hwids: [a64],
  denied_vek_spki: [a32],
  csp_ids: ['CN=other'],
  require_reported_not_above_committed: true,
  min_tcb: {
    reported: { milan: parts, cpuid: { '19_01': 'any' } },
    committed: { milan: 'any' },
    current: { milan: { snp: 24 } },
    launch: { cpuid: { '19_01': parts } },
  },
  permit_provisional_firmware: false,
  min_api_version: '1.55',
  min_build: 29,
  advisories: { 'amd-sb-3019': 'refuse', 'amd-milan-vcek-seed-extraction': 'refuse' },
  min_launch_mit_vector: '0x3',
  min_current_mit_vector: '0xb',
  require_current_mit_superset_of_launch: true,
  measurements: [soundClaims.measurement],
  host_data: ['bb'.repeat(32)],
  family_id: ['bb'.repeat(16)],
  image_id: ['bb'.repeat(16)],
  report_id: [soundClaims.report_id],
  report_id_ma: ['ff'.repeat(32)],
  min_guest_svn: 3,
  require_id_block: true,
  trusted_id_key_digests: ['bb'.repeat(48)],
  require_author_key: true,
  trusted_author_key_digests: ['bb'.repeat(48)],
  guest_policy: {
    smt: 'deny',
    migrate_ma: 'deny',
    debug: 'deny',
    cxl: 'deny',
    single_socket: 'require',
    mem_aes_256_xts: 'require',
    rapl_dis: 'require',
    ciphertext_hiding: 'require',
    page_swap_disable: 'require',
    min_abi: '1.5',
  },
  policy_values: ['0x3d20105', '0x3d20106'],
  platform_info: {
    smt: 'forbid',
    tsme: 'require',
    ecc: 'require',
    rapl_disabled: 'require',
    ciphertext_hiding: 'require',
    alias_check: 'require',
    tio: 'forbid',
    unknown_bits: 'deny',
  },
  vmpl: [0],
  chip_ids: [soundClaims.vek.hwid],
  migration_agent: 'refuse',
}
/** A guest that has all of it. */
const fine: SnpClaims = {
  ...soundClaims,
  host_data: 'bb'.repeat(32),
  family_id: 'bb'.repeat(16),
  image_id: 'bb'.repeat(16),
  id_key_digest: 'bb'.repeat(48),
  author_key_digest: 'bb'.repeat(48),
  policy: {
    ...soundClaims.policy,
    value: '0x0000000003d20105',
    abi_major: 1,
    abi_minor: 5,
    smt_allowed: false,
    single_socket: true,
    mem_aes_256_xts: true,
    rapl_dis: true,
    ciphertext_hiding: true,
    page_swap_disable: true,
  },
  platform_info: {
    ...soundClaims.platform_info,
    smt_enabled: false,
    tsme_enabled: true,
    rapl_disabled: true,
    ciphertext_hiding_enabled: true,
  },
}
const low = { bootloader: 3, tee: 0, snp: 23, microcode: 218 }
/** One that has none of it. */
const poor: SnpClaims = {
  ...soundClaims,
  version: 3,
  signing_key: 'vlek',
  vek: { ...soundClaims.vek, kind: 'vlek', hwid: null, csp_id: 'CN=cc', spki_sha256: a32 },
  chip_id: a64,
  reported_tcb: low,
  committed_tcb: { ...low, snp: 22 },
  current_tcb: { ...low, microcode: 1 },
  launch_tcb: { ...low, snp: 20 },
  current_version: '1.55.28',
  committed_version: '1.54.1',
  launch_mit_vector: '0x4',
  current_mit_vector: '0x3',
  measurement: a48,
  host_data: a32,
  family_id: a16,
  image_id: a16,
  report_id: a32,
  report_id_ma: a32,
  guest_svn: 2,
  policy: { ...soundClaims.policy, value: '0x3', migrate_ma_allowed: true, debug_allowed: true, cxl_allowed: true },
  platform_info: { ...soundClaims.platform_info, ecc_enabled: false, alias_check_complete: false, tio_enabled: true, unknown_bits: '0x40' },
  vmpl: 1,
}

describe('what answers tell', () => {
  it('tell what was found where the policy does not ask', () => {
    expect(told({}, soundClaims)).toBe(`SNP-02 pass snp.min_report_version: 5 | at least 2
SNP-02 pass snp.max_report_version: 5 | at most 5
SNP-24 pass snp.allowed_signing_keys: vcek | one of vcek, vlek
SNP-37 skip snp.denied_hwids: 06*64
SNP-37 skip snp.denied_vek_spki: 5e*32
SNP-45 skip snp.csp_ids: none
SNP-51 pass : bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-51 pass : bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-52 pass snp.require_reported_not_above_committed: bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-53 skip snp.min_tcb.reported: bootloader 4, tee 0, snp 24, microcode 219
SNP-53 skip snp.min_tcb.committed: bootloader 4, tee 0, snp 24, microcode 219
SNP-53 skip snp.min_tcb.current: bootloader 4, tee 0, snp 24, microcode 219
SNP-53 skip snp.min_tcb.launch: bootloader 4, tee 0, snp 24, microcode 219
SNP-54 skip snp.permit_provisional_firmware: 1.55.29 (bootloader 4, tee 0, snp 24, microcode 219)
SNP-55 skip snp.min_api_version: 1.55.29
SNP-56 skip snp.advisories.amd-sb-3019: does not apply
SNP-56 skip snp.advisories.amd-milan-vcek-seed-extraction: applies: Milan, vcek
SNP-57 skip snp.min_launch_mit_vector: 0x3
SNP-57 skip snp.min_current_mit_vector: 0xb
SNP-57 skip snp.require_current_mit_superset_of_launch: 0xb
SNP-63 skip snp.measurements: b6*48
SNP-64 skip snp.host_data: 00*32
SNP-65 skip snp.family_id: 00*16
SNP-65 skip snp.image_id: 00*16
SNP-65 skip snp.report_id: cc*32
SNP-65 skip snp.report_id_ma: ff*32
SNP-65 skip snp.min_guest_svn: 3
SNP-66 skip snp.require_id_block: 00*48
SNP-66 skip snp.trusted_id_key_digests: 00*48
SNP-66 skip snp.require_author_key: 00*48
SNP-66 skip snp.trusted_author_key_digests: 00*48
SNP-67 skip snp.guest_policy.smt: allowed
SNP-67 skip snp.guest_policy.migrate_ma: not allowed
SNP-67 skip snp.guest_policy.debug: not allowed
SNP-67 skip snp.guest_policy.cxl: not allowed
SNP-67 skip snp.guest_policy.single_socket: not required
SNP-67 skip snp.guest_policy.mem_aes_256_xts: not required
SNP-67 skip snp.guest_policy.rapl_dis: not required
SNP-67 skip snp.guest_policy.ciphertext_hiding: not required
SNP-67 skip snp.guest_policy.page_swap_disable: not required
SNP-67 skip snp.guest_policy.min_abi: 0.0
SNP-67 skip snp.policy_values: 0x0000000000030000
SNP-68 skip snp.platform_info.smt: set
SNP-68 skip snp.platform_info.tsme: clear
SNP-68 skip snp.platform_info.ecc: set
SNP-68 skip snp.platform_info.rapl_disabled: clear
SNP-68 skip snp.platform_info.ciphertext_hiding: clear
SNP-68 skip snp.platform_info.alias_check: set
SNP-68 skip snp.platform_info.tio: clear
SNP-68 skip snp.platform_info.unknown_bits: 0x0
SNP-69 pass snp.vmpl: 0 | one of 0, 1, 2, 3
SNP-70 skip snp.chip_ids: 06*64
SNP-77 skip snp.migration_agent: ff*32`)
  })

  it('tell what was asked where it is there', () => {
    expect(told(ALL, fine)).toBe(`SNP-02 pass snp.min_report_version: 5 | at least 4
SNP-02 pass snp.max_report_version: 5 | at most 5
SNP-24 pass snp.allowed_signing_keys: vcek | one of vcek, vlek
SNP-37 pass snp.denied_hwids: 06*64 | not aa*64
SNP-37 pass snp.denied_vek_spki: 5e*32 | not aa*32
SNP-45 skip snp.csp_ids: none
SNP-51 pass : bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-51 pass : bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-52 pass snp.require_reported_not_above_committed: bootloader 4, tee 0, snp 24, microcode 219 | at most bootloader 4, tee 0, snp 24, microcode 219
SNP-53 pass snp.min_tcb.reported: bootloader 4, tee 0, snp 24, microcode 219 | at least bootloader 4, tee 0, snp 24, microcode 219 and any
SNP-53 pass snp.min_tcb.committed: bootloader 4, tee 0, snp 24, microcode 219 | any
SNP-53 pass snp.min_tcb.current: bootloader 4, tee 0, snp 24, microcode 219 | at least snp 24
SNP-53 pass snp.min_tcb.launch: bootloader 4, tee 0, snp 24, microcode 219 | at least bootloader 4, tee 0, snp 24, microcode 219
SNP-54 pass snp.permit_provisional_firmware: 1.55.29 (bootloader 4, tee 0, snp 24, microcode 219) | 1.55.29 (bootloader 4, tee 0, snp 24, microcode 219)
SNP-55 pass snp.min_api_version: 1.55.29 | at least 1.55.29
SNP-56 pass snp.advisories.amd-sb-3019: Milan, vcek, reported_tcb.snp 24, committed_tcb.snp 24, launch_tcb.snp 24 | snp at least 24 in reported_tcb, committed_tcb, launch_tcb
SNP-56 pass snp.advisories.amd-milan-vcek-seed-extraction: Milan, vcek | another product, a VLEK, or a list of chips in the policy
SNP-57 pass snp.min_launch_mit_vector: 0x3 | all bits of 0x3
SNP-57 pass snp.min_current_mit_vector: 0xb | all bits of 0xb
SNP-57 pass snp.require_current_mit_superset_of_launch: 0xb | all bits of 0x3
SNP-63 pass snp.measurements: b6*48 | b6*48
SNP-64 pass snp.host_data: bb*32 | bb*32
SNP-65 pass snp.family_id: bb*16 | bb*16
SNP-65 pass snp.image_id: bb*16 | bb*16
SNP-65 pass snp.report_id: cc*32 | cc*32
SNP-65 pass snp.report_id_ma: ff*32 | ff*32
SNP-65 pass snp.min_guest_svn: 3 | at least 3
SNP-66 pass snp.require_id_block: bb*48 | a digest other than zero
SNP-66 pass snp.trusted_id_key_digests: bb*48 | bb*48
SNP-66 pass snp.require_author_key: bb*48 | a digest other than zero
SNP-66 pass snp.trusted_author_key_digests: bb*48 | bb*48
SNP-67 pass snp.guest_policy.smt: not allowed | not allowed
SNP-67 pass snp.guest_policy.migrate_ma: not allowed | not allowed
SNP-67 pass snp.guest_policy.debug: not allowed | not allowed
SNP-67 pass snp.guest_policy.cxl: not allowed | not allowed
SNP-67 pass snp.guest_policy.single_socket: required | required
SNP-67 pass snp.guest_policy.mem_aes_256_xts: required | required
SNP-67 pass snp.guest_policy.rapl_dis: required | required
SNP-67 pass snp.guest_policy.ciphertext_hiding: required | required
SNP-67 pass snp.guest_policy.page_swap_disable: required | required
SNP-67 pass snp.guest_policy.min_abi: 1.5 | at least 1.5
SNP-67 pass snp.policy_values: 0x0000000003d20105 | one of 0x0000000003d20105, 0x0000000003d20106
SNP-68 pass snp.platform_info.smt: clear | clear
SNP-68 pass snp.platform_info.tsme: set | set
SNP-68 pass snp.platform_info.ecc: set | set
SNP-68 pass snp.platform_info.rapl_disabled: set | set
SNP-68 pass snp.platform_info.ciphertext_hiding: set | set
SNP-68 pass snp.platform_info.alias_check: set | set
SNP-68 pass snp.platform_info.tio: clear | clear
SNP-68 pass snp.platform_info.unknown_bits: 0x0 | 0x0
SNP-69 pass snp.vmpl: 0 | 0
SNP-70 pass snp.chip_ids: 06*64 | 06*64
SNP-77 pass snp.migration_agent: ff*32 | ff*32`)
  })

  it('tell what was found, and what it should be, where it is not there', () => {
    expect(told(ALL, poor)).toBe(`SNP-02 fail snp.min_report_version: 3 | at least 4
SNP-02 pass snp.max_report_version: 3 | at most 5
SNP-24 pass snp.allowed_signing_keys: vlek | one of vcek, vlek
SNP-37 fail snp.denied_hwids: aa*64 | not aa*64
SNP-37 fail snp.denied_vek_spki: aa*32 | not aa*32
SNP-45 fail snp.csp_ids: CN=cc | CN=other
SNP-51 fail : bootloader 3, tee 0, snp 23, microcode 218 | at most bootloader 3, tee 0, snp 23, microcode 1
SNP-51 fail : bootloader 3, tee 0, snp 22, microcode 218 | at most bootloader 3, tee 0, snp 23, microcode 1
SNP-52 fail snp.require_reported_not_above_committed: bootloader 3, tee 0, snp 23, microcode 218 | at most bootloader 3, tee 0, snp 22, microcode 218
SNP-53 fail snp.min_tcb.reported.milan: bootloader 3, tee 0, snp 23, microcode 218 | at least bootloader 4, tee 0, snp 24, microcode 219 and any
SNP-53 pass snp.min_tcb.committed: bootloader 3, tee 0, snp 22, microcode 218 | any
SNP-53 fail snp.min_tcb.current.milan.snp: bootloader 3, tee 0, snp 23, microcode 1 | at least snp 24
SNP-53 fail snp.min_tcb.launch.cpuid.19_01: bootloader 3, tee 0, snp 20, microcode 218 | at least bootloader 4, tee 0, snp 24, microcode 219
SNP-54 fail snp.permit_provisional_firmware: 1.55.28 (bootloader 3, tee 0, snp 23, microcode 1) | 1.54.1 (bootloader 3, tee 0, snp 22, microcode 218)
SNP-55 fail snp.min_api_version: 1.55.28 | at least 1.55.29
SNP-56 fail snp.advisories.amd-sb-3019: Milan, vlek, reported_tcb.snp 23, committed_tcb.snp 22, launch_tcb.snp 20 | snp at least 24 in reported_tcb, committed_tcb, launch_tcb
SNP-56 pass snp.advisories.amd-milan-vcek-seed-extraction: Milan, vlek | another product, a VLEK, or a list of chips in the policy
SNP-57 fail snp.min_launch_mit_vector: 0x0 | all bits of 0x3
SNP-57 fail snp.min_current_mit_vector: 0x0 | all bits of 0xb
SNP-57 pass snp.require_current_mit_superset_of_launch: 0x0 | all bits of 0x0
SNP-63 fail snp.measurements: aa*48 | b6*48
SNP-64 fail snp.host_data: aa*32 | bb*32
SNP-65 fail snp.family_id: aa*16 | bb*16
SNP-65 fail snp.image_id: aa*16 | bb*16
SNP-65 fail snp.report_id: aa*32 | cc*32
SNP-65 fail snp.report_id_ma: aa*32 | ff*32
SNP-65 fail snp.min_guest_svn: 2 | at least 3
SNP-66 fail snp.require_id_block: 00*48 | a digest other than zero
SNP-66 fail snp.trusted_id_key_digests: 00*48 | bb*48
SNP-66 fail snp.require_author_key: 00*48 | a digest other than zero
SNP-66 fail snp.trusted_author_key_digests: 00*48 | bb*48
SNP-67 fail snp.guest_policy.smt: allowed | not allowed
SNP-67 fail snp.guest_policy.migrate_ma: allowed | not allowed
SNP-67 fail snp.guest_policy.debug: allowed | not allowed
SNP-67 fail snp.guest_policy.cxl: allowed | not allowed
SNP-67 fail snp.guest_policy.single_socket: not required | required
SNP-67 fail snp.guest_policy.mem_aes_256_xts: not required | required
SNP-67 fail snp.guest_policy.rapl_dis: not required | required
SNP-67 fail snp.guest_policy.ciphertext_hiding: not required | required
SNP-67 fail snp.guest_policy.page_swap_disable: not required | required
SNP-67 fail snp.guest_policy.min_abi: 0.0 | at least 1.5
SNP-67 fail snp.policy_values: 0x3 | one of 0x0000000003d20105, 0x0000000003d20106
SNP-68 fail snp.platform_info.smt: set | clear
SNP-68 fail snp.platform_info.tsme: clear | set
SNP-68 fail snp.platform_info.ecc: clear | set
SNP-68 fail snp.platform_info.rapl_disabled: clear | set
SNP-68 fail snp.platform_info.ciphertext_hiding: clear | set
SNP-68 fail snp.platform_info.alias_check: clear | set
SNP-68 fail snp.platform_info.tio: set | clear
SNP-68 fail snp.platform_info.unknown_bits: 0x40 | 0x0
SNP-69 fail snp.vmpl: 1 | 0
SNP-70 fail snp.chip_ids: none | 06*64
SNP-77 fail snp.migration_agent: aa*32 | ff*32`)
  })
})
