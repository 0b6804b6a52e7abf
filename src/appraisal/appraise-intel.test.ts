import { describe, expect, it } from 'vitest'
import { eventLog } from '../../test/intel-claims.ts'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx, type Options } from '../../test/intel-judged.ts'
import { problemOf, type ProblemCode } from '../verifiers/problems.ts'
import type { TdxClaims } from '../verifiers/tdx/claims.ts'
import type { Check, Claims, Finding } from '../verifiers/verifier.ts'
import { checksForReader } from './visibility.ts'

const validUntil = new Date('2026-12-01T00:00:00Z')
const passed: Check = { id: 'TDX-01', title: 'x', outcome: 'pass' }
const failed = (code: ProblemCode): Check => ({ id: 'TDX-00', title: 'x', outcome: 'fail', code })
const warned = (code: ProblemCode): Check => ({ id: 'TDX-00', title: 'x', outcome: 'warn', code })

const good = { tdx: { mr_td: [soundTdx.mr_td] }, sgx: { mr_enclave: [soundSgx.mr_enclave] } }
const judged = (finding: Finding, document: Options = good) => judgedUnder(document, finding)

describe('a genuine quote', () => {
  it.each([
    ['tdx', { tdx: soundTdx }],
    ['sgx', { sgx: soundSgx }],
  ] as const)('of %s is affirmed where the policy accepts it', (type, claims) => {
    const { code, appraisal } = judged(genuineQuote(claims))
    expect(code).toBeUndefined()
    expect(appraisal).toMatchObject({ status: 'affirming', evidence: [{ label: 'cpu0', type, status: 'affirming', claims }] })
    expect(appraisal.evidence[0]?.trustworthiness).toEqual({
      'instance-identity': 0,
      configuration: 2,
      executables: 3,
      'file-system': 0,
      hardware: 2,
      'runtime-opaque': 2,
      'storage-opaque': 0,
      'sourced-data': 0,
    })
  })

  it.each([
    ['tdx', { tdx: soundTdx }, 'tdx-mrtd-policy-missing'],
    ['sgx', { sgx: soundSgx }, 'sgx-identity-policy-missing'],
  ] as const)('of %s is refused by a policy that says nothing of it', (_, claims, code) => {
    expect(judged(genuineQuote(claims), { snp: { measurements: ['aa'.repeat(48)] } }).code).toBe(code)
  })
})

describe('warnings of the verifier', () => {
  it.each(['tdx-header-reserved-nonzero', 'tdx-crl-expired', 'tdx-tcb-info-expired', 'tdx-qe-identity-expired'] as const)(
    '%s lowers no status, and is told',
    (code) => {
      const { code: refusal, appraisal } = judged(genuineQuote({ tdx: soundTdx }, warned(code)))
      expect(refusal).toBeUndefined()
      expect(appraisal).toMatchObject({ status: 'affirming', evidence: [{ trustworthiness: { hardware: 2 } }] })
      expect(appraisal.evidence[0]?.checks).toContainEqual(warned(code))
    },
  )

  it.each(['tdx-header-reserved-nonzero', 'tdx-crl-expired', 'tdx-tcb-info-expired', 'tdx-qe-identity-expired'] as const)(
    '%s refuses where it is a failure',
    (code) => expect(judged({ checks: [passed, failed(code)], validUntil }).code).toBe(code),
  )

  it('of any other code count', () => {
    expect(judged(genuineQuote({ tdx: soundTdx }, warned('tdx-collateral-rollback')))).toMatchObject({
      code: 'tdx-collateral-rollback',
      appraisal: { status: 'warning' },
    })
  })
})

