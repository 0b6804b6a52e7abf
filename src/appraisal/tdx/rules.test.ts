import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx, type Options } from '../../../test/intel-judged.ts'
import { eventLog, upToDate } from '../../../test/intel-claims.ts'
import { a48, ALL_STATUSES, attributes, b48, is, judged, LENIENT, strictly, tcb, xfam, zero48 } from '../../../test/tdx-judged.ts'
import type { TcbClaims } from '../../verifiers/tdx/claims.ts'
import { codesOf } from '../verdict.ts'

describe('what no option is needed for', () => {
  it.each([
    ['bit 0 alone', 'e602060000000000'],
    ['bit 1 alone', 'e502060000000000'],
    ['a part of AVX-512', '6702060000000000'],
    ['a part of CET', 'e70a060000000000'],
    ['a part of AMX', 'e702020000000000'],
  ])('XFAM with %s is refused', (_, value) => expect(judged({}, xfam(value)).code).toBe('tdx-xfam-not-allowed'))

  it.each([
    ['MRSERVICETD', is({ mr_service_td: a48 })],
    ['INIT_SERVTD_HASH', is({ init_servtd_hash: a48 })],
    ['CUR_SERVTD_HASH', is({ cur_servtd_hash: a48 })],
  ])('a service TD in %s is refused unless it is listed', (_, claims) => {
    expect(judged({}, claims).code).toBe('tdx-mrservicetd-not-allowed')
    expect(judged({ mr_service_td: [b48] }, claims).code).toBe('tdx-mrservicetd-not-allowed')
    expect(judged({ mr_service_td: [b48, a48] }, claims).code).toBeUndefined()
  })

  it('a list of service TDs does not ask that one is bound', () => {
    expect(judged({ mr_service_td: [a48] }, soundTdx).code).toBeUndefined()
    expect(judged({}, is({ mr_service_td: null, init_servtd_hash: null, cur_servtd_hash: null })).code).toBeUndefined()
  })

  it.each([
    ['migratable', 'tdx-td-migratable-not-allowed'],
    ['servtd_ext', 'tdx-td-attributes-not-allowed'],
  ] as const)('%s is refused unless it is allowed and a listed service TD is bound', (option, code) => {
    const options = { mr_service_td: [a48], td_attributes: { ...LENIENT.td_attributes, [option]: 'allow' } }
    const bound = { ...attributes({ [option]: true }), mr_service_td: a48 }
    expect(judged({ mr_service_td: [a48] }, bound).code).toBe(code)
    expect(judged(options, bound).code).toBeUndefined()
    expect(judged(options, { ...bound, mr_service_td: zero48 }).code).toBe('tdx-mrservicetd-not-allowed')
    expect(judged(options, { ...bound, mr_service_td: null }).code).toBe('tdx-mrservicetd-not-allowed')
    expect(judged(options, { ...bound, mr_service_td: b48 }).code).toBe('tdx-mrservicetd-not-allowed')
  })

  it('a log that does not lead to a register that the policy names is refused, by whatever rigour it was verified', () => {
    const partial = is({ event_log: { ...eventLog, replayed: [1, 2, 3] } })
    expect(judged({}, partial).code).toBe('tdx-event-log-replay-mismatch')
    expect(judged({ event_log: { replayed_rtmrs: [1, 2] } }, partial).code).toBeUndefined()
  })

  it('a revoked TCB is never acceptable, should it ever reach the rules', () => {
    expect(judged({}, tcb({ status: 'Revoked' })).code).toBe('tdx-tcb-status-not-accepted')
  })
})

