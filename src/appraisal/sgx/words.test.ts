import { describe, expect, it } from 'vitest'
import { platform } from '../../../test/intel-claims.ts'
import { genuineQuote, judgedUnder, soundSgx, type Options } from '../../../test/intel-judged.ts'
import { PLATFORM, TCB, poorPlatform, poorTcb } from '../../../test/intel-poor.ts'
import { toldBy } from '../../../test/told.ts'
import type { SgxClaims } from '../../verifiers/tdx/claims.ts'

const told = (options: Options, claims: SgxClaims): string =>
  toldBy(judgedUnder({ sgx: options }, genuineQuote({ sgx: claims }))).join('\n')

const a32 = 'aa'.repeat(32)

/** Every option about an enclave that asks something. */
const ENCLAVE: Options = {
  ...TCB,
  debug: 'deny',
  mr_enclave: [soundSgx.mr_enclave],
  mr_signer: [soundSgx.mr_signer, a32],
  isv_prod_id: [7, 9],
  min_isv_svn: 3,
  platform: PLATFORM,
}

/** An enclave that has all of it. */
const fineEnclave: SgxClaims = { ...soundSgx, platform: { ...platform, smt_enabled: false } }

/** One that has none of it. */
const poorEnclave: SgxClaims = {
  ...soundSgx,
  tcb: { ...poorTcb, module: null, launch: null, current: null, early_status: null, early_code: 'sgx-tcb-revoked' },
  platform: poorPlatform,
  qe: { ...soundSgx.qe, isv_svn: 3 },
  debug: true,
  mr_enclave: a32,
  mr_signer: 'bb'.repeat(32),
  isv_prod_id: 8,
  isv_svn: 2,
}

const LENIENT: Options = { mr_enclave: 'DANGEROUSLY_ACCEPT_ANY', debug: 'DANGEROUSLY_ALLOW' }

describe('what answers tell of an enclave', () => {
  it('tell what was found where the policy does not ask', () => {
    expect(told(LENIENT, soundSgx)).toBe(`TDX-61 pass sgx.accepted_tcb_statuses: UpToDate; level of 2025-08-13 | UpToDate
TDX-62 skip sgx.accepted_tcb_statuses: UpToDate
TDX-64 skip sgx.denied_advisories: none
TDX-64 skip sgx.accepted_advisories: none
TDX-65 skip sgx.min_tcb_date: 2025-08-13T00:00:00Z
TDX-66 skip sgx.min_tcb_evaluation_data_number: TCB info 20, QE identity 19
TDX-80 skip sgx.platform.min_pcesvn: 13
TDX-80 skip sgx.platform.min_qe_isvsvn: 4
TDX-81 skip sgx.platform.fmspcs: 90c06f000000
TDX-81 skip sgx.platform.ppids: 99*16
TDX-81 skip sgx.platform.platform_instance_ids: 1a*16
TDX-82 skip sgx.platform.min_sgx_type: ScalableWithIntegrity
TDX-82 skip sgx.platform.smt: on
TDX-82 skip sgx.platform.dynamic_platform: on
TDX-82 skip sgx.platform.cached_keys: on
TDX-89 skip sgx.debug: clear
TDX-89 skip sgx.mr_enclave: ec*32
TDX-89 skip sgx.mr_signer: 51*32
TDX-89 skip sgx.isv_prod_id: 7
TDX-89 skip sgx.min_isv_svn: 3`)
  })

  it('tell what was asked where it is there', () => {
    expect(told(ENCLAVE, fineEnclave))
      .toBe(`TDX-61 pass sgx.accepted_tcb_statuses: UpToDate; level of 2025-08-13 | one of UpToDate, SWHardeningNeeded
TDX-62 skip sgx.accepted_tcb_statuses: UpToDate
TDX-64 pass sgx.denied_advisories: none | not INTEL-SA-01036
TDX-64 pass sgx.accepted_advisories: none | none but one of INTEL-SA-00837, INTEL-SA-00838
TDX-65 pass sgx.min_tcb_date: 2025-08-13T00:00:00Z | not before 2025-08-13
TDX-66 pass sgx.min_tcb_evaluation_data_number: TCB info 20, QE identity 19 | at least 19
TDX-80 pass sgx.platform.min_pcesvn: 13 | at least 13
TDX-80 pass sgx.platform.min_qe_isvsvn: 4 | at least 4
TDX-81 pass sgx.platform.fmspcs: 90c06f000000 | 90c06f000000
TDX-81 pass sgx.platform.ppids: 99*16 | 99*16
TDX-81 pass sgx.platform.platform_instance_ids: 1a*16 | one of 1a*16, aa*16
TDX-82 pass sgx.platform.min_sgx_type: ScalableWithIntegrity | at least ScalableWithIntegrity
TDX-82 pass sgx.platform.smt: off | off
TDX-82 pass sgx.platform.dynamic_platform: on | on
TDX-82 pass sgx.platform.cached_keys: on | on
TDX-89 pass sgx.debug: clear | clear
TDX-89 pass sgx.mr_enclave: ec*32 | ec*32
TDX-89 pass sgx.mr_signer: 51*32 | one of 51*32, aa*32
TDX-89 pass sgx.isv_prod_id: 7 | one of 7, 9
TDX-89 pass sgx.min_isv_svn: 3 | at least 3`)
  })

  it('tell what was found, and what it should be, where it is not there', () => {
    expect(told(ENCLAVE, poorEnclave))
      .toBe(`TDX-61 fail sgx.accepted_tcb_statuses: OutOfDate; platform OutOfDate, qe UpToDate; sgx_tcb_components[0] (BIOS, Early Microcode Update): 4, needs 5, pcesvn: 11, needs 13; INTEL-SA-01036, INTEL-SA-01111; level of 2024-03-13, needs 2025-08-13; early: sgx-tcb-revoked | one of UpToDate, SWHardeningNeeded
TDX-62 skip sgx.accepted_tcb_statuses: OutOfDate
TDX-64 fail sgx.denied_advisories: INTEL-SA-01036, INTEL-SA-01111 | not INTEL-SA-01036
TDX-64 fail sgx.accepted_advisories: INTEL-SA-01036, INTEL-SA-01111 | none but one of INTEL-SA-00837, INTEL-SA-00838
TDX-65 fail sgx.min_tcb_date: 2024-03-13T00:00:00Z | not before 2025-08-13
TDX-66 fail sgx.min_tcb_evaluation_data_number: TCB info 18, QE identity 17 | at least 19
TDX-80 fail sgx.platform.min_pcesvn: 12 | at least 13
TDX-80 fail sgx.platform.min_qe_isvsvn: 3 | at least 4
TDX-81 fail sgx.platform.fmspcs: 00606a000000 | 90c06f000000
TDX-81 fail sgx.platform.ppids: aa*16 | 99*16
TDX-81 fail sgx.platform.platform_instance_ids: none | one of 1a*16, aa*16
TDX-82 fail sgx.platform.min_sgx_type: Scalable | at least ScalableWithIntegrity
TDX-82 fail sgx.platform.smt: on | off
TDX-82 fail sgx.platform.dynamic_platform: not told | on
TDX-82 fail sgx.platform.cached_keys: off | on
TDX-89 fail sgx.debug: set | clear
TDX-89 fail sgx.mr_enclave: aa*32 | ec*32
TDX-89 fail sgx.mr_signer: bb*32 | one of 51*32, aa*32
TDX-89 fail sgx.isv_prod_id: 8 | one of 7, 9
TDX-89 fail sgx.min_isv_svn: 2 | at least 3`)
  })
})