describe('a quote that is not genuine', () => {
  it.each([
    ['tdx-root-ca-untrusted', 97],
    ['tdx-pck-chain-incomplete', 97],
    ['tdx-intermediate-ca-invalid', 97],
    ['tdx-pck-cert-invalid-signature', 97],
    ['tdx-tcb-not-supported', 97],
    ['tdx-tdx-module-tcb-not-supported', 97],
    ['tdx-qe-tcb-not-supported', 97],
    ['tdx-tdx-module-mismatch', 97],
    ['tdx-pck-cert-revoked', 96],
    ['tdx-intermediate-ca-revoked', 96],
    ['tdx-tcb-signing-cert-revoked', 96],
    ['tdx-tcb-revoked', 96],
    ['tdx-quote-invalid-signature', 99],
    ['tdx-tcb-info-expired', 0],
    ['tdx-pck-crl-missing', 0],
  ] as const)('by %s has hardware %d and no claims', (code, hardware) => {
    const { appraisal, code: refusal } = judged({ checks: [passed, failed(code)], claims: { tdx: soundTdx }, validUntil })
    expect(refusal).toBe(code)
    expect(appraisal.evidence[0]).toMatchObject({ status: 'contraindicated', claims: {}, trustworthiness: { hardware, executables: 0 } })
  })

  it.each([
    'tdx-root-ca-untrusted',
    'tdx-intermediate-ca-revoked',
    'tdx-pck-cert-revoked',
    'tdx-tcb-signing-cert-revoked',
    'tdx-tcb-revoked',
  ] as const)('by %s is refused, whatever else is missing', (code) => {
    const checks = [passed, failed('tdx-root-crl-missing'), failed(code)]
    expect(judged({ checks, validUntil, undecided: 'collateral-unavailable' }).code).toBe(code)
  })

  it('by anything else stays undecided while a document is missing', () => {
    const checks = [passed, failed('tdx-tcb-not-supported')]
    expect(judged({ checks, validUntil, undecided: 'collateral-unavailable' }).code).toBe('collateral-unavailable')
  })
})

const vector = (members: Options, claims: Claims = { tdx: soundTdx }) =>
  judged(genuineQuote(claims), members).appraisal.evidence[0]?.trustworthiness
const td = (members: Options, changes: Partial<TdxClaims> = {}) => vector({ tdx: members }, { tdx: { ...soundTdx, ...changes } })

describe('the trustworthiness vector of a TD', () => {
  const mr_td = [soundTdx.mr_td]

  it('claims nothing of executables where MRTD was not compared', () => {
    expect(td({ mr_td: 'DANGEROUSLY_ACCEPT_ANY' })).toMatchObject({ executables: 0 })
    expect(td({ mr_td: 'DANGEROUSLY_ACCEPT_ANY', rtmr1: [soundTdx.rtmr1] })).toMatchObject({ executables: 0 })
    expect(td({ mr_td: ['aa'.repeat(48)] })).toMatchObject({ executables: 96 })
    expect(td({ mr_td, rtmr1: ['aa'.repeat(48)] })).toMatchObject({ executables: 96 })
    expect(td({ mr_td, mr_config_id: ['aa'.repeat(48)] })).toMatchObject({ executables: 96 })
  })

  it.each([
    ['debug', '0100001000000000'],
    ['profiling', '2000001000000000'],
  ])('claims nothing of memory under %s, even where the policy accepts it', (_, value) => {
    const lenient = { mr_td, td_attributes: { debug: 'DANGEROUSLY_ALLOW', other_tud_bits: 'DANGEROUSLY_ALLOW' } }
    const td_attributes = { ...soundTdx.td_attributes, value }
    expect(td(lenient, { td_attributes })).toMatchObject({ 'runtime-opaque': 0, configuration: 2 })
    expect(td({ mr_td }, { td_attributes })).toMatchObject({ 'runtime-opaque': 0, configuration: 96 })
  })

  it('has hardware unsafe wherever Intel asks for more, also where the policy accepts it', () => {
    const tcb = { ...soundTdx.tcb, status: 'OutOfDate' } as const
    expect(td({ mr_td, accepted_tcb_statuses: ['OutOfDate'] }, { tcb })).toMatchObject({ hardware: 32 })
    expect(td({ mr_td }, { tcb })).toMatchObject({ hardware: 96 })
    expect(vector({ sgx: { ...good.sgx, accepted_tcb_statuses: ['OutOfDate'] } }, { sgx: { ...soundSgx, tcb } })).toMatchObject({
      hardware: 32,
    })
    expect(td({ mr_td, platform: { fmspcs: ['00806f050000'] } })).toMatchObject({ hardware: 96, 'instance-identity': 0 })
    expect(td({ mr_td, min_tee_tcb_svn: 'ff'.repeat(16) })).toMatchObject({ hardware: 96 })
    expect(td({ mr_td, tee_tcb_svn2_regression: 'warn' }, { tee_tcb_svn2: '00'.repeat(16) })).toMatchObject({ hardware: 32 })
  })

  it('knows an instance only by a list of machines', () => {
    expect(td({ mr_td, platform: { fmspcs: [soundTdx.platform.fmspc] } })).toMatchObject({ 'instance-identity': 0 })
    expect(td({ mr_td, platform: { ppids: [soundTdx.platform.ppid] } })).toMatchObject({ 'instance-identity': 2 })
    expect(td({ mr_td, platform: { ppids: ['aa'.repeat(16)] } })).toMatchObject({ 'instance-identity': 97 })
    expect(td({ mr_td, platform: { platform_instance_ids: ['aa'.repeat(16)] } })).toMatchObject({ 'instance-identity': 97 })
  })

  it('has its configuration refused with Secure Boot and with the host’s', () => {
    const off = { event_log: { ...eventLog, facts: { ...eventLog.facts, secure_boot: false } } }
    expect(td({ mr_td, event_log: { secure_boot: 'require' } }, off)).toMatchObject({ configuration: 96 })
    expect(td({ mr_td, platform: { smt: 'forbid' } })).toMatchObject({ configuration: 96, hardware: 2 })
  })
})

