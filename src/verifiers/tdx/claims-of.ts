import { hexOf } from '../der-values.ts'
import type { EventLogClaims } from '../event-log/claims.ts'
import type { CollateralClaims, InitdataClaims, PlatformClaims, QeClaims, SgxClaims, TcbClaims, TdxClaims } from './claims.ts'
import { hasFlag, type EnclaveReport } from './enclave-report.ts'
import type { PckFact, QeFact } from './facts.ts'
import type { ExtendedReport, TdReport } from './quote-layout.ts'
import type { Quote } from './quote.ts'
import { tdAttributesOf, xfamOf } from './td-attributes.ts'

/** What the claims of every quote are made from, besides its body. */
export type ClaimSources = {
  readonly quote: Pick<Quote, 'header'>
  readonly pck: Pick<PckFact, 'extension' | 'issuedBy'>
  readonly qe: Pick<QeFact, 'report'>
  readonly tcb: TcbClaims
  readonly collateral: CollateralClaims
}

/** What came along with a TD quote and was judged. */
export type Accompaniment = { readonly eventLog: EventLogClaims | null; readonly initdata: InitdataClaims | null }

const SGX_TYPES = ['Standard', 'Scalable', 'ScalableWithIntegrity'] as const

/** What was read of certificates and quoting enclaves is remembered, and told with each quote of a platform: it is put into hex once. */
const platforms = new WeakMap<ClaimSources['pck'], PlatformClaims>()
const enclaves = new WeakMap<EnclaveReport, Omit<QeClaims, 'qe_id'>>()

/** What the PCK certificate says of its platform (section 3.3). */
export function platformClaims(pck: ClaimSources['pck']): PlatformClaims {
  const claims = platforms.get(pck) ?? platformOf(pck)
  platforms.set(pck, claims)
  return claims
}

const platformOf = ({ extension, issuedBy }: ClaimSources['pck']): PlatformClaims => ({
  fmspc: hexOf(extension.fmspc),
  ppid: hexOf(extension.ppid),
  pceid: hexOf(extension.pceid),
  pcesvn: extension.pcesvn,
  cpusvn: hexOf(extension.cpusvn),
  sgx_tcb_components: extension.components,
  sgx_type: SGX_TYPES[extension.sgxType],
  pck_ca: issuedBy,
  platform_instance_id: extension.platformInstanceId === undefined ? null : hexOf(extension.platformInstanceId),
  dynamic_platform: extension.configuration.dynamicPlatform ?? null,
  cached_keys: extension.configuration.cachedKeys ?? null,
  smt_enabled: extension.configuration.smtEnabled ?? null,
})

function qeOf({ quote, qe: { report } }: ClaimSources): QeClaims {
  const claims = enclaves.get(report) ?? enclaveOf(report)
  enclaves.set(report, claims)
  return { ...claims, qe_id: hexOf(quote.header.userData.subarray(0, 16)) }
}

const enclaveOf = (report: EnclaveReport): Omit<QeClaims, 'qe_id'> => ({
  mr_signer: hexOf(report.mrSigner),
  isv_prod_id: report.isvProdId,
  isv_svn: report.isvSvn,
  attributes: hexOf(report.attributes),
  misc_select: hexOf(report.miscSelect),
})

const shared = (sources: ClaimSources): Pick<TdxClaims, 'tcb' | 'platform' | 'qe' | 'collateral'> => ({
  tcb: sources.tcb,
  platform: platformClaims(sources.pck),
  qe: qeOf(sources),
  collateral: sources.collateral,
})

const hexOrNull = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : hexOf(bytes))

type Extended = Pick<
  TdxClaims,
  | 'vmid'
  | 'td_id'
  | 'devinfo'
  | 'init_servtd_hash'
  | 'init_servtd_attr'
  | 'init_cpusvn'
  | 'init_tee_tcb_svn'
  | 'init_tee_fmspc'
  | 'cur_servtd_hash'
  | 'cur_servtd_attr'
>

const NOT_EXTENDED: Extended = {
  vmid: null,
  td_id: null,
  devinfo: null,
  init_servtd_hash: null,
  init_servtd_attr: null,
  init_cpusvn: null,
  init_tee_tcb_svn: null,
  init_tee_fmspc: null,
  cur_servtd_hash: null,
  cur_servtd_attr: null,
}

