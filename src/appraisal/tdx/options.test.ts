import { describe, expect, it } from 'vitest'
import { checksOf, soundTdx, type Options } from '../../../test/intel-judged.ts'
import { eventLog, upToDate } from '../../../test/intel-claims.ts'
import { a48, attributes, b48, is, judged, tcb, xfam, zero48 } from '../../../test/tdx-judged.ts'
import type { TdxClaims } from '../../verifiers/tdx/claims.ts'
import { TDX_PROBLEMS } from '../../verifiers/tdx/problems.ts'
import { codesOf } from '../verdict.ts'

const host = (changes: Partial<TdxClaims['platform']>): TdxClaims => is({ platform: { ...soundTdx.platform, ...changes } })
const qe = (isv_svn: number): TdxClaims => is({ qe: { ...soundTdx.qe, isv_svn } })
const boot = (secure_boot: boolean | null): TdxClaims => is({ event_log: { ...eventLog, facts: { ...eventLog.facts, secure_boot } } })
const noRtmrs = is({ rtmr0: zero48, rtmr1: zero48, rtmr2: zero48, rtmr3: zero48 })
const cleared = { ...soundTdx.td_attributes, value: '0000000000000000', sept_ve_disable: false }

/** Option under test, claims that it refuses, claims that it accepts, the code; the refused claims pass when the option is left out. */
type Row = readonly [options: Options, refused: TdxClaims, accepted: TdxClaims, code: string]

