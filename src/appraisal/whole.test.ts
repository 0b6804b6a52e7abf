import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, soundSgx, soundTdx, type Options } from '../../test/intel-judged.ts'
import { genuine, goodTcb, soundClaims } from '../../test/snp-claims.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'
import type { Finding } from '../verifiers/verifier.ts'
import type { Judgement } from './appraisal.ts'
import { appraise } from './appraise.ts'
import { readPolicy } from './read-policy.ts'
import { checksForReader } from './visibility.ts'

const judged = (members: Options, finding: Finding): Judgement =>
  appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy: readPolicy(JSON.stringify({ name: 'edge', ...members }), 'edge.json'),
    items: [{ type: 'snp', finding, fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  })

type Snp = Options & { readonly warn?: readonly string[]; readonly issue_on?: string }
const under = ({ warn, issue_on, ...snp }: Snp, claims: Partial<SnpClaims> = {}): Judgement =>
  judged({ warn, issue_on, snp: { measurements: [soundClaims.measurement], ...snp } }, genuine({ ...soundClaims, ...claims }))
const failedOf = (judgement: Judgement) => checksOf(judgement).filter(({ outcome }) => outcome === 'fail' || outcome === 'warn')

describe('the kinds of evidence that a policy accepts', () => {
  const snp = { measurements: [soundClaims.measurement] }
  it.each([
    [['snp'], genuine(soundClaims), undefined],
    [['tdx', 'sgx'], genuine(soundClaims), 'evidence-type-not-accepted'],
    [['tdx'], genuineQuote({ tdx: soundTdx }), undefined],
    [['snp', 'sgx'], genuineQuote({ tdx: soundTdx }), 'evidence-type-not-accepted'],
    [['sgx'], genuineQuote({ sgx: soundSgx }), undefined],
    [['snp', 'tdx'], genuineQuote({ sgx: soundSgx }), 'evidence-type-not-accepted'],
  ])('%j', (evidence, finding, code) => {
    const members = { evidence, snp, tdx: { mr_td: [soundTdx.mr_td] }, sgx: { mr_enclave: [soundSgx.mr_enclave] } }
    expect(judged(members, finding).code).toBe(code)
  })

  it('are all that is asked of another kind', () => {
    const { appraisal } = judged({ evidence: ['tdx'], snp }, genuine({ ...soundClaims, vmpl: 3 }))
    expect(appraisal).toMatchObject({ status: 'contraindicated' })
    expect(appraisal.evidence[0]?.checks.filter(({ outcome }) => outcome === 'fail')).toEqual([
      expect.objectContaining({ id: 'TYPE', actual: 'snp', expected: 'tdx', rule: 'evidence' }),
    ])
  })

  it('never stand in for claims', () => {
    expect(judged({ snp }, { ...genuine(soundClaims), claims: {} }).code).toBe('policy-denied')
  })
})

describe('compositions', () => {
  it.each([
    [['single'], undefined],
    [['single', 'azure-hcl'], undefined],
    [['azure-hcl'], 'composition-unsupported'],
    [['azure-hcl', 'coconut-svsm'], 'composition-unsupported'],
  ])('%j', (compositions, code) => {
    expect(judged({ compositions, snp: { measurements: [soundClaims.measurement] } }, genuine(soundClaims)).code).toBe(code)
  })
})

const short = (changes: object) => ({ reported_tcb: { ...goodTcb, ...changes } })

