import type { CollateralClaims, PlatformClaims, TcbClaims } from '../verifiers/tdx/claims.ts'
import type { Detail } from './detail.ts'

/** What Intel's technologies have in common. */
type IntelClaims = { readonly tcb: TcbClaims; readonly platform: PlatformClaims; readonly collateral: CollateralClaims }

/**
 * TCB and platform by the names of the appraisal. Left to the appraisal: what names the machine (PPID, platform instance, QE ID), which `host_id`
 * replaces, and what only its operator can use: the shortfall, component by component, and the dates of parts and documents.
 */
export const leanPlatform = ({ tcb, platform, collateral }: IntelClaims, detail: Detail): object => ({
  tcb: TCB[detail](tcb),
  platform: PLATFORM[detail](platform),
  // Absent is what nobody has to worry about: every document was within its own window.
  collateral_expired: collateral.collateral_expired || undefined,
})

const bareTcb = ({ status }: TcbClaims): object => ({ status })

const leastTcb = (tcb: TcbClaims): object => ({
  status: tcb.status,
  early_status: tcb.early_status ?? undefined,
  tcb_date: tcb.tcb_date,
  tcb_evaluation_data_number: tcb.tcb_evaluation_data_number,
})

/** A list that is told is told whole, also when it is empty. */
const mostTcb = (tcb: TcbClaims): object => ({
  ...leastTcb(tcb),
  platform: tcb.platform,
  module: tcb.module ?? undefined,
  qe: tcb.qe,
  advisory_ids: tcb.advisory_ids,
})

const allTcb = (tcb: TcbClaims): object => ({
  ...mostTcb(tcb),
  launch_status: tcb.launch?.status,
  current_status: tcb.current?.status,
  tcb_info_evaluation_data_number: tcb.tcb_info_evaluation_data_number,
  qe_identity_evaluation_data_number: tcb.qe_identity_evaluation_data_number,
})

const TCB = { all: allTcb, most: mostTcb, least: leastTcb, bare: bareTcb } as const satisfies Record<Detail, (tcb: TcbClaims) => object>

const family = ({ fmspc }: PlatformClaims): object => ({ fmspc })

/** Of the three switches null means that the certificate does not say, which is what absence says, too. */
const configuration = (platform: PlatformClaims): object => ({
  fmspc: platform.fmspc,
  pceid: platform.pceid,
  sgx_type: platform.sgx_type,
  smt_enabled: platform.smt_enabled ?? undefined,
  dynamic_platform: platform.dynamic_platform ?? undefined,
  cached_keys: platform.cached_keys ?? undefined,
})

const PLATFORM = { all: configuration, most: configuration, least: family, bare: family } as const satisfies Record<
  Detail,
  (platform: PlatformClaims) => object
>
