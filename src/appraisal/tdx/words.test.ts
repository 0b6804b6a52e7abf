import { describe, expect, it } from 'vitest'
import { eventLog, platform } from '../../../test/intel-claims.ts'
import { soundTdx, type Options } from '../../../test/intel-judged.ts'
import { PLATFORM, TCB, poorPlatform, poorTcb } from '../../../test/intel-poor.ts'
import { a48, b48, is, judged, zero48 } from '../../../test/tdx-judged.ts'
import { toldBy } from '../../../test/told.ts'
import type { TdxClaims } from '../../verifiers/tdx/claims.ts'

const told = (options: Options, claims: TdxClaims): string => toldBy(judged(options, claims)).join('\n')

/** Every option about a TD that asks something. */
const ALL: Options = {
  ...TCB,
  mr_td: [soundTdx.mr_td],
  rtmr0: [soundTdx.rtmr0],
  rtmr1: [soundTdx.rtmr1],
  rtmr2: [soundTdx.rtmr2, a48],
  rtmr3: [soundTdx.rtmr3],
  mr_seam: [soundTdx.mr_seam],
  module_majors: [1, 3],
  mr_config_id: [soundTdx.mr_config_id],
  initdata: 'require',
  mr_owner: [soundTdx.mr_owner],
  mr_owner_config: [soundTdx.mr_owner_config],
  mr_service_td: [b48],
  td_attributes: {
    values: ['0x10000000'],
    debug: 'deny',
    other_tud_bits: 'deny',
    icssd: 'deny',
    servtd_ext: 'deny',
    lass: 'deny',
    sept_ve_disable: 'require',
    migratable: 'deny',
    pks: 'deny',
    kl: 'deny',
    tpa: 'deny',
    perfmon: 'deny',
    reserved_bits: 'deny',
  },
  xfam: { values: ['0x602e7'], ignored: '0x18000', allowed: '0x602e7', required: '0x2e7' },
  min_tee_tcb_svn: '0b010400000000000000000000000000',
  tee_tcb_svn2_regression: 'refuse',
  platform: PLATFORM,
  event_log: { ccel: 'require', dstack: 'require', replayed_rtmrs: [0, 1, 2, 3], secure_boot: 'require' },
}

/** A TD that has all of it. */
const fine = is({ mr_service_td: b48, platform: { ...platform, smt_enabled: false } })

/** One that has none of it. */
const poor = is({
  tcb: poorTcb,
  platform: poorPlatform,
  qe: { ...soundTdx.qe, isv_svn: 3 },
  tee_tcb_svn: '0a020400000000000000000000000000',
  tee_tcb_svn2: '09020400000000000000000000000000',
  td_attributes: {
    ...soundTdx.td_attributes,
    value: 'ffffffffffffff3f',
    sept_ve_disable: false,
    icssd: true,
    servtd_ext: true,
    lass: true,
    migratable: true,
    pks: true,
    kl: true,
    tpa: true,
    perfmon: true,
  },
  xfam: { value: '3a10020000000000', features: [] },
  mr_td: a48,
  rtmr0: a48,
  rtmr1: a48,
  rtmr2: zero48,
  rtmr3: a48,
  mr_seam: a48,
  mr_config_id: a48,
  mr_owner: a48,
  mr_owner_config: a48,
  mr_service_td: zero48,
  init_servtd_hash: a48,
  event_log: { ...eventLog, source: 'ccel', replayed: [0, 2], facts: { ...eventLog.facts, secure_boot: false } },
  initdata: { sha384: a48, binding: 'none' },
})

