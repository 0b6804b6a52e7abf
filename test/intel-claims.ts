import type { ItemAppraisal } from '../src/appraisal/appraisal.ts'
import type { EventLogClaims } from '../src/verifiers/event-log/claims.ts'
import type { CollateralClaims, PlatformClaims, QeClaims, SgxClaims, TcbClaims, TdxClaims } from '../src/verifiers/tdx/claims.ts'
import { hexOf, itemWith } from './appraisals.ts'

/** The TCB of an Intel platform that lacks nothing. */
export const upToDate: TcbClaims = {
  status: 'UpToDate',
  platform: 'UpToDate',
  module: 'UpToDate',
  qe: 'UpToDate',
  tcb_date: '2025-08-13T00:00:00Z',
  platform_tcb_date: '2025-08-13T00:00:00Z',
  module_tcb_date: '2025-08-13T00:00:00Z',
  qe_tcb_date: '2025-08-13T00:00:00Z',
  advisory_ids: [],
  qvl_status: 'UpToDate',
  launch: null,
  current: null,
  shortfall: [],
  needed_tcb_date: null,
  early_status: 'UpToDate',
  early_code: null,
  tcb_evaluation_data_number: 19,
  tcb_info_evaluation_data_number: 20,
  qe_identity_evaluation_data_number: 19,
}

/** A platform that tells everything. */
export const platform: PlatformClaims = {
  fmspc: '90c06f000000',
  ppid: hexOf(0x99, 16),
  pceid: '0000',
  pcesvn: 13,
  cpusvn: hexOf(0xc5, 16),
  sgx_tcb_components: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  sgx_type: 'ScalableWithIntegrity',
  pck_ca: 'platform',
  platform_instance_id: hexOf(0x1a, 16),
  dynamic_platform: true,
  cached_keys: true,
  smt_enabled: true,
}

const qe: QeClaims = {
  mr_signer: hexOf(0xdc, 32),
  isv_prod_id: 2,
  isv_svn: 4,
  attributes: hexOf(0x11, 16),
  misc_select: hexOf(0, 4),
  qe_id: hexOf(0x9e, 16),
}

const collateral: CollateralClaims = {
  earliest_issue_date: '2026-11-01T00:00:00Z',
  latest_issue_date: '2026-11-24T00:00:00Z',
  earliest_expiration_date: '2026-12-01T00:00:00Z',
  pck_crl_num: '1',
  root_ca_crl_num: '1',
  root_key_id: hexOf(0x46, 48),
  collateral_expired: false,
}

/** Logs that prove all that logs can. */
export const eventLog: EventLogClaims = {
  source: 'ccel+dstack',
  events: 43,
  replayed: [0, 1, 2, 3],
  facts: {
    secure_boot: true,
    boot_applications: [hexOf(0xb0, 48)],
    kernel_cmdline: 'root=/dev/vda1 ro',
    container_images: [`sha256:${hexOf(0xc1, 32)}`],
  },
  dstack: {
    app_id: hexOf(0xa1, 20),
    compose_hash: hexOf(0xc0, 32),
    instance_id: hexOf(0x15, 20),
    key_provider: '{"name":"kms"}',
    os_image_hash: hexOf(0x05, 32),
    app_events: [{ name: 'app-event', payload: hexOf(0xae, 8) }],
  },
}

/** A TD report of which each field is as long as it can be, and every measurement another. */
export const tdxClaims: TdxClaims = {
  quote_version: 5,
  body_type: 'td-report-1.5-ex',
  tee_tcb_svn: hexOf(0x07, 16),
  mr_seam: hexOf(0x5e, 48),
  mr_signer_seam: hexOf(0, 48),
  seam_attributes: hexOf(0, 8),
  td_attributes: {
    value: '0000001000000000',
    debug: false,
    hgs_plus_prof: false,
    perf_prof: false,
    pmt_prof: false,
    icssd: false,
    servtd_ext: false,
    lass: false,
    sept_ve_disable: true,
    migratable: false,
    pks: false,
    kl: false,
    tpa: false,
    perfmon: false,
    tud_bits: '0x0',
    reserved_bits: '0x0',
  },
  xfam: { value: 'e702060000000000', features: ['x87', 'sse', 'avx'] },
  mr_td: hexOf(0x3d, 48),
  mr_config_id: hexOf(0xcf, 48),
  mr_owner: hexOf(0x0a, 48),
  mr_owner_config: hexOf(0x0c, 48),
  rtmr0: hexOf(0xe0, 48),
  rtmr1: hexOf(0xe1, 48),
  rtmr2: hexOf(0xe2, 48),
  rtmr3: hexOf(0xe3, 48),
  report_data: hexOf(0xdd, 64),
  tee_tcb_svn2: hexOf(0x08, 16),
  mr_service_td: hexOf(0x57, 48),
  vmid: 0,
  td_id: hexOf(0x1d, 32),
  devinfo: hexOf(0xd1, 48),
  init_servtd_hash: hexOf(0x15, 48),
  init_servtd_attr: hexOf(0, 8),
  init_cpusvn: hexOf(0xc5, 16),
  init_tee_tcb_svn: hexOf(0x07, 16),
  init_tee_fmspc: hexOf(0xf3, 12),
  cur_servtd_hash: hexOf(0x25, 48),
  cur_servtd_attr: hexOf(0, 8),
  tcb: upToDate,
  platform,
  qe,
  collateral,
  event_log: eventLog,
  initdata: { sha384: hexOf(0xcf, 48), binding: 'sha384' },
}

/** A report of an enclave of which each field is as long as it can be. */
export const sgxClaims: SgxClaims = {
  quote_version: 3,
  cpu_svn: hexOf(0xc5, 16),
  misc_select: hexOf(0, 4),
  attributes: '0700000000000000e700000000000000',
  debug: false,
  mode64: true,
  provision_key: false,
  einittoken_key: false,
  kss: true,
  mr_enclave: hexOf(0xec, 32),
  mr_signer: hexOf(0x51, 32),
  isv_prod_id: 65_535,
  isv_svn: 65_535,
  config_id: hexOf(0xcf, 64),
  config_svn: 65_535,
  isv_family_id: hexOf(0xfa, 16),
  isv_ext_prod_id: hexOf(0xe9, 16),
  report_data: hexOf(0xdd, 64),
  tcb: { ...upToDate, module: null, module_tcb_date: null },
  platform,
  qe: { ...qe, isv_prod_id: 1 },
  collateral,
}

/** An accepted TDX quote. */
export const tdxItem = (claims: Partial<TdxClaims> = {}): ItemAppraisal => ({
  ...itemWith(),
  type: 'tdx',
  checks: [{ id: 'TDX-52', title: 'The quote is signed by the attestation key', outcome: 'pass' }],
  claims: { tdx: { ...tdxClaims, ...claims } },
  advisories: [],
})

/** An accepted SGX quote. */
export const sgxItem = (claims: Partial<SgxClaims> = {}): ItemAppraisal => ({
  ...tdxItem(),
  type: 'sgx',
  claims: { sgx: { ...sgxClaims, ...claims } },
})
