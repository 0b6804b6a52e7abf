import { z } from 'zod'
import type { SgxClaims } from '../../verifiers/tdx/claims.ts'
import { hex } from './fields.ts'
import { collateralClaims, platformClaims, qeClaims, tcbClaims } from './platform-claims.ts'

const number16 = z.int().min(0).max(65_535)

/** Every field of a verified report of an enclave, as answers show it. */
export const sgxClaims = z
  .strictObject({
    quote_version: z.union([z.literal(3), z.literal(4), z.literal(5)]),
    cpu_svn: hex(16),
    misc_select: hex(4),
    attributes: hex(16),
    debug: z.boolean(),
    mode64: z.boolean(),
    provision_key: z.boolean(),
    einittoken_key: z.boolean(),
    kss: z.boolean(),
    mr_enclave: hex(32),
    mr_signer: hex(32),
    isv_prod_id: number16,
    isv_svn: number16,
    config_id: hex(64),
    config_svn: number16,
    isv_family_id: hex(16),
    isv_ext_prod_id: hex(16),
    report_data: hex(64),
    tcb: tcbClaims,
    platform: platformClaims,
    qe: qeClaims,
    collateral: collateralClaims,
  })
  .meta({ id: 'SgxClaims', description: 'Every field of a verified report of an SGX enclave' }) satisfies z.ZodType<SgxClaims>
