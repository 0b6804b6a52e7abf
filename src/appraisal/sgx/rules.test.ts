import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, judgedUnder, soundSgx, type Options } from '../../../test/intel-judged.ts'
import type { SgxClaims } from '../../verifiers/tdx/claims.ts'
import { TDX_PROBLEMS } from '../../verifiers/tdx/problems.ts'
import type { Judgement } from '../appraisal.ts'
import { codesOf } from '../verdict.ts'

/** Nothing is refused but by the option under test. */
const LENIENT = {
  mr_enclave: 'DANGEROUSLY_ACCEPT_ANY',
  debug: 'DANGEROUSLY_ALLOW',
  accepted_tcb_statuses: [
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
  ],
}

const judged = (options: Options, claims: SgxClaims): Judgement => judgedUnder({ sgx: options }, genuineQuote({ sgx: claims }))

const is = (changes: Partial<SgxClaims>): SgxClaims => ({ ...soundSgx, ...changes })
const tcb = (changes: Partial<SgxClaims['tcb']>): SgxClaims => is({ tcb: { ...soundSgx.tcb, ...changes } })
const host = (changes: Partial<SgxClaims['platform']>): SgxClaims => is({ platform: { ...soundSgx.platform, ...changes } })

const [a32, b32] = ['aa'.repeat(32), 'bb'.repeat(32)]

/** Option under test, claims that it refuses, claims that it accepts, the code; the refused claims pass when the option is left out. */
type Row = readonly [options: Options, refused: SgxClaims, accepted: SgxClaims, code: string]

const ROWS: readonly Row[] = [
  [{ debug: 'deny' }, is({ debug: true }), soundSgx, 'sgx-debug'],
  [{ mr_enclave: [a32, b32] }, soundSgx, is({ mr_enclave: b32 }), 'sgx-mrenclave-not-allowed'],
  [{ mr_signer: [a32] }, soundSgx, is({ mr_signer: a32 }), 'sgx-mrsigner-not-allowed'],
  [{ isv_prod_id: [8, 0] }, soundSgx, is({ isv_prod_id: 0 }), 'sgx-isvprodid-not-allowed'],
  [{ min_isv_svn: 4 }, soundSgx, is({ isv_svn: 4 }), 'sgx-isvsvn-too-low'],
  [{ accepted_tcb_statuses: ['UpToDate'] }, tcb({ status: 'ConfigurationAndSWHardeningNeeded' }), soundSgx, 'tdx-tcb-status-not-accepted'],
  [{ denied_advisories: ['INTEL-SA-00615'] }, tcb({ advisory_ids: ['INTEL-SA-00615'] }), soundSgx, 'tdx-advisory-not-accepted'],
  [{ accepted_advisories: ['INTEL-SA-00614'] }, tcb({ advisory_ids: ['INTEL-SA-00615'] }), soundSgx, 'tdx-advisory-not-accepted'],
  [{ min_tcb_date: '2025-08-13' }, tcb({ tcb_date: '2024-03-13T00:00:00Z' }), soundSgx, 'tdx-tcb-date-too-old'],
  [{ min_tcb_evaluation_data_number: 17 }, tcb({ qe_identity_evaluation_data_number: 16 }), soundSgx, 'tdx-tcb-evaluation-number-too-low'],
  [{ platform: { min_pcesvn: 14 } }, soundSgx, host({ pcesvn: 14 }), 'tdx-pcesvn-too-low'],
  [{ platform: { min_qe_isvsvn: 5 } }, soundSgx, is({ qe: { ...soundSgx.qe, isv_svn: 5 } }), 'tdx-qe-isvsvn-too-low'],
  [{ platform: { fmspcs: ['00606a000000'] } }, soundSgx, host({ fmspc: '00606a000000' }), 'tdx-platform-not-allowed'],
  [{ platform: { min_sgx_type: 'Scalable' } }, host({ sgx_type: 'Standard' }), soundSgx, 'tdx-platform-configuration-not-allowed'],
  [{ platform: { smt: 'forbid' } }, host({ smt_enabled: null }), host({ smt_enabled: false }), 'tdx-platform-configuration-not-allowed'],
]

