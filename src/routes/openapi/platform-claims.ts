import { z } from 'zod'
import type { CollateralClaims, PlatformClaims, QeClaims, TcbClaims, TcbEvaluation } from '../../verifiers/tdx/claims.ts'
import { hex, time } from './fields.ts'

const svn = z.int().min(0).max(255)
const number16 = z.int().min(0).max(65_535)

const status = z
  .enum([
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
    'TDRelaunchAdvised',
    'TDRelaunchAdvisedConfigurationNeeded',
    'Revoked',
  ])
  .meta({ id: 'TcbStatus', description: 'TCB status by Intel’s names; Revoked is always refused' })

const evaluated = {
  status,
  platform: status,
  module: status.nullable().meta({ description: 'null where no module is evaluated' }),
  qe: status,
  tcb_date: time,
  platform_tcb_date: time,
  module_tcb_date: time.nullable(),
  qe_tcb_date: time,
  advisory_ids: z.array(z.string()),
}

const evaluation = z
  .strictObject(evaluated)
  .meta({ id: 'TcbEvaluation', description: 'One evaluation of a TCB' }) satisfies z.ZodType<TcbEvaluation>

const shortfall = z
  .strictObject({
    component: z.string().meta({ description: 'Such as `sgx component 7`, `tdx component 2`, `pcesvn`, `tdx module`, `qe`' }),
    actual: z.int(),
    needed: z.int(),
    category: z.string().nullable(),
    type: z.string().nullable(),
  })
  .meta({ id: 'TcbShortfall', description: 'A component that is lower than the newest level asks for' })

/** The TCB of an Intel platform as answers show it. */
export const tcbClaims = z
  .strictObject({
    ...evaluated,
    qvl_status: status.meta({ description: 'What Intel’s quote verification library would say' }),
    launch: evaluation.nullable(),
    current: evaluation.nullable(),
    shortfall: z.array(shortfall),
    needed_tcb_date: time.nullable(),
    early_status: status.nullable().meta({ description: 'By the `early` documents, where they are at hand' }),
    early_code: z.string().nullable(),
    tcb_evaluation_data_number: z.int(),
    tcb_info_evaluation_data_number: z.int(),
    qe_identity_evaluation_data_number: z.int(),
  })
  .meta({
    id: 'TcbClaims',
    description: 'The verdict on the TCB: every part, what they converge to, and what is short',
  }) satisfies z.ZodType<TcbClaims>

/** What the PCK certificate says. */
export const platformClaims = z
  .strictObject({
    fmspc: hex(6),
    ppid: hex(16),
    pceid: hex(2),
    pcesvn: number16,
    cpusvn: hex(16),
    sgx_tcb_components: z.array(svn).length(16),
    sgx_type: z.enum(['Standard', 'Scalable', 'ScalableWithIntegrity']),
    pck_ca: z.enum(['platform', 'processor']),
    platform_instance_id: hex(16).nullable(),
    dynamic_platform: z.boolean().nullable(),
    cached_keys: z.boolean().nullable(),
    smt_enabled: z.boolean().nullable(),
  })
  .meta({ id: 'IntelPlatform', description: 'What the PCK certificate says; null where it does not' }) satisfies z.ZodType<PlatformClaims>

/** The quoting enclave. */
export const qeClaims = z
  .strictObject({
    mr_signer: hex(32),
    isv_prod_id: number16,
    isv_svn: number16,
    attributes: hex(16),
    misc_select: hex(4),
    qe_id: hex(16),
  })
  .meta({ id: 'QuotingEnclave', description: 'The quoting enclave that signed' }) satisfies z.ZodType<QeClaims>

/** Dates and numbers of the documents that were relied on. */
export const collateralClaims = z
  .strictObject({
    earliest_issue_date: time,
    latest_issue_date: time,
    earliest_expiration_date: time,
    pck_crl_num: z.string(),
    root_ca_crl_num: z.string(),
    root_key_id: hex(48),
    collateral_expired: z.boolean().meta({ description: 'Whether the policy’s grace was needed' }),
  })
  .meta({
    id: 'IntelCollateral',
    description: 'Dates and numbers of the documents that were relied on',
  }) satisfies z.ZodType<CollateralClaims>
