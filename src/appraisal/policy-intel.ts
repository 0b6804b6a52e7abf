import { z } from 'zod'
import { day, digest, hex, list, onOrOff, whole, words } from './policy-values.ts'

/** Statuses that a policy may accept, by Intel’s names (specification tdx.md section 5.3). `Revoked` is not among them, so no policy can list it. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
] as const

const ADVISORY = { error: 'expected an advisory such as INTEL-SA-00837' }

const advisory = () => z.string(ADVISORY).regex(/^INTEL-SA-[0-9]{5}$/, ADVISORY)

/** Rules about the TCB and the dates of Intel’s documents, the same for TDX and SGX (sections 5.7 and 7). */
export const tcbMembers = {
  accepted_advisories: list(advisory()).optional(),
  denied_advisories: list(advisory()).optional(),
  min_tcb_date: day().optional(),
  min_tcb_evaluation_data_number: whole(1, 0xffffffff).optional(),
  collateral_grace_seconds: whole(0, 2_592_000).default(0),
  skew_seconds: whole(0, 300).default(0),
}

/** The machine, as its PCK certificate tells (section 3.3), and what runs its quoting (section 7). */
export const intelPlatform = z.strictObject({
  fmspcs: list(hex(6)).optional(),
  ppids: list(digest(16)).optional(),
  platform_instance_ids: list(digest(16)).optional(),
  /** The lowest kind of memory protection; `Standard` asks nothing. */
  min_sgx_type: words(['Standard', 'Scalable', 'ScalableWithIntegrity']).default('Standard'),
  smt: onOrOff().default('any'),
  dynamic_platform: onOrOff().default('any'),
  cached_keys: onOrOff().default('any'),
  min_pcesvn: whole(0, 65_535).optional(),
  min_qe_isvsvn: whole(0, 65_535).optional(),
})
