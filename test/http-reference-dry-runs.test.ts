import { beforeEach, describe, expect, it } from 'vitest'
import { setDryRunAnswer } from '../src/routes/openapi/reference-answers.ts'
import { accepted, refusal } from './answers.ts'
import { audienceOf, codeOf, operatorsLab, RIGHT, type Documents, type OperatorsLab } from './operators-lab.ts'
import { digestOf, setText, versionOf } from './reference-sets.ts'
import type { TestOptions } from './services.ts'

const RIGHT_SET = setText([], { snp: { measurements: [RIGHT] } })
const WRONG_SET = setText([1])
const named = (name: string, ...more: readonly string[]) => ({ name, snp: { measurements: [{ set: 'nodes' }, ...more] } })

let lab: OperatorsLab
let nodes: Documents
async function start(options: Partial<TestOptions> = {}): Promise<void> {
  const policies = [named('edge'), named('also', RIGHT), { name: 'other', snp: { measurements: [{ set: 'others' }] } }]
  lab = await operatorsLab({ audiences: [audienceOf('edge')], policies, ...options })
  nodes = lab.documents('reference-values', 'nodes')
}
beforeEach(() => start())

const run = (body: object, path = '/nodes/dry-runs') =>
  nodes.send(path, {
    method: 'POST',
    as: 'policy-author',
    body: JSON.stringify({ evidence: [lab.host.evidence(new Uint8Array(64))], ...body }),
  })
const result = async (body: object, path?: string) => setDryRunAnswer.parse(await (await run(body, path)).json())

/** What becomes of each policy, before and after. */
const told = async (body: object, path?: string) =>
  (await result(body, path)).policies.map(({ policy, active, tried, changes }) => [
    policy.name,
    active.code,
    tried.code,
    changes.map(({ id, active: before, tried: after }) => `${id} ${before?.outcome} ${after?.outcome}`).join(),
  ])