const ROWS: readonly Row[] = [
  [{ accepted_tcb_statuses: ['UpToDate'] }, tcb({ status: 'SWHardeningNeeded' }), soundTdx, 'tdx-tcb-status-not-accepted'],
  [
    { accepted_tcb_statuses: ['UpToDate', 'OutOfDate'] },
    tcb({ status: 'OutOfDateConfigurationNeeded' }),
    tcb({ status: 'OutOfDate' }),
    'tdx-tcb-status-not-accepted',
  ],
  [{ accepted_tcb_statuses: ['OutOfDate'] }, soundTdx, tcb({ status: 'OutOfDate' }), 'tdx-tcb-status-not-accepted'],
  [
    { accepted_tcb_statuses: ['UpToDate', 'OutOfDate'] },
    tcb({ status: 'TDRelaunchAdvised' }),
    tcb({ status: 'OutOfDate' }),
    'tdx-td-relaunch-advised',
  ],
  [
    { accepted_tcb_statuses: ['UpToDate', 'TDRelaunchAdvised'] },
    tcb({ status: 'TDRelaunchAdvisedConfigurationNeeded' }),
    tcb({ status: 'TDRelaunchAdvised' }),
    'tdx-td-relaunch-advised',
  ],
  [
    { denied_advisories: ['INTEL-SA-01036'] },
    tcb({ advisory_ids: ['INTEL-SA-00837', 'INTEL-SA-01036'] }),
    tcb({ advisory_ids: ['INTEL-SA-00837'] }),
    'tdx-advisory-not-accepted',
  ],
  [
    { denied_advisories: ['INTEL-SA-01036'] },
    tcb({ current: { ...upToDate, advisory_ids: ['INTEL-SA-01036'] } }),
    soundTdx,
    'tdx-advisory-not-accepted',
  ],
  [
    { denied_advisories: ['INTEL-SA-01036'] },
    tcb({ launch: { ...upToDate, advisory_ids: ['INTEL-SA-01036'] } }),
    soundTdx,
    'tdx-advisory-not-accepted',
  ],
  [
    { accepted_advisories: ['INTEL-SA-00837'] },
    tcb({ advisory_ids: ['INTEL-SA-00837', 'INTEL-SA-01036'] }),
    tcb({ advisory_ids: ['INTEL-SA-00837'] }),
    'tdx-advisory-not-accepted',
  ],
  [
    { min_tcb_date: '2025-08-14' },
    soundTdx,
    tcb({ tcb_date: '2025-08-14T00:00:00Z', launch: { ...upToDate, tcb_date: '2025-08-14T00:00:00.000Z' } }),
    'tdx-tcb-date-too-old',
  ],
  [{ min_tcb_date: '2025-08-13' }, tcb({ current: { ...upToDate, tcb_date: '2025-08-12T00:00:00Z' } }), soundTdx, 'tdx-tcb-date-too-old'],
  [{ min_tcb_date: '2025-08-13' }, tcb({ launch: { ...upToDate, tcb_date: '2025-08-12T23:59:59Z' } }), soundTdx, 'tdx-tcb-date-too-old'],
  [{ min_tcb_date: '2025-08-13' }, tcb({ tcb_date: 'soon' }), soundTdx, 'tdx-tcb-date-too-old'],
  [{ min_tcb_evaluation_data_number: 20 }, soundTdx, tcb({ qe_identity_evaluation_data_number: 20 }), 'tdx-tcb-evaluation-number-too-low'],
  [{ min_tcb_evaluation_data_number: 19 }, tcb({ tcb_info_evaluation_data_number: 18 }), soundTdx, 'tdx-tcb-evaluation-number-too-low'],
  [{ td_attributes: { debug: 'deny' } }, attributes({ value: '0100001000000000' }), soundTdx, 'tdx-td-debug'],
  ...['1000001000000000', '2000001000000000', '4000001000000000', '0200001000000000', '8000001000000000'].map((value): Row => [
    { td_attributes: { other_tud_bits: 'deny' } },
    attributes({ value }),
    soundTdx,
    'tdx-td-tud-bits-set',
  ]),
  ...['0001001000000000', '0000041000000000', '0000001400000000', '0000001001000000', '0000001000000020'].map((value): Row => [
    { td_attributes: { reserved_bits: 'deny' } },
    attributes({ value }),
    soundTdx,
    'tdx-td-attributes-reserved',
  ]),
  [{ td_attributes: { sept_ve_disable: 'require' } }, is({ td_attributes: cleared }), soundTdx, 'tdx-sept-ve-disable-required'],
  [
    { td_attributes: { sept_ve_disable: 'azure-paravisor' } },
    is({ td_attributes: cleared }),
    { ...noRtmrs, td_attributes: cleared },
    'tdx-sept-ve-disable-required',
  ],
  [
    { td_attributes: { sept_ve_disable: 'azure-paravisor' } },
    { ...noRtmrs, rtmr3: a48, td_attributes: cleared },
    soundTdx,
    'tdx-sept-ve-disable-required',
  ],
  ...(['icssd', 'perfmon', 'lass', 'pks', 'kl', 'tpa'] as const).map((option): Row => [
    { td_attributes: { [option]: 'deny' } },
    attributes({ [option]: true }),
    soundTdx,
    'tdx-td-attributes-not-allowed',
  ]),
  [
    { td_attributes: { values: ['0x10000000', '0x8000000050000000'], perfmon: 'allow' } },
    attributes({ value: '0000004000000000' }),
    attributes({ value: '0000005000000080' }),
    'tdx-td-attributes-not-allowed',
  ],
  [{ xfam: { allowed: '0x6dbe7' } }, xfam('e702160000000000'), soundTdx, 'tdx-xfam-not-allowed'],
  [{ xfam: { allowed: '0x6dbe7' } }, xfam('e702060000000080'), xfam('e7db060000000000'), 'tdx-xfam-not-allowed'],
  [{ xfam: { required: '0x60000' } }, xfam('0702000000000000'), soundTdx, 'tdx-xfam-not-allowed'],
  [{ xfam: { values: ['0x602e7', '0x207'] } }, xfam('e718060000000000'), xfam('0702000000000000'), 'tdx-xfam-not-allowed'],
  [{ xfam: { values: ['0x602e7'], ignored: '0x1800' } }, xfam('e700060000000000'), xfam('e71a060000000000'), 'tdx-xfam-not-allowed'],
  [{ mr_td: [a48, b48] }, soundTdx, is({ mr_td: b48 }), 'tdx-mrtd-not-allowed'],
  ...(['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map((register): Row => [
    { [register]: [a48, b48] },
    soundTdx,
    is({ [register]: b48 }),
    'tdx-rtmr-mismatch',
  ]),
  [{ rtmr3: [zero48] }, noRtmrs, is({ rtmr3: zero48 }), 'tdx-rtmr-mismatch'],
  [{ mr_seam: [a48] }, soundTdx, is({ mr_seam: a48 }), 'tdx-mrseam-not-allowed'],
  [{ module_majors: [1] }, is({ tee_tcb_svn: '0b030400000000000000000000000000' }), soundTdx, 'tdx-mrseam-not-allowed'],
  [
    { module_majors: [1, 5] },
    is({ tee_tcb_svn2: '0b030400000000000000000000000000' }),
    is({ tee_tcb_svn2: null }),
    'tdx-mrseam-not-allowed',
  ],
  [{ mr_config_id: [a48] }, soundTdx, is({ mr_config_id: a48 }), 'tdx-mrconfigid-mismatch'],
  [{ initdata: 'require' }, is({ initdata: null }), soundTdx, 'tdx-mrconfigid-mismatch'],
  [{ initdata: 'require' }, is({ initdata: { sha384: a48, binding: 'none' } }), soundTdx, 'tdx-mrconfigid-mismatch'],
  [{ initdata: 'bound-if-sent' }, is({ initdata: { sha384: a48, binding: 'none' } }), is({ initdata: null }), 'tdx-mrconfigid-mismatch'],
  [{ mr_owner: [a48, zero48] }, soundTdx, is({ mr_owner: zero48 }), 'tdx-mrowner-mismatch'],
  [{ mr_owner_config: [a48] }, soundTdx, is({ mr_owner_config: a48 }), 'tdx-mrownerconfig-mismatch'],
  [
    { min_tee_tcb_svn: '02020400000000000000000000000000' },
    soundTdx,
    is({ tee_tcb_svn: '02020400000000000000000000000000' }),
    'tdx-tee-tcb-svn-too-low',
  ],
  [
    { min_tee_tcb_svn: '0c010400000000000000000000000000' },
    soundTdx,
    is({ tee_tcb_svn: '00020400000000000000000000000000' }),
    'tdx-tee-tcb-svn-too-low',
  ],
  [
    { min_tee_tcb_svn: '0b010500000000000000000000000000' },
    is({ tee_tcb_svn: 'ffff04ffffffffffffffffffffffffff' }),
    is({ tee_tcb_svn: '0b010500000000000000000000000000' }),
    'tdx-tee-tcb-svn-too-low',
  ],
  [
    { min_tee_tcb_svn: '00000000000000000000000000000001' },
    soundTdx,
    is({ tee_tcb_svn: '00000000000000000000000000000001' }),
    'tdx-tee-tcb-svn-too-low',
  ],
  [
    { tee_tcb_svn2_regression: 'refuse' },
    is({ tee_tcb_svn2: '0a010400000000000000000000000000' }),
    is({ tee_tcb_svn2: '00020400000000000000000000000000' }),
    'tdx-tee-tcb-svn2-regression',
  ],
  [
    { tee_tcb_svn2_regression: 'refuse' },
    is({ tee_tcb_svn2: '0d010300000000000000000000000000' }),
    is({ tee_tcb_svn2: null }),
    'tdx-tee-tcb-svn2-regression',
  ],
  [{ platform: { min_pcesvn: 14 } }, soundTdx, host({ pcesvn: 14 }), 'tdx-pcesvn-too-low'],
  [{ platform: { min_qe_isvsvn: 5 } }, soundTdx, qe(5), 'tdx-qe-isvsvn-too-low'],
  [{ platform: { fmspcs: ['00806f050000'] } }, soundTdx, host({ fmspc: '00806f050000' }), 'tdx-platform-not-allowed'],
  [{ platform: { ppids: ['aa'.repeat(16)] } }, soundTdx, host({ ppid: 'aa'.repeat(16) }), 'tdx-platform-not-allowed'],
  [
    { platform: { platform_instance_ids: ['aa'.repeat(16)] } },
    host({ platform_instance_id: null }),
    host({ platform_instance_id: 'aa'.repeat(16) }),
    'tdx-platform-not-allowed',
  ],
  [
    { platform: { platform_instance_ids: ['aa'.repeat(16)] } },
    soundTdx,
    host({ platform_instance_id: 'aa'.repeat(16) }),
    'tdx-platform-not-allowed',
  ],
  [
    { platform: { min_sgx_type: 'ScalableWithIntegrity' } },
    host({ sgx_type: 'Scalable' }),
    soundTdx,
    'tdx-platform-configuration-not-allowed',
  ],
  [
    { platform: { min_sgx_type: 'Scalable' } },
    host({ sgx_type: 'Standard' }),
    host({ sgx_type: 'Scalable' }),
    'tdx-platform-configuration-not-allowed',
  ],
  ...(
    [
      ['smt', 'smt_enabled'],
      ['dynamic_platform', 'dynamic_platform'],
      ['cached_keys', 'cached_keys'],
    ] as const
  ).flatMap(([option, field]): readonly Row[] => {
    const code = 'tdx-platform-configuration-not-allowed'
    return [
      [{ platform: { [option]: 'forbid' } }, host({ [field]: true }), host({ [field]: false }), code],
      [{ platform: { [option]: 'require' } }, host({ [field]: false }), host({ [field]: true }), code],
      [{ platform: { [option]: 'forbid' } }, host({ [field]: null }), host({ [field]: false }), code],
      [{ platform: { [option]: 'require' } }, host({ [field]: null }), host({ [field]: true }), code],
    ]
  }),
  [{ event_log: { ccel: 'require' } }, is({ event_log: null }), soundTdx, 'tdx-event-log-required'],
  [{ event_log: { ccel: 'require' } }, is({ event_log: { ...eventLog, source: 'dstack' } }), soundTdx, 'tdx-event-log-required'],
  [
    { event_log: { dstack: 'require' } },
    is({ event_log: { ...eventLog, source: 'ccel' } }),
    is({ event_log: { ...eventLog, source: 'dstack' } }),
    'tdx-event-log-required',
  ],
  [{ event_log: { secure_boot: 'require' } }, boot(false), boot(true), 'tdx-secure-boot-required'],
  [{ event_log: { secure_boot: 'require' } }, boot(null), boot(true), 'tdx-secure-boot-required'],
  [{ event_log: { secure_boot: 'require' } }, is({ event_log: null }), boot(true), 'tdx-secure-boot-required'],
]

describe('each option about TDX', () => {
  it.each(ROWS)('%j refuses what it is about, and only that', (...[options, refused, accepted, code]) => {
    const refusal = judged(options, refused)
    expect(codesOf(checksOf(refusal), 'fail')).toEqual([code])
    expect(refusal.code).toBe(code)
    expect(refusal.appraisal.status).toBe('contraindicated')
    expect(codesOf(checksOf(judged(options, accepted)), 'fail')).toEqual([])
    expect(codesOf(checksOf(judged({}, refused)), 'fail')).toEqual([])
  })
})

describe('the options about TDX', () => {
  it('between them have a test for every code that a policy about TDX can give', () => {
    const elsewhere = ['tdx-mrservicetd-not-allowed', 'tdx-td-migratable-not-allowed', 'tdx-mrtd-policy-missing']
    const tested = new Set([...ROWS.map(([, , , code]) => code), ...elsewhere])
    const codes = Object.entries(TDX_PROBLEMS).flatMap(([code, { kind }]) => (kind === 'not-acceptable' ? [code] : []))
    expect(codes.filter((code) => code.startsWith('tdx-') && !tested.has(code))).toEqual([])
  })
})
