import { describe, expect, it } from 'vitest'
import { genuine, soundClaims, vlekClaims } from '../../test/snp-claims.ts'
import type { Check, Finding } from '../verifiers/verifier.ts'
import type { AppraisalInput } from './appraise.ts'
import { appraise } from './appraise.ts'
import type { ProblemCode } from '../verifiers/problems.ts'
import { readPolicy } from './read-policy.ts'
import { strict } from './strict.ts'

const good = readPolicy(`name: good\nsnp: {measurements: [${soundClaims.measurement}]}`, 'test')
const policy = (text: string) => readPolicy(`name: other\n${text}`, 'test')

const input = (changes: Partial<AppraisalInput> & { readonly finding?: Finding } = {}): AppraisalInput => {
  const { finding = genuine(soundClaims), ...rest } = changes
  return {
    id: 'a1',
    mode: 'production',
    freshness: 'challenge',
    policy: good,
    items: [{ type: 'snp', finding, fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: 'ab'.repeat(32),
    collateral: { digest: 'cd'.repeat(32), oldest_fetch: null, earliest_expiry: '2026-12-02T00:00:00.000Z' },
    ...rest,
  }
}

const failed = (id: string, code: ProblemCode): Check => ({ id, title: 'x', outcome: 'fail', code })
const warned = (id: string, code: ProblemCode): Check => ({ id, title: 'x', outcome: 'warn', code })
const passed: Check = { id: 'SNP-01', title: 'x', outcome: 'pass' }
const validUntil = new Date('2026-12-01T00:00:00Z')

describe('appraise', () => {
  it('affirms genuine evidence that the policy accepts, and says under which policy', () => {
    const { appraisal, code } = appraise(input())
    expect(code).toBeUndefined()
    expect(appraisal).toMatchObject({
      id: 'a1',
      mode: 'production',
      status: 'affirming',
      policy: good.reference,
      freshness: 'challenge',
      valid_until: '2026-12-01T00:00:00.000Z',
      evidence_digest: 'ab'.repeat(32),
      collateral: { digest: 'cd'.repeat(32) },
    })
    expect(appraisal.evidence).toMatchObject([
      { label: 'cpu0', type: 'snp', status: 'affirming', fresh: true, claims: { snp: soundClaims } },
    ])
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

  it('gives the same judgement for the same input', () => expect(appraise(input())).toEqual(appraise(input())))

  it('lists every check, also those that the policy does not ask (SNP-80)', () => {
    const checks = appraise(input()).appraisal.evidence[0]?.checks ?? []
    const ids = new Set(checks.map((check) => check.id))
    const asked = ['02', '24', '37', '45', '51', '52', '53', '54', '55', '56', '57', '63', '64', '65', '66', '67', '68', '69', '70', '77']
    expect([...ids]).toEqual(expect.arrayContaining([...asked.map((id) => `SNP-${id}`), 'SNP-50', 'KEY']))
    expect(checks.every((check) => check.origin !== undefined)).toBe(true)
    expect(checks.filter((check) => check.outcome === 'skip').length).toBeGreaterThan(10)
  })

  it('refuses everything under the built-in policy, for want of a measurement list', () => {
    const { code, appraisal } = appraise(input({ policy: strict }))
    expect(code).toBe('snp-measurement-policy-missing')
    expect(appraisal.status).toBe('contraindicated')
  })

  it('lives no longer than the shortest of what it relies on', () => {
    const short = { ...genuine(soundClaims), validUntil: new Date('2026-11-25T00:00:00Z') }
    const items = [
      { type: 'snp', finding: genuine(soundClaims), fresh: true },
      { type: 'tsm', finding: short, fresh: false },
    ] as const
    const { appraisal } = appraise(input({ items }))
    expect(appraisal.valid_until).toBe('2026-11-25T00:00:00.000Z')
    expect(appraisal.evidence.map(({ label, fresh }) => [label, fresh])).toEqual([
      ['cpu0', true],
      ['cpu1', false],
    ])
  })
})

describe('key binding', () => {
  it('is required unless the policy says that it is not', () => {
    expect(appraise(input({ keyBinding: 'unbound' })).code).toBe('cnf-key-required')
    const optional = policy(`key_binding: DANGEROUSLY_OPTIONAL\nsnp: {measurements: [${soundClaims.measurement}]}`)
    expect(appraise(input({ keyBinding: 'unbound', policy: optional })).code).toBeUndefined()
  })

  it('is not asked where there is no caller, and the check says so', () => {
    const { code, appraisal } = appraise(input({ keyBinding: 'not-asked', freshness: 'none' }))
    expect(code).toBeUndefined()
    expect(appraisal.evidence[0]?.checks.at(-1)).toMatchObject({ id: 'KEY', outcome: 'skip' })
  })
})

describe('evidence that is not genuine', () => {
  const forged: Finding = { checks: [passed, failed('SNP-50', 'snp-signature-invalid')], validUntil }

  it('is refused with the code of its failed check, and policy is not asked', () => {
    const { code, appraisal } = appraise(input({ finding: forged }))
    expect(code).toBe('snp-signature-invalid')
    expect(appraisal).toMatchObject({
      status: 'contraindicated',
      evidence: [{ claims: {}, trustworthiness: { hardware: 99, executables: 0 } }],
    })
    expect(appraisal.evidence[0]?.checks).toEqual(forged.checks)
  })

  it('yields no claims even when a verifier handed some out', () => {
    const careless: Finding = { ...genuine(soundClaims), checks: forged.checks }
    expect(appraise(input({ finding: careless })).appraisal.evidence[0]?.claims).toEqual({})
    expect(appraise(input({ finding: careless, policy: null })).appraisal.evidence[0]?.claims).toEqual({})
  })

  it('is answered for by the check nearest the root of trust, whatever the order', () => {
    const checks = [
      failed('SNP-46', 'snp-vcek-hwid-mismatch'),
      failed('SNP-36', 'snp-intermediate-revoked'),
      failed('SNP-34', 'snp-product-mismatch'),
    ]
    expect(appraise(input({ finding: { checks, validUntil } })).code).toBe('snp-intermediate-revoked')
  })

  it.each([
    ['snp-root-untrusted', 97],
    ['snp-chain-invalid', 97],
    ['snp-intermediate-revoked', 96],
    ['snp-crl-expired', 0],
  ] as const)('with %s has hardware %d', (code, hardware) => {
    const { appraisal } = appraise(input({ finding: { checks: [passed, failed('X', code)], validUntil } }))
    expect(appraisal.evidence[0]?.trustworthiness.hardware).toBe(hardware)
  })
})

describe('a document that is missing', () => {
  const checks = [passed, failed('SNP-22', 'snp-vek-missing'), failed('SNP-36', 'snp-crl-unavailable')]

  it('leaves the matter undecided, whatever follows from its absence', () => {
    expect(appraise(input({ finding: { checks, validUntil, undecided: 'collateral-unavailable' } })).code).toBe('collateral-unavailable')
    expect(appraise(input({ policy: null, finding: { checks, validUntil, undecided: 'collateral-unavailable' } })).code).toBe(
      'collateral-unavailable',
    )
  })

  it('does not hide a revocation that was found', () => {
    const revoked = [...checks, failed('SNP-36', 'snp-intermediate-revoked')]
    expect(appraise(input({ finding: { checks: revoked, validUntil, undecided: 'collateral-unavailable' } })).code).toBe(
      'snp-intermediate-revoked',
    )
  })

  it('never becomes a yes, even beside claims', () => {
    const { code, appraisal } = appraise(input({ finding: { ...genuine(soundClaims), undecided: 'collateral-unavailable' } }))
    expect(code).toBe('collateral-unavailable')
    expect(appraisal.status).toBe('contraindicated')
  })
})

describe('an empty proof is not a proof', () => {
  it.each([
    ['no evidence', input({ items: [] })],
    ['no checks', input({ finding: { ...genuine(soundClaims), checks: [] } })],
    ['only skipped checks', input({ finding: { ...genuine(soundClaims), checks: [{ id: 'a', title: 'b', outcome: 'skip' }] } })],
    ['no claims', input({ finding: { checks: [passed], validUntil } })],
    ['no checks and no policy', input({ policy: null, finding: { ...genuine(soundClaims), checks: [] } })],
    ['no claims and no policy', input({ policy: null, finding: { checks: [passed], validUntil } })],
    ['no evidence and no policy', input({ policy: null, items: [] })],
  ])('%s', (_, empty) => {
    const { code, appraisal } = appraise(empty)
    expect(code).toBe('internal-error')
    expect(appraisal.status).not.toBe('affirming')
  })

  it('claims that no rule knows are not acceptable', () => {
    expect(appraise(input({ finding: { checks: [passed], claims: {}, validUntil } })).code).toBe('policy-denied')
  })
})

describe('a warning', () => {
  const finding: Finding = { ...genuine(soundClaims), checks: [passed, warned('SNP-36', 'snp-crl-rollback')] }

  it('refuses under its own code unless the policy issues tokens on warnings', () => {
    const { code, appraisal } = appraise(input({ finding }))
    expect(code).toBe('snp-crl-rollback')
    expect(appraisal.status).toBe('warning')
  })

  it('that a list was never seen is tolerated by mode prefer itself, and told', () => {
    const absent = warned('SNP-36', 'snp-crl-unavailable')
    const { code, appraisal } = appraise(input({ finding: { ...genuine(soundClaims), checks: [passed, absent] } }))
    expect(code).toBeUndefined()
    expect(appraisal).toMatchObject({ status: 'affirming', evidence: [{ trustworthiness: { hardware: 2 } }] })
    expect(appraisal.evidence[0]?.checks).toContainEqual(absent)
  })

  it('is told and accepted where the policy does', () => {
    const lenient = policy(`issue_on: warning\nsnp: {measurements: [${soundClaims.measurement}]}`)
    const { code, appraisal } = appraise(input({ finding, policy: lenient }))
    expect(code).toBeUndefined()
    expect(appraisal).toMatchObject({ status: 'warning', evidence: [{ trustworthiness: { hardware: 32 } }] })
  })

  it('never outweighs a failure', () => {
    const lenient = policy('issue_on: warning\nsnp: {vmpl: [1], measurements: DANGEROUSLY_ACCEPT_ANY}')
    expect(appraise(input({ finding, policy: lenient }))).toMatchObject({
      code: 'snp-vmpl-mismatch',
      appraisal: { status: 'contraindicated' },
    })
  })
})

describe('without a policy', () => {
  it('only genuineness is told: no status, no policy, no rule', () => {
    const { code, appraisal } = appraise(input({ policy: null }))
    expect(code).toBeUndefined()
    expect(appraisal).toMatchObject({
      status: 'none',
      policy: null,
      evidence: [{ status: 'none', claims: { snp: soundClaims }, advisories: [] }],
    })
    expect(appraisal.evidence[0]?.checks).toEqual(genuine(soundClaims).checks)
  })

  it('a tolerated absence of revocation lists is no refusal', () => {
    const finding: Finding = { ...genuine(soundClaims), checks: [passed, warned('SNP-36', 'snp-crl-rollback')] }
    expect(appraise(input({ policy: null, finding })).code).toBeUndefined()
  })
})

const vector = (text: string, claims = soundClaims) =>
  appraise(input({ policy: policy(text), finding: genuine(claims) })).appraisal.evidence[0]?.trustworthiness

describe('the trustworthiness vector', () => {
  it('claims nothing of executables that were not compared', () => {
    expect(vector('snp: {measurements: DANGEROUSLY_ACCEPT_ANY}')).toMatchObject({ executables: 0 })
    expect(vector(`snp: {measurements: DANGEROUSLY_ACCEPT_ANY, host_data: ["${soundClaims.host_data}"]}`)).toMatchObject({ executables: 0 })
    expect(vector(`snp: {measurements: [${'aa'.repeat(48)}]}`)).toMatchObject({ executables: 96 })
  })

  it('claims nothing of memory that a host may debug', () => {
    const debug = { ...soundClaims, policy: { ...soundClaims.policy, debug_allowed: true } }
    expect(vector('snp: {guest_policy: {debug: DANGEROUSLY_ALLOW}}', debug)).toMatchObject({ 'runtime-opaque': 0 })
    expect(vector('snp: {guest_policy: {debug: deny}}', debug)).toMatchObject({ 'runtime-opaque': 0, configuration: 96 })
  })

  it('knows an instance only by a list of chips', () => {
    expect(vector(`snp: {chip_ids: ["${'06'.repeat(64)}"]}`)).toMatchObject({ 'instance-identity': 2 })
    expect(vector(`snp: {chip_ids: ["${'07'.repeat(64)}"]}`)).toMatchObject({ 'instance-identity': 97 })
    expect(vector(`snp: {chip_ids: ["${'06'.repeat(64)}"]}`, vlekClaims)).toMatchObject({ 'instance-identity': 97 })
  })

  it('has hardware refused for firmware that the policy refuses, and unsafe for what it warns of', () => {
    const old = { ...soundClaims, launch_tcb: { ...soundClaims.launch_tcb, snp: 0x17 } }
    expect(vector('snp: {}', old)).toMatchObject({ hardware: 96 })
    expect(vector('snp: {advisories: {amd-sb-3019: warn}}', old)).toMatchObject({ hardware: 32 })
  })
})
