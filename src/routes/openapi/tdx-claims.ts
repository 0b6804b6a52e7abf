import { z } from 'zod'
import type { TdxClaims } from '../../verifiers/tdx/claims.ts'
import { eventLogClaims } from './event-log-claims.ts'
import { hex } from './fields.ts'
import { collateralClaims, platformClaims, qeClaims, tcbClaims } from './platform-claims.ts'

const mask = z.string().regex(/^0x[0-9a-f]+$/)

const tdAttributes = z
  .strictObject({
    value: hex(8),
    debug: z.boolean(),
    hgs_plus_prof: z.boolean(),
    perf_prof: z.boolean(),
    pmt_prof: z.boolean(),
    icssd: z.boolean(),
    servtd_ext: z.boolean(),
    lass: z.boolean(),
    sept_ve_disable: z.boolean(),
    migratable: z.boolean(),
    pks: z.boolean(),
    kl: z.boolean(),
    tpa: z.boolean(),
    perfmon: z.boolean(),
    tud_bits: mask,
    reserved_bits: mask,
  })
  .meta({ id: 'TdAttributes', description: 'TDATTRIBUTES: the eight bytes as received, and each bit by name' })

const initdata = z.strictObject({ sha384: hex(48), binding: z.enum(['sha384', 'sha256', 'sha512', 'none']) })

const extended = {
  tee_tcb_svn2: hex(16).nullable(),
  mr_service_td: hex(48).nullable(),
  vmid: z.int().min(0).max(255).nullable(),
  td_id: hex(32).nullable(),
  devinfo: hex(48).nullable(),
  init_servtd_hash: hex(48).nullable(),
  init_servtd_attr: hex(8).nullable(),
  init_cpusvn: hex(16).nullable(),
  init_tee_tcb_svn: hex(16).nullable(),
  init_tee_fmspc: hex(12).nullable(),
  cur_servtd_hash: hex(48).nullable(),
  cur_servtd_attr: hex(8).nullable(),
}

/** Every field of a verified TD report, as answers show it. */
export const tdxClaims = z
  .strictObject({
    quote_version: z.union([z.literal(4), z.literal(5)]),
    body_type: z.enum(['td-report-1.0', 'td-report-1.5', 'td-report-1.5-ex']),
    tee_tcb_svn: hex(16),
    mr_seam: hex(48),
    mr_signer_seam: hex(48),
    seam_attributes: hex(8),
    td_attributes: tdAttributes,
    xfam: z.strictObject({ value: hex(8), features: z.array(z.string()) }),
    mr_td: hex(48),
    mr_config_id: hex(48),
    mr_owner: hex(48),
    mr_owner_config: hex(48),
    rtmr0: hex(48),
    rtmr1: hex(48),
    rtmr2: hex(48),
    rtmr3: hex(48),
    report_data: hex(64),
    ...extended,
    tcb: tcbClaims,
    platform: platformClaims,
    qe: qeClaims,
    collateral: collateralClaims,
    event_log: eventLogClaims.nullable(),
    initdata: initdata.nullable(),
  })
  .meta({
    id: 'TdxClaims',
    description: 'Every field of a verified TD report; null where its version has none',
  }) satisfies z.ZodType<TdxClaims>
