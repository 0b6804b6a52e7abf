import { describe, expect, it } from 'vitest'
import { PolicyError, readPolicy } from './read-policy.ts'

const [a48, zero48, a32] = ['aa'.repeat(48), '00'.repeat(48), 'aa'.repeat(32)]

const problems = (text: string) => {
  try {
    readPolicy(text, 'a')
  } catch (error) {
    if (error instanceof PolicyError) return error.problems
    throw error
  }
  throw new Error('the policy was accepted')
}

const about = (tee: 'tdx' | 'sgx', members: object): string => JSON.stringify({ name: 'a', [tee]: members })

/** A member of `tdx`, and the path of the one problem that it has. */
const TDX: readonly (readonly [members: object, path: string])[] = [
  [{ mr_td: [] }, 'mr_td'],
  [{ mr_td: 'any' }, 'mr_td'],
  [{ mr_td: [zero48] }, 'mr_td[0]'],
  [{ mr_td: [a48.slice(2)] }, 'mr_td[0]'],
  [{ rtmr0: [zero48] }, 'rtmr0[0]'],
  [{ rtmr1: [zero48] }, 'rtmr1[0]'],
  [{ rtmr2: ['aa'] }, 'rtmr2[0]'],
  [{ rtmr3: [] }, 'rtmr3'],
  [{ rtmr4: [a48] }, 'rtmr4'],
  [{ mr_seam: [zero48] }, 'mr_seam[0]'],
  [{ module_majors: [256] }, 'module_majors[0]'],
  [{ mr_config_id: [a32] }, 'mr_config_id[0]'],
  [{ initdata: 'optional' }, 'initdata'],
  [{ mr_owner: [a32] }, 'mr_owner[0]'],
  [{ mr_owner_config: [a48, a48] }, 'mr_owner_config'],
  [{ mr_service_td: [zero48] }, 'mr_service_td[0]'],
  [{ mr_service_td: [] }, 'mr_service_td'],
  [{ td_attributes: { debug: 'allow' } }, 'td_attributes.debug'],
  [{ td_attributes: { other_tud_bits: 'allow' } }, 'td_attributes.other_tud_bits'],
  [{ td_attributes: { reserved_bits: 'allow' } }, 'td_attributes.reserved_bits'],
  [{ td_attributes: { sept_ve_disable: 'azure' } }, 'td_attributes.sept_ve_disable'],
  [{ td_attributes: { migratable: 'allow' } }, 'td_attributes.migratable'],
  [{ td_attributes: { servtd_ext: 'allow' } }, 'td_attributes.servtd_ext'],
  [{ td_attributes: { values: ['10000000'] } }, 'td_attributes.values[0]'],
  [{ xfam: { allowed: '6dbe7' } }, 'xfam.allowed'],
  [{ xfam: { ignored: '0x1800' } }, 'xfam.ignored'],
  [{ xfam: { values: ['0x602e7', '0x602E7'] } }, 'xfam.values'],
  [{ accepted_tcb_statuses: ['Revoked'] }, 'accepted_tcb_statuses[0]'],
  [{ accepted_tcb_statuses: ['UpToDate', 'UpToDate'] }, 'accepted_tcb_statuses'],
  [{ accepted_tcb_statuses: [] }, 'accepted_tcb_statuses'],
  [{ denied_advisories: ['intel-sa-00837'] }, 'denied_advisories[0]'],
  [{ accepted_advisories: ['INTEL-SA-837'] }, 'accepted_advisories[0]'],
  [{ min_tcb_date: '2025-02-30' }, 'min_tcb_date'],
  [{ min_tcb_date: '2025-13-01' }, 'min_tcb_date'],
  [{ min_tcb_date: '2025-08-13T00:00:00Z' }, 'min_tcb_date'],
  [{ min_tcb_evaluation_data_number: 0 }, 'min_tcb_evaluation_data_number'],
  [{ collateral_grace_seconds: 2_592_001 }, 'collateral_grace_seconds'],
  [{ skew_seconds: 301 }, 'skew_seconds'],
  [{ min_tee_tcb_svn: '0b01' }, 'min_tee_tcb_svn'],
  [{ tee_tcb_svn2_regression: 'ignore' }, 'tee_tcb_svn2_regression'],
  [{ platform: { fmspcs: ['00806F050000'] } }, 'platform.fmspcs[0]'],
  [{ platform: { ppids: ['00'.repeat(16)] } }, 'platform.ppids[0]'],
  [{ platform: { platform_instance_ids: ['00'.repeat(16)] } }, 'platform.platform_instance_ids[0]'],
  [{ platform: { min_sgx_type: 'Integrity' } }, 'platform.min_sgx_type'],
  [{ platform: { smt: 'off' } }, 'platform.smt'],
  [{ platform: { min_pcesvn: 65_536 } }, 'platform.min_pcesvn'],
  [{ platform: { min_qe_isvsvn: -1 } }, 'platform.min_qe_isvsvn'],
  [{ event_log: { ccel: true } }, 'event_log.ccel'],
  [{ event_log: { replayed_rtmrs: [] } }, 'event_log.replayed_rtmrs'],
  [{ event_log: { replayed_rtmrs: [4] } }, 'event_log.replayed_rtmrs[0]'],
  [{ event_log: { replayed_rtmrs: [1, 1] } }, 'event_log.replayed_rtmrs'],
  [{ event_log: { secure_boot: 'on' } }, 'event_log.secure_boot'],
]