describe('the strict values', () => {
  it('accept a sound TD', () => {
    expect(strictly({}, soundTdx)).toMatchObject({ code: undefined, appraisal: { status: 'affirming' } })
  })

  it('refuse everything without a list of MRTD', () => {
    expect(judgedUnder({}, genuineQuote({ tdx: soundTdx })).code).toBe('tdx-mrtd-policy-missing')
  })

  it.each([
    ['tdx-td-debug', attributes({ value: '0100001000000000', debug: true })],
    ['tdx-td-tud-bits-set', attributes({ value: '2000001000000000', perf_prof: true })],
    ['tdx-td-attributes-reserved', attributes({ value: '0000001000000001' })],
    ['tdx-sept-ve-disable-required', attributes({ value: '0000004000000000', sept_ve_disable: false, pks: true })],
    ['tdx-td-migratable-not-allowed', attributes({ value: '0000003000000000', migratable: true })],
    ['tdx-td-attributes-not-allowed', attributes({ value: '0000001000000080', perfmon: true })],
    ['tdx-td-attributes-not-allowed', attributes({ value: '0000011000000000', icssd: true })],
    ['tdx-td-attributes-not-allowed', attributes({ value: '0000021000000000', servtd_ext: true })],
    ['tdx-xfam-not-allowed', xfam('e702160000000000')],
    ['tdx-mrservicetd-not-allowed', is({ mr_service_td: a48 })],
    ['tdx-mrconfigid-mismatch', is({ initdata: { sha384: a48, binding: 'none' } })],
    ['tdx-tee-tcb-svn2-regression', is({ tee_tcb_svn2: '0a010400000000000000000000000000' })],
    ...ALL_STATUSES.slice(1, 6).map((status) => ['tdx-tcb-status-not-accepted', tcb({ status: status as TcbClaims['status'] })] as const),
    ['tdx-td-relaunch-advised', tcb({ status: 'TDRelaunchAdvised' })],
    ['tdx-td-relaunch-advised', tcb({ status: 'TDRelaunchAdvisedConfigurationNeeded' })],
  ] as const)('refuse with %s', (code, claims) => {
    expect(codesOf(checksOf(strictly({}, claims)), 'fail')).toContain(code)
    expect(strictly({}, claims).code).not.toBeUndefined()
  })

  it('accept the attributes that section 6.1 allows', () => {
    const claims = attributes({ value: '000000d800000040', lass: true, pks: true, kl: true, tpa: true })
    expect(strictly({}, claims).code).toBeUndefined()
  })

  it('ask nothing of logs that were not sent', () => {
    expect(strictly({}, is({ event_log: null, initdata: null })).code).toBeUndefined()
  })
})

const said = (changes: Partial<TcbClaims>) => checksOf(strictly({}, tcb(changes))).find(({ id }) => id === 'TDX-61')?.actual