const enclave = (members: Options, changes: object = {}) => vector({ sgx: members }, { sgx: { ...soundSgx, ...changes } })

describe('the trustworthiness vector of an enclave', () => {
  it('claims nothing of executables that were not compared', () => {
    expect(enclave({ mr_enclave: 'DANGEROUSLY_ACCEPT_ANY' })).toMatchObject({ executables: 0 })
    expect(enclave({})).toMatchObject({ executables: 96 })
    expect(enclave({ mr_signer: [soundSgx.mr_signer], isv_prod_id: [7] })).toMatchObject({ executables: 3 })
    expect(enclave({ mr_signer: [soundSgx.mr_signer], isv_prod_id: [8] })).toMatchObject({ executables: 96 })
  })

  it('claims nothing of memory that a host may debug', () => {
    expect(enclave({ ...good.sgx, debug: 'DANGEROUSLY_ALLOW' }, { debug: true })).toMatchObject({ 'runtime-opaque': 0, configuration: 0 })
    expect(enclave(good.sgx, { debug: true })).toMatchObject({ 'runtime-opaque': 0, configuration: 96 })
  })
})

describe('what anonymous callers see of a quote', () => {
  const secret = 'ab'.repeat(48)
  const members = { tdx: { mr_td: [secret], rtmr1: [secret], platform: { ppids: ['cd'.repeat(16)] }, min_tcb_date: '2030-01-01' } }
  const checks = checksOf(judged(genuineQuote({ tdx: { ...soundTdx, tcb: { ...soundTdx.tcb, status: 'OutOfDate' } } }), members))
  const shown = checksForReader(checks, { reader: 'anonymous', explain: 'minimal' })

  it('is not what the operator wrote', () => {
    expect(JSON.stringify(checks)).toContain(secret)
    expect(JSON.stringify(shown)).not.toMatch(new RegExp(`${secret}|${'cd'.repeat(16)}|2030-01-01`))
  })

  it('is the shortfall, the code and a general remedy', () => {
    expect(shown.find(({ id }) => id === 'TDX-61')).toEqual({
      id: 'TDX-61',
      title: 'The policy accepts the TCB status',
      origin: 'policy',
      outcome: 'fail',
      code: 'tdx-tcb-status-not-accepted',
      actual: expect.stringMatching(/^OutOfDate; platform UpToDate/),
      remedy: problemOf('tdx-tcb-status-not-accepted').remedy,
    })
  })

  it('is what the architecture asks', () => {
    expect(shown.filter(({ id }) => id === 'TDX-72').map(({ expected }) => expected)).toContain('all bits of 0x60000 or none')
    expect(shown.find(({ id }) => id === 'TDX-63')).toHaveProperty('expected')
  })
})
