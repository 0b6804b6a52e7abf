import type { EventLogClaims } from '../event-log/claims.ts'

/** TCB statuses by Intel's names (specification tdx.md section 9); `Revoked` never reaches claims. */
export type TcbStatus =
  | 'UpToDate'
  | 'SWHardeningNeeded'
  | 'ConfigurationNeeded'
  | 'ConfigurationAndSWHardeningNeeded'
  | 'OutOfDate'
  | 'OutOfDateConfigurationNeeded'
  | 'TDRelaunchAdvised'
  | 'TDRelaunchAdvisedConfigurationNeeded'
  | 'Revoked'

/** One component that is lower than the newest level asks for: `sgx component 7: 3, needs 4`. */
export type TcbShortfall = {
  /** `sgx component 7`, `tdx component 2`, `pcesvn`, `tdx module`, `qe`. Components count from 0, as in Intel's arrays. */
  readonly component: string
  readonly actual: number
  readonly needed: number
  /** What the component is, by the collateral's own words (`category`, `type`); null where it does not say. */
  readonly category: string | null
  readonly type: string | null
}

/** One evaluation of a TCB (specification tdx.md section 5.2): every part, and what they converge to. */
export type TcbEvaluation = {
  readonly status: TcbStatus
  readonly platform: TcbStatus
  /** null where the module's major version is 0, and for SGX. */
  readonly module: TcbStatus | null
  readonly qe: TcbStatus
  /** RFC 3339; the earliest of the parts' level dates. */
  readonly tcb_date: string
  readonly platform_tcb_date: string
  readonly module_tcb_date: string | null
  readonly qe_tcb_date: string
  /** Sorted union of the parts. */
  readonly advisory_ids: readonly string[]
}

/** The verdict on the TCB with what an operator needs to mend it (sections 5.4, 5.8). */
export type TcbClaims = TcbEvaluation & {
  /** What Intel's quote verification library of 2026 would answer; differs only where it ignores a bad current TCB (section 5.4). */
  readonly qvl_status: TcbStatus
  /** Launch and current evaluation of TD 1.5; null where the report holds no TEE_TCB_SVN_2. */
  readonly launch: TcbEvaluation | null
  readonly current: TcbEvaluation | null
  /** Empty when the newest level is reached. */
  readonly shortfall: readonly TcbShortfall[]
  /** The level that would be reached: its date; null when it is reached. */
  readonly needed_tcb_date: string | null
  /** The same quote judged by the `early` documents, where they are at hand; null where they are not, or where no level matches (`early_code` tells). */
  readonly early_status: TcbStatus | null
  readonly early_code: string | null
  readonly tcb_evaluation_data_number: number
  readonly tcb_info_evaluation_data_number: number
  readonly qe_identity_evaluation_data_number: number
}

/** What the PCK certificate says of the platform (section 3.3), hex in lower case. */
export type PlatformClaims = {
  readonly fmspc: string
  readonly ppid: string
  readonly pceid: string
  readonly pcesvn: number
  readonly cpusvn: string
  /** The 16 SGX component SVNs. */
  readonly sgx_tcb_components: readonly number[]
  readonly sgx_type: 'Standard' | 'Scalable' | 'ScalableWithIntegrity'
  readonly pck_ca: 'platform' | 'processor'
  readonly platform_instance_id: string | null
  /** null: the certificate does not say, which is never "no". */
  readonly dynamic_platform: boolean | null
  readonly cached_keys: boolean | null
  readonly smt_enabled: boolean | null
}

/** Dates and numbers of all collateral that was relied on (section 5.8); times in RFC 3339. */
export type CollateralClaims = {
  readonly earliest_issue_date: string
  readonly latest_issue_date: string
  readonly earliest_expiration_date: string
  readonly pck_crl_num: string
  readonly root_ca_crl_num: string
  /** SHA-384 of the root's public point. */
  readonly root_key_id: string
  /** Whether the policy's grace was needed. */
  readonly collateral_expired: boolean
}