describe('answers about TDX', () => {
  it('name every question of the specification, asked or not, in its order', () => {
    const ids = checksOf(strictly({}, soundTdx)).map(({ id }) => id)
    const numbers = Array.from({ length: 22 }, (_, at) => `TDX-${61 + at}`).filter((id) => id !== 'TDX-79')
    expect([...new Set(ids)]).toEqual(['TDX-52', ...numbers, 'TDX-83', 'TDX-84', 'BOOT', 'TYPE', 'COMPOSITION', 'KEY'])
    const asked = checksOf(strictly({}, soundTdx)).filter((check) => check.outcome !== 'skip')
    expect(asked.every((check) => check.origin !== undefined)).toBe(true)
  })

  it('name the shortfall: which component lacks what, which advisories apply, of when the level is and when the next verdict changes', () => {
    const short = tcb({
      status: 'OutOfDate',
      platform: 'OutOfDate',
      advisory_ids: ['INTEL-SA-00837', 'INTEL-SA-01036'],
      tcb_date: '2024-03-13T00:00:00Z',
      needed_tcb_date: '2025-08-13T00:00:00Z',
      shortfall: [
        { component: 'sgx component 7', actual: 3, needed: 4, category: 'BIOS', type: 'SEAMLDR ACM' },
        { component: 'pcesvn', actual: 11, needed: 13, category: null, type: null },
      ],
      launch: { ...upToDate, status: 'OutOfDate' },
      current: { ...upToDate, status: 'OutOfDate' },
      early_status: 'OutOfDateConfigurationNeeded',
    })
    const check = checksOf(strictly({}, short)).find(({ id }) => id === 'TDX-61')
    expect(check).toMatchObject({ outcome: 'fail', expected: 'UpToDate', origin: 'policy' })
    expect(check?.actual).toBe(
      'OutOfDate; platform OutOfDate, module UpToDate, qe UpToDate; at launch OutOfDate, now OutOfDate; ' +
        'sgx component 7 (BIOS, SEAMLDR ACM): 3, needs 4, pcesvn: 11, needs 13; INTEL-SA-00837, INTEL-SA-01036; ' +
        'level of 2024-03-13, needs 2025-08-13; early: OutOfDateConfigurationNeeded',
    )
  })

  it('say little of a TCB that lacks nothing, and what is coming', () => {
    expect(said({})).toBe('UpToDate; level of 2025-08-13')
    expect(said({ early_status: 'OutOfDate' })).toBe('UpToDate; level of 2025-08-13; early: OutOfDate')
    expect(said({ early_status: null, early_code: 'tdx-tcb-not-supported' })).toBe(
      'UpToDate; level of 2025-08-13; early: tdx-tcb-not-supported',
    )
  })

  it('speak of launch and present only where both were judged', () => {
    const half = said({ status: 'OutOfDate', early_status: null, launch: { ...upToDate, status: 'OutOfDate' } })
    expect(half).toBe('OutOfDate; platform UpToDate, module UpToDate, qe UpToDate; level of 2025-08-13')
    expect(said({ status: 'OutOfDate', early_status: null, module: null })).toBe(
      'OutOfDate; platform UpToDate, qe UpToDate; level of 2025-08-13',
    )
  })

  it.each([
    ['TDX-73', {}, 'none'],
    ['TDX-73', { mr_service_td: [a48] }, `none but ${a48}`],
    ['TDX-82', { platform: { smt: 'forbid' } }, 'off'],
    ['TDX-82', { platform: { smt: 'require' } }, 'on'],
    ['TDX-69', {}, 'set'],
    ['TDX-69', { td_attributes: { sept_ve_disable: 'azure-paravisor' } }, 'set, or clear with all RTMRs zero'],
    ['TDX-83', { event_log: { dstack: 'require' } }, 'dstack'],
  ])('say in %s under %j that %s is expected', (id, options, expected) => {
    const told = checksOf(strictly(options, soundTdx)).filter((check) => check.id === id && check.outcome !== 'skip')
    expect(told.map((check) => check.expected)).toEqual([expected])
  })

  it('tell long lists by their beginning', () => {
    const ids = Array.from({ length: 9 }, (_, at) => `INTEL-SA-0100${at}`)
    const check = checksOf(strictly({}, tcb({ advisory_ids: ids }))).find(({ id }) => id === 'TDX-64')
    expect(check?.actual).toMatch(/^INTEL-SA-01000, .*INTEL-SA-01007, … \(9 in all\)$/)
  })

  it('list the advisories that apply, and what the policy makes of each', () => {
    const applying = tcb({ advisory_ids: ['INTEL-SA-00837'], current: { ...upToDate, advisory_ids: ['INTEL-SA-01036'] } })
    const results = (options: Options) => judged(options, applying).appraisal.evidence[0]?.advisories.map(({ id, mode }) => [id, mode])
    expect(results({})).toEqual([
      ['INTEL-SA-00837', 'report'],
      ['INTEL-SA-01036', 'report'],
    ])
    expect(results({ denied_advisories: ['INTEL-SA-01036'] })?.at(1)).toEqual(['INTEL-SA-01036', 'refuse'])
    expect(results({ accepted_advisories: ['INTEL-SA-01036'] })?.at(0)).toEqual(['INTEL-SA-00837', 'refuse'])
    expect(judged({}, applying).appraisal.evidence[0]?.advisories[0]).toEqual({
      id: 'INTEL-SA-00837',
      mode: 'report',
      applies: true,
      url: 'https://www.intel.com/content/www/us/en/security-center/advisory/intel-sa-00837.html',
    })
  })

  it('warn of a TCB that has fallen since the launch where the policy says so', () => {
    const fallen = is({ tee_tcb_svn2: '0a010400000000000000000000000000' })
    const judgement = strictly({ tee_tcb_svn2_regression: 'warn' }, fallen)
    expect(judgement).toMatchObject({ code: 'tdx-tee-tcb-svn2-regression', appraisal: { status: 'warning' } })
    expect(judged({}, fallen)).toMatchObject({ code: undefined, appraisal: { status: 'warning' } })
  })

  it('collect every refusal and answer for the one nearest the root of trust', () => {
    const judgement = strictly({}, { ...attributes({ value: '0100001000000000' }), mr_td: a48, tcb: { ...upToDate, status: 'OutOfDate' } })
    expect(codesOf(checksOf(judgement), 'fail')).toEqual(['tdx-tcb-status-not-accepted', 'tdx-td-debug', 'tdx-mrtd-not-allowed'])
    expect(judgement.code).toBe('tdx-tcb-status-not-accepted')
  })

  it('come from the rules of every technology whose claims there are', () => {
    const codes = codesOf(checksOf(judgedUnder({}, genuineQuote({ tdx: soundTdx, sgx: { ...soundSgx, debug: true } }))), 'fail')
    expect(codes).toEqual(['tdx-mrtd-policy-missing', 'sgx-debug', 'sgx-identity-policy-missing'])
  })
})