describe('what answers tell of a TD', () => {
  it('tell what was found where the policy does not ask', () => {
    expect(told({}, is({ event_log: null, initdata: null, tee_tcb_svn2: null })))
      .toBe(`TDX-61 pass tdx.accepted_tcb_statuses: UpToDate; level of 2025-08-13 | one of UpToDate, SWHardeningNeeded, ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, OutOfDate, OutOfDateConfigurationNeeded, TDRelaunchAdvised, TDRelaunchAdvisedConfigurationNeeded
TDX-62 skip tdx.accepted_tcb_statuses: UpToDate
TDX-63 skip tdx.tee_tcb_svn2_regression: no TEE_TCB_SVN_2 in this report
TDX-64 skip tdx.denied_advisories: none
TDX-64 skip tdx.accepted_advisories: none
TDX-65 skip tdx.min_tcb_date: 2025-08-13T00:00:00Z
TDX-66 skip tdx.min_tcb_evaluation_data_number: TCB info 20, QE identity 19
TDX-67 skip tdx.td_attributes.debug: 0x0
TDX-67 skip tdx.td_attributes.other_tud_bits: 0x0
TDX-68 skip tdx.td_attributes.reserved_bits: 0x0
TDX-69 skip tdx.td_attributes.sept_ve_disable: set
TDX-70 pass tdx.td_attributes.migratable: clear | clear
TDX-71 skip tdx.td_attributes.icssd: clear
TDX-71 pass tdx.td_attributes.servtd_ext: clear | clear
TDX-71 skip tdx.td_attributes.lass: clear
TDX-71 skip tdx.td_attributes.pks: clear
TDX-71 skip tdx.td_attributes.kl: clear
TDX-71 skip tdx.td_attributes.tpa: clear
TDX-71 skip tdx.td_attributes.perfmon: clear
TDX-71 skip tdx.td_attributes.values: 0x10000000
TDX-72 pass : 0x602e7 | all bits of 0x3
TDX-72 pass : 0x602e7 | all bits of 0xe0 or none
TDX-72 pass : 0x602e7 | all bits of 0x1800 or none
TDX-72 pass : 0x602e7 | all bits of 0x60000 or none
TDX-72 pass tdx.xfam.allowed: 0x602e7 | no bit outside 0xffffffffffffffff
TDX-72 skip tdx.xfam.required: 0x602e7
TDX-72 skip tdx.xfam.values: 0x602e7
TDX-73 pass tdx.mr_service_td: none | none
TDX-74 skip tdx.mr_td: 3d*48
TDX-75 skip tdx.rtmr0: e0*48
TDX-75 skip tdx.rtmr1: e1*48
TDX-75 skip tdx.rtmr2: e2*48
TDX-75 skip tdx.rtmr3: e3*48
TDX-76 skip tdx.mr_seam: 5e*48
TDX-76 skip tdx.module_majors: 1
TDX-77 skip tdx.mr_config_id: cf*48
TDX-77 skip tdx.initdata: no document
TDX-78 skip tdx.mr_owner: 0a*48
TDX-78 skip tdx.mr_owner_config: 0c*48
TDX-80 skip tdx.min_tee_tcb_svn: 0b010400000000000000000000000000
TDX-80 skip tdx.platform.min_pcesvn: 13
TDX-80 skip tdx.platform.min_qe_isvsvn: 4
TDX-81 skip tdx.platform.fmspcs: 90c06f000000
TDX-81 skip tdx.platform.ppids: 99*16
TDX-81 skip tdx.platform.platform_instance_ids: 1a*16
TDX-82 skip tdx.platform.min_sgx_type: ScalableWithIntegrity
TDX-82 skip tdx.platform.smt: on
TDX-82 skip tdx.platform.dynamic_platform: on
TDX-82 skip tdx.platform.cached_keys: on
TDX-83 skip tdx.event_log.ccel: no log
TDX-83 skip tdx.event_log.dstack: no log
TDX-84 skip tdx.event_log.replayed_rtmrs: no log
BOOT skip tdx.event_log.secure_boot: not proven`)
  })

  it('tell what was asked where it is there', () => {
    expect(told(ALL, fine)).toBe(`TDX-61 pass tdx.accepted_tcb_statuses: UpToDate; level of 2025-08-13 | one of UpToDate, SWHardeningNeeded
TDX-62 skip tdx.accepted_tcb_statuses: UpToDate
TDX-63 pass tdx.tee_tcb_svn2_regression: 0d010400000000000000000000000000 | at least 0b010400000000000000000000000000
TDX-64 pass tdx.denied_advisories: none | not INTEL-SA-01036
TDX-64 pass tdx.accepted_advisories: none | none but one of INTEL-SA-00837, INTEL-SA-00838
TDX-65 pass tdx.min_tcb_date: 2025-08-13T00:00:00Z | not before 2025-08-13
TDX-66 pass tdx.min_tcb_evaluation_data_number: TCB info 20, QE identity 19 | at least 19
TDX-67 pass tdx.td_attributes.debug: 0x0 | 0x0
TDX-67 pass tdx.td_attributes.other_tud_bits: 0x0 | 0x0
TDX-68 pass tdx.td_attributes.reserved_bits: 0x0 | 0x0
TDX-69 pass tdx.td_attributes.sept_ve_disable: set | set
TDX-70 pass tdx.td_attributes.migratable: clear | clear
TDX-71 pass tdx.td_attributes.icssd: clear | clear
TDX-71 pass tdx.td_attributes.servtd_ext: clear | clear
TDX-71 pass tdx.td_attributes.lass: clear | clear
TDX-71 pass tdx.td_attributes.pks: clear | clear
TDX-71 pass tdx.td_attributes.kl: clear | clear
TDX-71 pass tdx.td_attributes.tpa: clear | clear
TDX-71 pass tdx.td_attributes.perfmon: clear | clear
TDX-71 pass tdx.td_attributes.values: 0x10000000 | 0x0000000010000000
TDX-72 pass : 0x602e7 | all bits of 0x3
TDX-72 pass : 0x602e7 | all bits of 0xe0 or none
TDX-72 pass : 0x602e7 | all bits of 0x1800 or none
TDX-72 pass : 0x602e7 | all bits of 0x60000 or none
TDX-72 pass tdx.xfam.allowed: 0x602e7 | no bit outside 0x602e7
TDX-72 pass tdx.xfam.required: 0x602e7 | all bits of 0x2e7
TDX-72 pass tdx.xfam.values: 0x602e7 | 0x00000000000602e7 in the bits of 0xfffffffffffe7fff
TDX-73 pass tdx.mr_service_td: bb*48 | none but bb*48
TDX-74 pass tdx.mr_td: 3d*48 | 3d*48
TDX-75 pass tdx.rtmr0: e0*48 | e0*48
TDX-75 pass tdx.rtmr1: e1*48 | e1*48
TDX-75 pass tdx.rtmr2: e2*48 | one of e2*48, aa*48
TDX-75 pass tdx.rtmr3: e3*48 | e3*48
TDX-76 pass tdx.mr_seam: 5e*48 | 5e*48
TDX-76 pass tdx.module_majors: 1 | one of 1, 3
TDX-77 pass tdx.mr_config_id: cf*48 | cf*48
TDX-77 pass tdx.initdata: binding sha384 | a document that MRCONFIGID binds
TDX-78 pass tdx.mr_owner: 0a*48 | 0a*48
TDX-78 pass tdx.mr_owner_config: 0c*48 | 0c*48
TDX-80 pass tdx.min_tee_tcb_svn: 0b010400000000000000000000000000 | at least 0b010400000000000000000000000000
TDX-80 pass tdx.platform.min_pcesvn: 13 | at least 13
TDX-80 pass tdx.platform.min_qe_isvsvn: 4 | at least 4
TDX-81 pass tdx.platform.fmspcs: 90c06f000000 | 90c06f000000
TDX-81 pass tdx.platform.ppids: 99*16 | 99*16
TDX-81 pass tdx.platform.platform_instance_ids: 1a*16 | one of 1a*16, aa*16
TDX-82 pass tdx.platform.min_sgx_type: ScalableWithIntegrity | at least ScalableWithIntegrity
TDX-82 pass tdx.platform.smt: off | off
TDX-82 pass tdx.platform.dynamic_platform: on | on
TDX-82 pass tdx.platform.cached_keys: on | on
TDX-83 pass tdx.event_log.ccel: ccel+dstack | ccel
TDX-83 pass tdx.event_log.dstack: ccel+dstack | dstack
TDX-84 pass tdx.event_log.replayed_rtmrs: 0, 1, 2, 3 | 0, 1, 2, 3
BOOT pass tdx.event_log.secure_boot: on | on`)
  })

  it('tell what was found, and what it should be, where it is not there', () => {
    expect(told(ALL, poor))
      .toBe(`TDX-61 fail tdx.accepted_tcb_statuses: OutOfDate; platform OutOfDate, module SWHardeningNeeded, qe UpToDate; at launch OutOfDate, now SWHardeningNeeded; sgx_tcb_components[0] (BIOS, Early Microcode Update): 4, needs 5, pcesvn: 11, needs 13; INTEL-SA-01036, INTEL-SA-01111; level of 2024-03-13, needs 2025-08-13; early: Revoked | one of UpToDate, SWHardeningNeeded
TDX-62 skip tdx.accepted_tcb_statuses: OutOfDate
TDX-63 fail tdx.tee_tcb_svn2_regression: 09020400000000000000000000000000 | at least 0a020400000000000000000000000000
TDX-64 fail tdx.denied_advisories: INTEL-SA-00615, INTEL-SA-01036, INTEL-SA-01111 | not INTEL-SA-01036
TDX-64 fail tdx.accepted_advisories: INTEL-SA-00615, INTEL-SA-01036, INTEL-SA-01111 | none but one of INTEL-SA-00837, INTEL-SA-00838
TDX-65 fail tdx.min_tcb_date: 2024-03-13T00:00:00Z | not before 2025-08-13
TDX-66 fail tdx.min_tcb_evaluation_data_number: TCB info 18, QE identity 17 | at least 19
TDX-67 fail tdx.td_attributes.debug: 0x1 | 0x0
TDX-67 fail tdx.td_attributes.other_tud_bits: 0xfe | 0x0
TDX-68 fail tdx.td_attributes.reserved_bits: 0x3fffffff07fcff00 | 0x0
TDX-69 fail tdx.td_attributes.sept_ve_disable: clear | set
TDX-70 fail tdx.td_attributes.migratable: set | clear
TDX-71 fail tdx.td_attributes.icssd: set | clear
TDX-71 fail tdx.td_attributes.servtd_ext: set | clear
TDX-71 fail tdx.td_attributes.lass: set | clear
TDX-71 fail tdx.td_attributes.pks: set | clear
TDX-71 fail tdx.td_attributes.kl: set | clear
TDX-71 fail tdx.td_attributes.tpa: set | clear
TDX-71 fail tdx.td_attributes.perfmon: set | clear
TDX-71 fail tdx.td_attributes.values: 0x3fffffffffffffff | 0x0000000010000000
TDX-72 fail : 0x2103a | all bits of 0x3
TDX-72 fail : 0x2103a | all bits of 0xe0 or none
TDX-72 fail : 0x2103a | all bits of 0x1800 or none
TDX-72 fail : 0x2103a | all bits of 0x60000 or none
TDX-72 fail tdx.xfam.allowed: 0x2103a | no bit outside 0x602e7
TDX-72 fail tdx.xfam.required: 0x2103a | all bits of 0x2e7
TDX-72 fail tdx.xfam.values: 0x2103a | 0x00000000000602e7 in the bits of 0xfffffffffffe7fff
TDX-73 fail tdx.mr_service_td: aa*48 | none but bb*48
TDX-74 fail tdx.mr_td: aa*48 | 3d*48
TDX-75 fail tdx.rtmr0: aa*48 | e0*48
TDX-75 fail tdx.rtmr1: aa*48 | e1*48
TDX-75 fail tdx.rtmr2: 00*48 | one of e2*48, aa*48
TDX-75 fail tdx.rtmr3: aa*48 | e3*48
TDX-76 fail tdx.mr_seam: aa*48 | 5e*48
TDX-76 fail tdx.module_majors: 2 | one of 1, 3
TDX-77 fail tdx.mr_config_id: aa*48 | cf*48
TDX-77 fail tdx.initdata: binding none | a document that MRCONFIGID binds
TDX-78 fail tdx.mr_owner: aa*48 | 0a*48
TDX-78 fail tdx.mr_owner_config: aa*48 | 0c*48
TDX-80 pass tdx.min_tee_tcb_svn: 0a020400000000000000000000000000 | at least 0b010400000000000000000000000000
TDX-80 fail tdx.platform.min_pcesvn: 12 | at least 13
TDX-80 fail tdx.platform.min_qe_isvsvn: 3 | at least 4
TDX-81 fail tdx.platform.fmspcs: 00606a000000 | 90c06f000000
TDX-81 fail tdx.platform.ppids: aa*16 | 99*16
TDX-81 fail tdx.platform.platform_instance_ids: none | one of 1a*16, aa*16
TDX-82 fail tdx.platform.min_sgx_type: Scalable | at least ScalableWithIntegrity
TDX-82 fail tdx.platform.smt: on | off
TDX-82 fail tdx.platform.dynamic_platform: not told | on
TDX-82 fail tdx.platform.cached_keys: off | on
TDX-83 pass tdx.event_log.ccel: ccel | ccel
TDX-83 fail tdx.event_log.dstack: ccel | dstack
TDX-84 fail tdx.event_log.replayed_rtmrs: 0, 2 | 0, 1, 2, 3
BOOT fail tdx.event_log.secure_boot: off | on`)
  })
})