/** The quoting enclave that signed. */
export type QeClaims = {
  readonly mr_signer: string
  readonly isv_prod_id: number
  readonly isv_svn: number
  readonly attributes: string
  readonly misc_select: string
  /** First 16 bytes of the header's user data: QE ID. */
  readonly qe_id: string
}

/** TDATTRIBUTES (section 6.1): the eight bytes in hex as received, and each bit by name. */
export type TdAttributes = {
  readonly value: string
  readonly debug: boolean
  readonly hgs_plus_prof: boolean
  readonly perf_prof: boolean
  readonly pmt_prof: boolean
  readonly icssd: boolean
  readonly servtd_ext: boolean
  readonly lass: boolean
  readonly sept_ve_disable: boolean
  readonly migratable: boolean
  readonly pks: boolean
  readonly kl: boolean
  readonly tpa: boolean
  readonly perfmon: boolean
  /** Bits 1 to 7 without a name, and all others without one, as `0x…` masks of the whole word. */
  readonly tud_bits: string
  readonly reserved_bits: string
}

/** XFAM (section 6.2): the eight bytes in hex as received, and the features by name. */
export type Xfam = { readonly value: string; readonly features: readonly string[] }

/** A TD report that is genuine (section 1.5). Byte fields are lower-case hex as received; fields that the body does not have are null. */
export type TdxClaims = {
  readonly quote_version: 4 | 5
  readonly body_type: 'td-report-1.0' | 'td-report-1.5' | 'td-report-1.5-ex'
  readonly tee_tcb_svn: string
  readonly mr_seam: string
  readonly mr_signer_seam: string
  readonly seam_attributes: string
  readonly td_attributes: TdAttributes
  readonly xfam: Xfam
  readonly mr_td: string
  readonly mr_config_id: string
  readonly mr_owner: string
  readonly mr_owner_config: string
  readonly rtmr0: string
  readonly rtmr1: string
  readonly rtmr2: string
  readonly rtmr3: string
  readonly report_data: string
  readonly tee_tcb_svn2: string | null
  readonly mr_service_td: string | null
  readonly vmid: number | null
  readonly td_id: string | null
  readonly devinfo: string | null
  readonly init_servtd_hash: string | null
  readonly init_servtd_attr: string | null
  readonly init_cpusvn: string | null
  readonly init_tee_tcb_svn: string | null
  readonly init_tee_fmspc: string | null
  readonly cur_servtd_hash: string | null
  readonly cur_servtd_attr: string | null
  readonly tcb: TcbClaims
  readonly platform: PlatformClaims
  readonly qe: QeClaims
  readonly collateral: CollateralClaims
  /** What the logs prove, each only of registers that replayed; null without a log. */
  readonly event_log: EventLogClaims | null
  /** The initdata document that came along and whether MRCONFIGID binds it (section 7.2); null without one. */
  readonly initdata: InitdataClaims | null
}

/** How MRCONFIGID relates to the document that came along; `none`: it does not bind it. */
export type InitdataClaims = { readonly sha384: string; readonly binding: 'sha384' | 'sha256' | 'sha512' | 'none' }

/** A report of an application enclave that is genuine (section 1.6). */
export type SgxClaims = {
  readonly quote_version: 3 | 4 | 5
  readonly cpu_svn: string
  readonly misc_select: string
  readonly attributes: string
  /** Bits of ATTRIBUTES. */
  readonly debug: boolean
  readonly mode64: boolean
  readonly provision_key: boolean
  readonly einittoken_key: boolean
  readonly kss: boolean
  readonly mr_enclave: string
  readonly mr_signer: string
  readonly isv_prod_id: number
  readonly isv_svn: number
  readonly config_id: string
  readonly config_svn: number
  readonly isv_family_id: string
  readonly isv_ext_prod_id: string
  readonly report_data: string
  readonly tcb: TcbClaims
  readonly platform: PlatformClaims
  readonly qe: QeClaims
  readonly collateral: CollateralClaims
}