describe('rules of which a policy only warns', () => {
  it('refuse as long as warnings do', () => {
    const judgement = under({ warn: ['snp.vmpl'] }, { vmpl: 3 })
    expect(judgement).toMatchObject({ code: 'snp-vmpl-mismatch', appraisal: { status: 'warning' } })
    expect(failedOf(judgement)).toEqual([expect.objectContaining({ id: 'SNP-69', outcome: 'warn', rule: 'snp.vmpl' })])
  })

  it('are told in what is issued on warnings', () => {
    const judgement = under({ warn: ['snp.vmpl'], issue_on: 'warning' }, { vmpl: 3 })
    expect(judgement).toMatchObject({ code: undefined, appraisal: { status: 'warning' } })
    expect(judgement.appraisal.evidence[0]?.trustworthiness.configuration).toBe(32)
  })

  it('are no others, and no longer paths that begin alike', () => {
    expect(under({ warn: ['snp.report_id'], issue_on: 'warning', report_id_ma: ['ff'.repeat(32)] }, { vmpl: 3 }).code).toBe(
      'snp-vmpl-mismatch',
    )
    const ma = { migration_agent: 'allow', report_id_ma: ['11'.repeat(32)], issue_on: 'warning' }
    expect(under({ ...ma, warn: ['snp.report_id'] }).code).toBe('snp-report-id-ma-mismatch')
    expect(under({ ...ma, warn: ['snp.report_id_ma'] }).code).toBeUndefined()
  })

  it('may be a group', () => {
    const off = { platform_info: { ...soundClaims.platform_info, alias_check_complete: false } }
    const group = { issue_on: 'warning', platform_info: { tio: 'require' } }
    expect(failedOf(under({ ...group, warn: ['snp.platform_info'] }, off)).map(({ outcome }) => outcome)).toEqual(['warn', 'warn'])
    expect(under({ ...group, warn: ['snp.platform_info.tio'] }, off).code).toBe('snp-platform-alias-check-missing')
  })

  it('may be one part of a minimum: what lies below it in another part refuses still', () => {
    const minimum = { issue_on: 'warning', min_tcb: { reported: { milan: { microcode: 219, snp: 24 } } } }
    const warn = ['snp.min_tcb.reported.milan.microcode']
    const advisories = { 'amd-sb-3019': 'report' }
    expect(under({ ...minimum, advisories, warn }, short({ microcode: 200 })).code).toBeUndefined()
    expect(under({ ...minimum, advisories, warn }, short({ snp: 20 })).code).toBe('snp-tcb-reported-below-minimum')
    expect(under({ ...minimum, advisories, warn }, short({ microcode: 200, snp: 20 })).code).toBe('snp-tcb-reported-below-minimum')
    expect(under({ ...minimum, advisories, warn: ['snp.min_tcb.committed'] }, short({ microcode: 200 })).code).toBe(
      'snp-tcb-reported-below-minimum',
    )
    const model = { ...minimum, min_tcb: { reported: { milan: { microcode: 219 }, cpuid: { '19_01': { microcode: 219 } } } }, advisories }
    expect(under({ ...model, warn }, short({ microcode: 200 })).code).toBe('snp-tcb-reported-below-minimum')
    expect(under({ ...model, warn: ['snp.min_tcb.reported'] }, short({ microcode: 200 })).code).toBeUndefined()
  })
})

const find = (judgement: Judgement, id: string) => failedOf(judgement).find((check) => check.id === id)
const shown = (judgement: Judgement, id: string, reader: 'viewer' | 'anonymous') =>
  checksForReader(failedOf(judgement), { reader, explain: 'minimal' }).find((check) => check.id === id)

describe('what mends a refusal', () => {
  it('is said with the values, and the path of the rule', () => {
    const low = under({ min_tcb: { reported: { milan: { microcode: 0xdb } } } }, { reported_tcb: { ...goodTcb, microcode: 0xd1 } })
    const { remedy } = problemOf('snp-tcb-reported-below-minimum')
    expect(find(low, 'SNP-53')).toMatchObject({
      rule: 'snp.min_tcb.reported.milan.microcode',
      remedy: `microcode 0xd1, needs 0xdb: ${remedy}`,
    })
  })

  it('names every part that is short, and the line of a model', () => {
    const reported_tcb = { ...goodTcb, microcode: 1, snp: 2 }
    const low = under({ min_tcb: { reported: { milan: { microcode: 3, snp: 4 } } } }, { reported_tcb })
    expect(find(low, 'SNP-53')).toMatchObject({
      rule: 'snp.min_tcb.reported.milan',
      remedy: expect.stringMatching(/^snp 0x2, needs 0x4; microcode 0x1, needs 0x3: /),
    })
    const model = under({ min_tcb: { reported: { cpuid: { '19_01': { microcode: 3 } } } } }, { reported_tcb })
    expect(find(model, 'SNP-53')).toMatchObject({ rule: 'snp.min_tcb.reported.cpuid.19_01.microcode' })
    const other = under({ min_tcb: { reported: { genoa: { microcode: 3 } } } }, { reported_tcb })
    expect(find(other, 'SNP-53')).toMatchObject({ rule: 'snp.min_tcb.reported' })
  })

  it('is said with short values of any rule, and without those that stand beside it at length', () => {
    expect(find(under({}, { vmpl: 2 }), 'SNP-69')).toMatchObject({ remedy: `2, needs 0: ${problemOf('snp-vmpl-mismatch').remedy}` })
    expect(find(under({}, { measurement: 'ab'.repeat(48) }), 'SNP-63')).toMatchObject({
      remedy: problemOf('snp-measurement-mismatch').remedy,
    })
  })

  it('is general to those who may not see what the policy expects', () => {
    const judgement = under({ min_tcb: { reported: { milan: { microcode: 0xdb } } } }, { reported_tcb: { ...goodTcb, microcode: 0xd1 } })
    expect(shown(judgement, 'SNP-53', 'viewer')).toMatchObject({ rule: expect.any(String), remedy: expect.stringContaining('needs 0xdb') })
    const anonymous = shown(judgement, 'SNP-53', 'anonymous')
    expect(anonymous).toMatchObject({ remedy: problemOf('snp-tcb-reported-below-minimum').remedy })
    expect(Object.keys(anonymous ?? {})).not.toContain('rule')
    expect(JSON.stringify(anonymous)).not.toContain('0xdb')
  })
})