/** The same of `sgx`. */
const SGX: readonly (readonly [members: object, path: string])[] = [
  [{ mr_enclave: 'any' }, 'mr_enclave'],
  [{ mr_enclave: ['00'.repeat(32)] }, 'mr_enclave[0]'],
  [{ mr_signer: ['00'.repeat(32)] }, 'mr_signer[0]'],
  [{ mr_signer: 'DANGEROUSLY_ACCEPT_ANY' }, 'mr_signer'],
  [{ isv_prod_id: [65_536] }, 'isv_prod_id[0]'],
  [{ min_isv_svn: -1 }, 'min_isv_svn'],
  [{ debug: 'allow' }, 'debug'],
  [{ accepted_tcb_statuses: ['Revoked'] }, 'accepted_tcb_statuses[0]'],
  [{ accepted_tcb_statuses: ['TDRelaunchAdvised'] }, 'accepted_tcb_statuses[0]'],
  [{ min_tcb_date: '13.08.2025' }, 'min_tcb_date'],
  [{ collateral_grace_seconds: -1 }, 'collateral_grace_seconds'],
  [{ mr_td: [a48] }, 'mr_td'],
  [{ event_log: {} }, 'event_log'],
]

describe('the document', () => {
  it.each(TDX)('refuses tdx %o', (members, path) => expect(problems(about('tdx', members))[0]?.path).toBe(`tdx.${path}`))
  it.each(SGX)('refuses sgx %o', (members, path) => expect(problems(about('sgx', members))[0]?.path).toBe(`sgx.${path}`))

  it('tells rules over several members beside other problems', () => {
    const found = problems(
      about('tdx', { mr_td: 'any', td_attributes: { migratable: 'allow', servtd_ext: 'allow' }, xfam: { ignored: '0x1' } }),
    )
    expect(found.map(({ path }) => path).toSorted()).toEqual([
      'tdx.mr_td',
      'tdx.td_attributes.migratable',
      'tdx.td_attributes.servtd_ext',
      'tdx.xfam.ignored',
    ])
    expect(problems(about('tdx', { td_attributes: 5, xfam: null })).map(({ path }) => path)).toEqual(['tdx.td_attributes', 'tdx.xfam'])
  })

  it('takes every option of specification tdx.md section 7', () => {
    const tcb = {
      accepted_tcb_statuses: ['UpToDate', 'SWHardeningNeeded', 'OutOfDate'],
      accepted_advisories: ['INTEL-SA-00837'],
      denied_advisories: ['INTEL-SA-01036'],
      min_tcb_date: '2024-02-29',
      min_tcb_evaluation_data_number: 17,
      collateral_grace_seconds: 2_592_000,
      skew_seconds: 300,
      platform: {
        fmspcs: ['00806f050000'],
        ppids: ['aa'.repeat(16)],
        platform_instance_ids: ['aa'.repeat(16)],
        min_sgx_type: 'ScalableWithIntegrity',
        smt: 'forbid',
        dynamic_platform: 'forbid',
        cached_keys: 'require',
        min_pcesvn: 13,
        min_qe_isvsvn: 4,
      },
    }
    const tdx = {
      ...tcb,
      mr_td: [a48],
      rtmr0: [a48],
      rtmr1: [a48],
      rtmr2: [zero48],
      rtmr3: [zero48, a48],
      mr_seam: [a48],
      module_majors: [1, 5],
      mr_config_id: [zero48],
      initdata: 'require',
      mr_owner: [zero48],
      mr_owner_config: [zero48],
      mr_service_td: [a48],
      td_attributes: { values: ['0x10000000'], sept_ve_disable: 'azure-paravisor', migratable: 'allow', servtd_ext: 'allow', kl: 'deny' },
      xfam: { values: ['0x602e7'], ignored: '0x1800', allowed: '0xffffffffffffffff', required: 3 },
      min_tee_tcb_svn: '0b010400000000000000000000000000',
      tee_tcb_svn2_regression: 'warn',
      event_log: { ccel: 'require', dstack: 'require', replayed_rtmrs: [0, 1], secure_boot: 'require' },
    }
    const sgx = { ...tcb, mr_enclave: [a32], mr_signer: [a32], isv_prod_id: [0, 65_535], min_isv_svn: 3, debug: 'DANGEROUSLY_ALLOW' }
    const { document } = readPolicy(JSON.stringify({ name: 'a', tdx, sgx }), 'a')
    expect(document.sgx).toEqual(sgx)
    expect(document.tdx).toMatchObject({
      ...tdx,
      td_attributes: { values: ['0x0000000010000000'], sept_ve_disable: 'azure-paravisor', migratable: 'allow' },
      xfam: {
        values: ['0x00000000000602e7'],
        ignored: '0x0000000000001800',
        allowed: '0xffffffffffffffff',
        required: '0x0000000000000003',
      },
    })
  })
})
