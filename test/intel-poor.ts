import type { TcbClaims } from '../src/verifiers/tdx/claims.ts'
import { platform, upToDate } from './intel-claims.ts'
import type { Options } from './intel-judged.ts'

const a16 = 'aa'.repeat(16)

/** Every option about the platform that asks something. */
export const PLATFORM: Options = {
  fmspcs: [platform.fmspc],
  ppids: [platform.ppid],
  platform_instance_ids: [platform.platform_instance_id, a16],
  min_sgx_type: 'ScalableWithIntegrity',
  smt: 'forbid',
  dynamic_platform: 'require',
  cached_keys: 'require',
  min_pcesvn: 13,
  min_qe_isvsvn: 4,
}

/** Every option about the TCB that asks something. */
export const TCB: Options = {
  accepted_tcb_statuses: ['UpToDate', 'SWHardeningNeeded'],
  denied_advisories: ['INTEL-SA-01036'],
  accepted_advisories: ['INTEL-SA-00837', 'INTEL-SA-00838'],
  min_tcb_date: '2025-08-13',
  min_tcb_evaluation_data_number: 19,
}

/** A TCB that falls short, at launch and now. */
export const poorTcb: TcbClaims = {
  ...upToDate,
  status: 'OutOfDate',
  platform: 'OutOfDate',
  module: 'SWHardeningNeeded',
  tcb_date: '2024-03-13T00:00:00Z',
  needed_tcb_date: '2025-08-13T00:00:00Z',
  advisory_ids: ['INTEL-SA-01036', 'INTEL-SA-01111'],
  launch: { ...upToDate, status: 'OutOfDate', tcb_date: '2024-03-13T00:00:00Z', advisory_ids: ['INTEL-SA-01036'] },
  current: { ...upToDate, status: 'SWHardeningNeeded', tcb_date: '2024-11-13T00:00:00Z', advisory_ids: ['INTEL-SA-00615'] },
  shortfall: [
    { component: 'sgx_tcb_components[0]', actual: 4, needed: 5, category: 'BIOS', type: 'Early Microcode Update' },
    { component: 'pcesvn', actual: 11, needed: 13, category: null, type: null },
  ],
  early_status: 'Revoked',
  tcb_info_evaluation_data_number: 18,
  qe_identity_evaluation_data_number: 17,
}

/** A platform of which nothing is as they ask. */
export const poorPlatform = {
  ...platform,
  fmspc: '00606a000000',
  ppid: a16,
  platform_instance_id: null,
  sgx_type: 'Scalable',
  smt_enabled: true,
  dynamic_platform: null,
  cached_keys: false,
  pcesvn: 12,
} as const