describe('each option about SGX', () => {
  it.each(ROWS)('%j refuses what it is about, and only that', (...[options, refused, accepted, code]) => {
    const refusal = judged({ ...LENIENT, ...options }, refused)
    expect(codesOf(checksOf(refusal), 'fail')).toEqual([code])
    expect(refusal.code).toBe(code)
    expect(judged({ ...LENIENT, ...options }, accepted)).toMatchObject({ code: undefined, appraisal: { status: 'affirming' } })
    expect(judged(LENIENT, refused).code).toBeUndefined()
  })
})

describe('which enclaves may run', () => {
  it.each([
    ['nothing', {}],
    ['a signer alone', { mr_signer: [soundSgx.mr_signer] }],
    ['a product alone', { isv_prod_id: [7] }],
  ])('is not said by %s, so everything is refused', (_, options) => {
    expect(codesOf(checksOf(judged(options, soundSgx)), 'fail')).toEqual(['sgx-identity-policy-missing'])
  })

  it.each([
    ['an enclave', { mr_enclave: [soundSgx.mr_enclave] }],
    ['a signer with a product', { mr_signer: [soundSgx.mr_signer], isv_prod_id: [7] }],
    ['an enclave and its signer', { mr_enclave: [soundSgx.mr_enclave], mr_signer: [soundSgx.mr_signer] }],
  ])('is said by %s', (_, options) => {
    expect(judged(options, soundSgx)).toMatchObject({ code: undefined, appraisal: { status: 'affirming' } })
    expect(judged(options, is({ mr_enclave: a32, mr_signer: b32, isv_prod_id: 8 })).code).toMatch(/^sgx-.*-not-allowed$/)
  })

  it('asks all lists that there are', () => {
    const options = { mr_enclave: [soundSgx.mr_enclave], mr_signer: [a32], isv_prod_id: [8] }
    expect(codesOf(checksOf(judged(options, soundSgx)), 'fail')).toEqual(['sgx-mrsigner-not-allowed', 'sgx-isvprodid-not-allowed'])
  })
})

describe('answers about SGX', () => {
  const accepted = { mr_enclave: [soundSgx.mr_enclave] }

  it('name every question about the platform and the enclave, asked or not', () => {
    const ids = new Set(checksOf(judged(accepted, soundSgx)).map(({ id }) => id))
    const numbers = [61, 62, 64, 65, 66, 80, 81, 82, 89].map((number) => `TDX-${number}`)
    expect(ids).toEqual(new Set(['TDX-52', ...numbers, 'TYPE', 'COMPOSITION', 'KEY']))
  })

  it('refuse a debug enclave whose TCB is accepted (matrix row 86)', () => {
    const options = { ...accepted, accepted_tcb_statuses: ['UpToDate', 'OutOfDate'] }
    expect(judged(options, { ...tcb({ status: 'OutOfDate' }), debug: true }).code).toBe('sgx-debug')
    expect(judged(options, tcb({ status: 'OutOfDate' })).code).toBeUndefined()
  })

  it('do not look at what the policy says of TDs', () => {
    const document = { sgx: accepted, tdx: { platform: { min_pcesvn: 14 }, accepted_tcb_statuses: ['OutOfDate'] } }
    expect(judgedUnder(document, genuineQuote({ sgx: soundSgx })).code).toBeUndefined()
  })

  it('list the advisories that apply', () => {
    const { appraisal } = judged(accepted, tcb({ advisory_ids: ['INTEL-SA-00615'] }))
    expect(appraisal.evidence[0]?.advisories).toMatchObject([{ id: 'INTEL-SA-00615', mode: 'report', applies: true }])
  })

  it('between them have a test for every code about enclaves that a policy can give', () => {
    const tested = new Set([...ROWS.map(([, , , code]) => code), 'sgx-identity-policy-missing'])
    const codes = Object.entries(TDX_PROBLEMS).flatMap(([code, { kind }]) => (kind === 'not-acceptable' ? [code] : []))
    expect(codes.filter((code) => code.startsWith('sgx-') && !tested.has(code))).toEqual([])
  })
})