describe('dry-runs of sets', () => {
  it('tell which policies a draft would change, before there is a set', async () => {
    expect(await told({ draft: RIGHT_SET })).toEqual([
      ['also', null, null, 'SNP-63 pass pass'],
      ['edge', 'snp-measurement-mismatch', null, 'SNP-63 fail pass'],
    ])
    expect(await told({ draft: WRONG_SET, policies: ['edge'] })).toEqual([
      ['edge', 'snp-measurement-mismatch', 'snp-measurement-mismatch', 'SNP-63 fail fail'],
    ])
    expect(await result({ draft: RIGHT_SET })).toMatchObject({ tried: { version: 0 }, omitted: [] })
  })

  it('try a version beside those in force, and what a revocation would do', async () => {
    await nodes.put(WRONG_SET)
    await nodes.next(RIGHT_SET)
    await nodes.decide({ version: 1, state: 'active' })
    const becomesGood = [['edge', 'snp-measurement-mismatch', null, 'SNP-63 fail pass']]
    expect(await told({ version: 2, policies: ['edge'] })).toEqual(becomesGood)
    await nodes.decide({ version: 2, state: 'active' })
    expect(await told({ version: 2, policies: ['edge'] })).toEqual([['edge', null, null, '']])
    const becomesBad = [['edge', null, 'snp-measurement-mismatch', 'SNP-63 pass fail']]
    expect(await told({ version: 2, as: 'revoked', policies: ['edge'] })).toEqual(becomesBad)
    expect(await told({ version: 1, as: 'revoked', policies: ['edge'] })).toEqual([['edge', null, null, 'SNP-63 pass pass']])
    const { policies } = await result({ version: 2, as: 'revoked', policies: ['edge'] })
    expect(policies[0]?.changes[0]?.tried).toMatchObject({ outcome: 'fail', expected: expect.stringContaining(digestOf(1)) })
  })

  it('decide, keep and spend nothing, and make no token', async () => {
    await nodes.put(RIGHT_SET)
    const lines = lab.made.audit.length
    const text = await (await run({ version: 1 })).text()
    expect([text.includes('"token"'), lab.made.audit.length]).toEqual([false, lines])
    expect(refusal(await lab.ask('edge'))).toEqual([403, 'snp-measurement-mismatch'])
    await nodes.decide({ version: 1, state: 'active' })
    await run({ version: 1, as: 'revoked' })
    accepted(await lab.ask('edge'))
  })

  it('try sets that are kept in files', async () => {
    const versions = [versionOf(1, { state: 'active' }), versionOf(2, { state: 'draft' }, RIGHT_SET)]
    await start({ sets: new Map([['nodes', versions]]) })
    expect(await told({ version: 2, policies: ['edge'] })).toEqual([['edge', 'snp-measurement-mismatch', null, 'SNP-63 fail pass']])
  })

  it('ask whether a key is bound, and what REPORT_DATA is', async () => {
    const draft = { draft: RIGHT_SET, policies: ['edge'] }
    expect(await told({ ...draft, key_bound: false })).toEqual([['edge', expect.anything(), 'cnf-key-required', expect.anything()]])
    expect(await told({ ...draft, report_data: '11'.repeat(64) })).toEqual([
      ['edge', 'snp-report-data-mismatch', 'snp-report-data-mismatch', expect.anything()],
    ])
  })

  it('try the first sixteen policies, name the others, and try these when they are asked for', async () => {
    const names = Array.from({ length: 18 }, (_, at) => `p${`${at}`.padStart(2, '0')}`)
    await start({ policies: [named('edge'), ...names.toReversed().map((name) => named(name))] })
    const { policies, omitted } = await result({ draft: RIGHT_SET })
    expect(policies.map(({ policy }) => policy.name)).toEqual(['edge', ...names.slice(0, 15)])
    expect(omitted).toEqual(names.slice(15))
    const asked = await result({ draft: RIGHT_SET, policies: omitted })
    expect([asked.policies.map(({ policy }) => policy.name), asked.omitted]).toEqual([omitted, []])
  })

  it('say that no policy names the set', async () => {
    const draft = JSON.stringify({ ...(JSON.parse(RIGHT_SET) as object), name: 'unused' })
    expect(await result({ draft }, '/unused/dry-runs')).toMatchObject({ policies: [], omitted: [] })
  })

  it.each<[string, object, ...refused: [number, string]]>([
    ['neither draft nor version', {}, 400, 'request-malformed'],
    ['both', { draft: 'x', version: 1 }, 400, 'request-malformed'],
    ['a draft as revoked', { draft: RIGHT_SET, as: 'revoked' }, 400, 'request-malformed'],
    ['a draft as deprecated', { draft: RIGHT_SET, as: 'deprecated' }, 400, 'request-malformed'],
    ['a policy twice', { draft: RIGHT_SET, policies: ['edge', 'edge'] }, 400, 'request-malformed'],
    ['no policy', { draft: RIGHT_SET, policies: [] }, 400, 'request-malformed'],
    ['too many', { draft: RIGHT_SET, policies: Array.from({ length: 17 }, (_, i) => `p${i}`) }, 400, 'request-malformed'],
    ['an unknown member', { draft: RIGHT_SET, x: 1 }, 400, 'request-malformed'],
    ['a draft that cannot be used', { draft: setText([1], { x: 1 }) }, 422, 'reference-values-invalid'],
    ['a draft of another name', { draft: setText([1], { name: 'nodes2' }) }, 422, 'reference-values-invalid'],
    ['a policy that is nowhere', { draft: RIGHT_SET, policies: ['none'] }, 404, 'policy-unknown'],
    ['a policy that does not name the set', { draft: RIGHT_SET, policies: ['other'] }, 404, 'policy-unknown'],
    ['a set that is not there', { version: 1 }, 404, 'reference-values-unknown'],
  ])('refuse %s', async (_, body, ...refused) => {
    expect(await codeOf(await run(body))).toEqual(refused)
  })

  it('refuse a version that is not there, and one that was revoked', async () => {
    await nodes.put(RIGHT_SET)
    expect(await codeOf(await run({ version: 2 }))).toEqual([404, 'reference-values-unknown'])
    await nodes.decide({ version: 1, state: 'revoked', reason: 'leaked build' })
    for (const as of ['active', 'revoked'])
      expect(await codeOf(await run({ version: 1, as }))).toEqual([409, 'reference-values-version-revoked'])
  })
})