const extendedOf = (extended: ExtendedReport): Extended => ({
  vmid: extended.vmid,
  td_id: hexOf(extended.tdId),
  devinfo: hexOf(extended.devinfo),
  init_servtd_hash: hexOf(extended.initServtdHash),
  init_servtd_attr: hexOf(extended.initServtdAttr),
  init_cpusvn: hexOf(extended.initCpusvn),
  init_tee_tcb_svn: hexOf(extended.initTeeTcbSvn),
  init_tee_fmspc: hexOf(extended.initTeeFmspc),
  cur_servtd_hash: hexOf(extended.curServtdHash),
  cur_servtd_attr: hexOf(extended.curServtdAttr),
})

/** The fields of a TD report as claims have them (specification tdx.md section 1.5), in its order. */
export const tdReportClaims = (
  version: 4 | 5,
  report: TdReport,
): Omit<TdxClaims, 'tcb' | 'platform' | 'qe' | 'collateral' | 'event_log' | 'initdata'> => ({
  quote_version: version,
  body_type: report.name,
  tee_tcb_svn: hexOf(report.teeTcbSvn),
  mr_seam: hexOf(report.mrSeam),
  mr_signer_seam: hexOf(report.mrSignerSeam),
  seam_attributes: hexOf(report.seamAttributes),
  td_attributes: tdAttributesOf(report.tdAttributes),
  xfam: xfamOf(report.xfam),
  mr_td: hexOf(report.mrTd),
  mr_config_id: hexOf(report.mrConfigId),
  mr_owner: hexOf(report.mrOwner),
  mr_owner_config: hexOf(report.mrOwnerConfig),
  rtmr0: hexOf(report.rtmrs[0]),
  rtmr1: hexOf(report.rtmrs[1]),
  rtmr2: hexOf(report.rtmrs[2]),
  rtmr3: hexOf(report.rtmrs[3]),
  report_data: hexOf(report.reportData),
  tee_tcb_svn2: hexOrNull(report.update?.teeTcbSvn2),
  mr_service_td: hexOrNull(report.update?.mrServiceTd),
  ...(report.extended === undefined ? NOT_EXTENDED : extendedOf(report.extended)),
})

/** The fields of an application's enclave report as claims have them (section 1.6). */
export const enclaveClaims = (version: 3 | 4 | 5, report: EnclaveReport): Omit<SgxClaims, 'tcb' | 'platform' | 'qe' | 'collateral'> => ({
  quote_version: version,
  cpu_svn: hexOf(report.cpuSvn),
  misc_select: hexOf(report.miscSelect),
  attributes: hexOf(report.attributes),
  debug: hasFlag(report, 'debug'),
  mode64: hasFlag(report, 'mode64'),
  provision_key: hasFlag(report, 'provisionKey'),
  einittoken_key: hasFlag(report, 'einittokenKey'),
  kss: hasFlag(report, 'kss'),
  mr_enclave: hexOf(report.mrEnclave),
  mr_signer: hexOf(report.mrSigner),
  isv_prod_id: report.isvProdId,
  isv_svn: report.isvSvn,
  config_id: hexOf(report.configId),
  config_svn: report.configSvn,
  isv_family_id: hexOf(report.isvFamilyId),
  isv_ext_prod_id: hexOf(report.isvExtProdId),
  report_data: hexOf(report.reportData),
})

/** The claims of a TD quote that has passed every check of genuineness. */
export const tdxClaims = (body: { version: 4 | 5; report: TdReport }, sources: ClaimSources, along: Accompaniment): TdxClaims => ({
  ...tdReportClaims(body.version, body.report),
  ...shared(sources),
  event_log: along.eventLog,
  initdata: along.initdata,
})

/** The claims of an SGX quote that has passed every check of genuineness. */
export const sgxClaims = (body: { version: 3 | 4 | 5; report: EnclaveReport }, sources: ClaimSources): SgxClaims => ({
  ...enclaveClaims(body.version, body.report),
  ...shared(sources),
})
