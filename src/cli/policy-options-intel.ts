import * as kind from './policy-kinds.ts'
import type { Option } from './policy-options.ts'

const LIST = kind.accepted('anything')

const RELAUNCH = kind.ranked({
  refuse: ['asks', 'refused'],
  warn: ['asks', 'only warned of'],
})

/** Rules about the TCB, Intel’s documents and the host, which TDs and enclaves have in common (specification tdx.md section 7). */
const common = (technology: 'tdx' | 'sgx'): readonly Option[] => COMMON.map(([path, noun, how]) => [`${technology}.${path}`, noun, how])

const COMMON: readonly Option[] = [
  ['accepted_tcb_statuses', 'TCB status', LIST],
  ['accepted_advisories', 'advisories that may apply', LIST],
  ['denied_advisories', 'advisories that may apply', kind.listed('denied')],
  ['min_tcb_date', 'date of the TCB level', kind.minimum],
  ['min_tcb_evaluation_data_number', 'number of Intel’s evaluation', kind.minimum],
  ['collateral_grace_seconds', 'use of Intel’s documents after their nextUpdate', kind.seconds],
  ['skew_seconds', 'tolerance for clocks', kind.seconds],
  ['platform.fmspcs', 'family of platforms (FMSPC)', LIST],
  ['platform.ppids', 'platform (PPID)', LIST],
  ['platform.platform_instance_ids', 'platform instance', LIST],
  [
    'platform.min_sgx_type',
    'protection of the host’s memory',
    kind.ranked({
      ScalableWithIntegrity: ['asks', 'ScalableWithIntegrity'],
      Scalable: ['asks', 'Scalable or ScalableWithIntegrity'],
      Standard: ['leaves', ''],
    }),
  ],
  ['platform.smt', 'SMT is enabled on the host', kind.demand],
  ['platform.dynamic_platform', 'the host is a dynamic platform', kind.demand],
  ['platform.cached_keys', 'the host’s keys are cached by Intel', kind.demand],
  ['platform.min_pcesvn', 'security version of the PCE (PCESVN)', kind.minimum],
  ['platform.min_qe_isvsvn', 'security version of the quoting enclave', kind.minimum],
]

const TD: readonly Option[] = [
  ['tdx.mr_td', 'MRTD', kind.accepted('nothing')],
  ['tdx.rtmr0', 'RTMR0', LIST],
  ['tdx.rtmr1', 'RTMR1', LIST],
  ['tdx.rtmr2', 'RTMR2', LIST],
  ['tdx.rtmr3', 'RTMR3', LIST],
  ['tdx.mr_seam', 'TDX module (MRSEAM)', LIST],
  ['tdx.module_majors', 'major version of the TDX module', LIST],
  ['tdx.mr_config_id', 'MRCONFIGID', LIST],
  [
    'tdx.initdata',
    'initdata document',
    kind.ranked({
      require: ['asks', 'it is sent, and bound by MRCONFIGID'],
      'bound-if-sent': ['asks', 'if it is sent, it is bound by MRCONFIGID'],
      any: ['leaves', ''],
    }),
  ],
  ['tdx.mr_owner', 'MROWNER', LIST],
  ['tdx.mr_owner_config', 'MROWNERCONFIG', LIST],
  ['tdx.mr_service_td', 'service TD that may be bound', kind.accepted('nothing')],
  ['tdx.td_attributes.values', 'TDATTRIBUTES as a whole', LIST],
  ['tdx.td_attributes.debug', 'TDs that their host can debug', kind.permission],
  ['tdx.td_attributes.other_tud_bits', 'TDs under test or profiling attributes', kind.permission],
  ['tdx.td_attributes.icssd', 'TDs with ICSSD', kind.permission],
  ['tdx.td_attributes.servtd_ext', 'TDs whose service TDs may be changed', kind.permission],
  ['tdx.td_attributes.lass', 'TDs with LASS', kind.permission],
  [
    'tdx.td_attributes.sept_ve_disable',
    'SEPT_VE_DISABLE',
    kind.ranked({
      require: ['asks', 'set'],
      'azure-paravisor': ['asks', 'set, unless all four RTMRs are zero, as Azure’s paravisor leaves them'],
      any: ['leaves', ''],
    }),
  ],
  ['tdx.td_attributes.migratable', 'TDs that may be migrated', kind.permission],
  ['tdx.td_attributes.pks', 'TDs with PKS', kind.permission],
  ['tdx.td_attributes.kl', 'TDs with Key Locker', kind.permission],
  ['tdx.td_attributes.tpa', 'TDs with TPA', kind.permission],
  ['tdx.td_attributes.perfmon', 'TDs with performance monitoring', kind.permission],
  ['tdx.td_attributes.reserved_bits', 'TDs with reserved attributes', kind.permission],
  ['tdx.xfam.values', 'XFAM as a whole', LIST],
  ['tdx.xfam.ignored', 'XFAM', kind.bits('ignored')],
  ['tdx.xfam.allowed', 'XFAM', kind.bits('allowed')],
  ['tdx.xfam.required', 'XFAM', kind.bits('required')],
  ...common('tdx'),
  ['tdx.min_tee_tcb_svn', 'TEE_TCB_SVN', kind.minimumOfBytes],
  ['tdx.tee_tcb_svn2_regression', 'a TCB that is lower now than at launch', RELAUNCH],
  ['tdx.event_log.ccel', 'the log of the boot is sent (CCEL)', kind.demand],
  ['tdx.event_log.dstack', 'the log of runtime events is sent (dstack)', kind.demand],
  ['tdx.event_log.replayed_rtmrs', 'registers that a log leads to, where one is sent', kind.listed('demanded')],
  ['tdx.event_log.secure_boot', 'a log proves that Secure Boot was on', kind.demand],
]

const ENCLAVE: readonly Option[] = [
  ['sgx.mr_enclave', 'MRENCLAVE', LIST],
  ['sgx.mr_signer', 'MRSIGNER', LIST],
  ['sgx.isv_prod_id', 'ISVPRODID', LIST],
  ['sgx.min_isv_svn', 'security version of the enclave (ISVSVN)', kind.minimum],
  ['sgx.debug', 'enclaves that their host can debug', kind.permission],
  ...common('sgx'),
]

/** Every option about TDs and enclaves, in the order of the document. */
export const INTEL_OPTIONS: readonly Option[] = [...TD, ...ENCLAVE]
