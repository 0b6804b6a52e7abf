import { beforeEach, describe, expect, it } from 'vitest'
import * as answers from '../src/routes/openapi/reference-answers.ts'
import { dryRunAnswer } from '../src/routes/openapi/policy-answers.ts'
import { accepted, refusal } from './answers.ts'
import {
  audienceOf,
  codeOf,
  operatorsLab,
  RIGHT,
  statusesOf,
  unwritable,
  type Documents,
  type OperatorsLab,
  type Sent,
} from './operators-lab.ts'
import { DESCRIBED, digestOf, setText, versionOf } from './reference-sets.ts'
import { TOKENS, type TestOptions } from './services.ts'
import { overSocket } from './socket.ts'

const right = (more: object = {}) => setText([], { snp: { measurements: [{ value: RIGHT, label: 'the simulator' }] }, ...more })
const WRONG = setText([1])
const FAR = '2100-01-01T00:00:00.000Z'
const POLICY = { name: 'edge', snp: { measurements: [{ set: 'nodes' }] } }

let lab: OperatorsLab
let nodes: Documents
async function start(options: Partial<TestOptions> = {}): Promise<void> {
  lab = await operatorsLab({ audiences: [audienceOf('edge')], policies: [POLICY], ...options })
  nodes = lab.documents('reference-values', 'nodes')
}
beforeEach(() => start())

const send = (path: string, sent?: Sent) => nodes.send(path, sent)
const put: Documents['put'] = (...args) => nodes.put(...args)
const next = (text: string) => nodes.next(text)
const decide: Documents['decide'] = (...args) => nodes.decide(...args)
const ask = () => lab.ask('edge')

const standings = async () =>
  answers.setVersionsAnswer
    .parse(await (await send('/nodes/versions')).json())
    .versions.map(({ version, standing, why_not: why }) => [version, standing.state, why])

describe('the life of a set', () => {
  it('is not sent to those who have it, in each of its forms', async () => {
    await put(right())
    for (const accept of ['application/json', 'application/yaml']) {
      const etag = (await send('/nodes', { headers: { accept } })).headers.get('etag') ?? ''
      const again = await send('/nodes', { headers: { accept, 'if-none-match': etag } })
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    }
    const before = (await send('/nodes')).headers.get('etag') ?? ''
    await decide({ version: 1, state: 'active' })
    expect((await send('/nodes', { headers: { 'if-none-match': before } })).status).toBe(200)
    expect((await put(WRONG, { 'if-match': before })).status).toBe(201)
  })

  it('begins with a draft that gives no value, until it is activated', async () => {
    expect(refusal(await ask())).toEqual([403, 'snp-measurement-mismatch'])
    const response = await put(right())
    expect([response.status, response.headers.get('location')]).toEqual([201, '/v1/reference-values/nodes/versions/1'])
    const kept = answers.setTextAnswer.parse(await response.json())
    expect(kept).toMatchObject({ name: 'nodes', managed_by: 'store', in_force: [], counter: 0, text: right() })
    expect(response.headers.get('etag')).toBe(`"1-${kept.latest.sha256}"`)
    expect(refusal(await ask())).toEqual([403, 'snp-measurement-mismatch'])
    const decided = await decide({ version: 1, state: 'active', expected_counter: 0 })
    expect([decided.status, answers.setAnswer.parse(await decided.json())]).toEqual([
      201,
      expect.objectContaining({ in_force: [kept.latest], counter: 1 }),
    ])
    accepted(await ask())
  })

  it('goes on with several versions at once, and ends with a revocation that counts at once', async () => {
    await put(right())
    await next(WRONG)
    await decide({ version: 1, state: 'active' })
    await decide({ version: 2, state: 'active' })
    expect(await standings()).toEqual([
      [1, 'active', null],
      [2, 'active', null],
    ])
    accepted(await ask())
    expect((await decide({ version: 1, state: 'deprecated', until: FAR })).status).toBe(201)
    accepted(await ask())
    expect((await decide({ version: 1, state: 'active' })).status).toBe(201)
    expect((await decide({ version: 1, state: 'revoked', reason: 'leaked build' })).status).toBe(201)
    expect(refusal(await ask())).toEqual([403, 'snp-measurement-mismatch'])
    expect(await standings()).toEqual([
      [1, 'revoked', 'revoked: leaked build'],
      [2, 'active', null],
    ])
    expect(await codeOf(await decide({ version: 1, state: 'active' }))).toEqual([409, 'reference-values-version-revoked'])
  })

  it('is listed with what is in files, and each version keeps its text', async () => {
    await start({ sets: new Map([['lab', [versionOf(2, { state: 'draft' }), versionOf(1, { state: 'active' })]]]) })
    await put(right())
    const { reference_values: sets } = answers.setsAnswer.parse(await (await send('')).json())
    expect(sets.map(({ name, managed_by: by, in_force: inForce, latest }) => [name, by, inForce.length, latest.version])).toEqual([
      ['lab', 'files', 1, 2],
      ['nodes', 'store', 0, 1],
    ])
    const version = answers.setVersionAnswer.parse(await (await send('/nodes/versions/1')).json())
    expect(version).toMatchObject({ author: 'author', standing: { state: 'draft' }, why_not: 'draft', text: right() })
    const bare = await send('/nodes', { headers: { accept: 'application/yaml' } })
    expect([bare.headers.get('content-type'), await bare.text()]).toEqual(['application/yaml', right()])
    const file = answers.setTextAnswer.parse(await (await send('/lab')).json())
    expect(JSON.parse(file.text)).toMatchObject({ ...DESCRIBED, provenance: expect.anything(), snp: { measurements: [digestOf(2)] } })
    expect(await codeOf(await put(right({ name: 'lab' }), { 'if-none-match': '*' }, 'lab'))).toEqual([
      409,
      'reference-values-managed-by-files',
    ])
    expect(await codeOf(await decide({ version: 1, state: 'active' }, { name: 'lab' }))).toEqual([409, 'reference-values-managed-by-files'])
  })

  it('has one line in the audit log for each act, and verdicts say which versions gave values', async () => {
    await put(right())
    await next(WRONG)
    await decide({ version: 1, state: 'active' })
    await ask()
    await decide({ version: 1, state: 'deprecated', until: FAR })
    await decide({ version: 1, state: 'revoked', reason: 'x' })
    await decide({ version: 3, state: 'active' })
    const lines = lab.made.audit.map(({ action, outcome, caller, reference_values: values, code }) => [
      action,
      outcome,
      caller === 'author' || caller === 'activator' ? caller : '',
      values?.map(({ name, version }) => `${name} ${version}`).join() ?? code,
    ])
    expect(lines).toEqual([
      ['reference-values-put', 'changed', 'author', 'nodes 1'],
      ['reference-values-put', 'changed', 'author', 'nodes 2'],
      ['reference-values-activation', 'changed', 'activator', 'nodes 1'],
      ['appraisal', 'issued', '', 'nodes 1'],
      ['reference-values-deprecation', 'changed', 'activator', 'nodes 1'],
      ['reference-values-revocation', 'changed', 'activator', 'nodes 1'],
      ['reference-values-activation', 'refused', 'activator', 'reference-values-unknown'],
    ])
    expect(lab.made.audit[3]?.policy?.name).toBe('edge')
    expect(lab.made.audit[2]?.policy).toBeUndefined()
  })

  it('names at most a hundred versions in the line of a verdict, and counts the others', async () => {
    const versions = Array.from({ length: 103 }, (_, at) => versionOf(at + 1, { state: 'active' }, right()))
    await start({ sets: new Map([['nodes', versions]]) })
    accepted(await ask())
    const [line] = lab.made.audit
    expect([line?.reference_values?.length, line?.reference_values_omitted]).toEqual([100, 3])
  })

  it('changes nothing that cannot be recorded', async () => {
    await start({ services: { audit: unwritable } })
    expect(await codeOf(await put(right()))).toEqual([503, 'audit-unavailable'])
    expect(await codeOf(await send('/nodes'))).toEqual([404, 'reference-values-unknown'])
  })

  it('needs two people where the operator wants that', async () => {
    await start({ separate: true })
    await send('/nodes', {
      method: 'PUT',
      as: 'admin',
      body: right(),
      headers: { 'content-type': 'application/yaml', 'if-none-match': '*' },
    })
    expect(await codeOf(await decide({ version: 1, state: 'active' }, { as: 'admin' }))).toEqual([403, 'activator-is-author'])
    expect((await decide({ version: 1, state: 'active' })).status).toBe(201)
    expect((await decide({ version: 1, state: 'revoked', reason: 'x' }, { as: 'admin' })).status).toBe(201)
  })
})

const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

describe('an appraisal', () => {
  it('tells those who may know which versions gave values, and nobody else', async () => {
    await put(right())
    await decide({ version: 1, state: 'active' })
    expect('reference_values' in accepted(await ask()).appraisal).toBe(false)
    const body = { evidence: [lab.host.evidence(new Uint8Array(64))], draft: JSON.stringify(POLICY) }
    const response = await lab.send('/v1/policies/edge/dry-runs', { method: 'POST', as: 'policy-author', body: JSON.stringify(body) })
    const { tried } = dryRunAnswer.parse(await response.json())
    expect([tried.accepted, tried.appraisal.reference_values?.map(({ name, version }) => `${name} ${version}`)]).toEqual([
      true,
      ['nodes 1'],
    ])
  })
})

describe('a token', () => {
  it('does not live longer than the value that it was given for', async () => {
    const until = soon(120)
    await put(right({ valid: { until } }))
    await decide({ version: 1, state: 'active' })
    const { appraisal, token } = accepted(await ask())
    expect(appraisal.valid_until).toBe(until)
    const [, claims = ''] = token.split('.')
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }
    expect(exp).toBe(Math.floor(Date.parse(until) / 1000))
  })

  it('is not shortened by versions that did not give the value', async () => {
    await put(right())
    await next(WRONG)
    await decide({ version: 1, state: 'active' })
    await decide({ version: 2, state: 'active' })
    const before = accepted(await ask()).appraisal.valid_until
    await decide({ version: 2, state: 'deprecated', until: soon(120) })
    expect(accepted(await ask()).appraisal.valid_until).toBe(before)
  })

  it('is not made for a value that ends within half a minute', async () => {
    await put(right())
    await decide({ version: 1, state: 'active' })
    await decide({ version: 1, state: 'deprecated', until: soon(20) })
    expect(refusal(await ask())).toEqual([503, 'collateral-expired'])
  })
})

describe('writers and deciders who do not know of each other', () => {
  it('must say which version they saw', async () => {
    expect(await codeOf(await put(right(), {}))).toEqual([428, 'precondition-required'])
    expect(await codeOf(await put(right(), { 'if-match': '"1-x"' }))).toEqual([412, 'reference-values-conflict'])
    const etag = (await put(right())).headers.get('etag') ?? ''
    expect(await codeOf(await put(WRONG))).toEqual([412, 'reference-values-conflict'])
    const again = await put(right(), { 'if-match': etag })
    expect([again.status, again.headers.get('etag')]).toEqual([200, etag])
    expect((await put(WRONG, { 'if-match': etag })).status).toBe(201)
    expect(await codeOf(await put(right(), { 'if-match': etag }))).toEqual([412, 'reference-values-conflict'])
  })

  it('race for the next version and for a decision, and one wins', async () => {
    const etag = (await put(right())).headers.get('etag') ?? ''
    const writers = await Promise.all([1, 2, 3].map((i) => put(setText([i]), { 'if-match': etag })))
    expect(statusesOf(writers)).toEqual([201, 412, 412])
    const deciders = await Promise.all([1, 2, 1].map((version) => decide({ version, state: 'active', expected_counter: 0 })))
    expect(statusesOf(deciders)).toEqual([201, 412, 412])
    expect(await codeOf(await decide({ version: 1, state: 'revoked', reason: 'x', expected_counter: 0 }))).toEqual([
      412,
      'reference-values-conflict',
    ])
  })
})

describe('who may', () => {
  const ALL = Object.keys(TOKENS) as (keyof typeof TOKENS)[]

  it.each<[string, string, readonly string[]]>([
    ['GET', '', ALL],
    ['GET', '/nodes', ALL],
    ['GET', '/nodes/versions', ALL],
    ['GET', '/nodes/versions/1', ALL],
    ['PUT', '/nodes', ['policy-author', 'admin']],
    ['POST', '/nodes/activations', ['policy-activator', 'admin']],
    ['POST', '/nodes/dry-runs', ['policy-author', 'admin']],
  ])('%s %s', async (method, path, roles) => {
    const statuses = await Promise.all(ALL.map(async (as) => (await send(path, { method, as })).status))
    expect(ALL.filter((_, at) => statuses[at] !== 403)).toEqual(roles)
    expect((await overSocket(lab.app, `/v1/reference-values${path}`, { method })).status).toBe(401)
    expect(lab.made.audit.some(({ outcome }) => outcome === 'changed')).toBe(false)
  })
})

describe('what is refused', () => {
  const INVALID: [number, string] = [422, 'reference-values-invalid']
  it.each<[string, string | Buffer<ArrayBuffer>, [number, string]]>([
    ['an unknown member', right({ snpp: {} }), INVALID],
    ['a standing, which is not for the writer to say', right({ standing: { state: 'active' } }), INVALID],
    ['another name', right({ name: 'other' }), INVALID],
    ['no owner', right({ owner: undefined }), INVALID],
    ['no value', right({ snp: {} }), INVALID],
    ['a value of the wrong length', right({ snp: { measurements: ['ab'] } }), INVALID],
    ['an alias bomb', 'name: nodes\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n', INVALID],
    ['a tag', 'name: !!js/function nodes\n', INVALID],
    ['a prototype', 'name: nodes\n__proto__: {}\n', INVALID],
    ['an empty body', '', INVALID],
    ['two documents', 'name: nodes\n---\nname: nodes\n', INVALID],
    ['bytes that are not UTF-8', Buffer.from([0x6e, 0xff, 0x0a]), [400, 'request-malformed']],
    ['more than a mebibyte', `name: nodes\n#${'x'.repeat(1024 * 1024)}\n`, [413, 'request-too-large']],
  ])('%s', async (_, text, refused) => {
    expect(await codeOf(await put(text))).toEqual(refused)
    expect(await codeOf(await send('/nodes'))).toEqual([404, 'reference-values-unknown'])
  })

  it.each(['{"name":"nodes","name":"nodes"}', '{"__proto__":{}}', 'name: nodes'])('%s as JSON', async (text) => {
    expect(await codeOf(await put(text, { 'if-none-match': '*', 'content-type': 'application/json' }))).toEqual([400, 'request-malformed'])
  })

  it('another type than JSON and YAML', async () => {
    const headers = { 'if-none-match': '*', 'content-type': 'text/plain' }
    expect(await codeOf(await put(right(), headers))).toEqual([415, 'content-type-unsupported'])
  })

  it.each(['0', '01', '2', 'x', '1.0', '9999999', '%2e%2e'])('version %s, which is not there', async (version) => {
    await put(right())
    expect(await codeOf(await send(`/nodes/versions/${version}`))).toEqual([404, expect.stringMatching(/unknown/)])
  })

  it.each(['none', '__proto__', 'constructor', 'a%00b', '%ff', 'x'.repeat(300)])('the name %s, which is nowhere', async (name) => {
    expect((await send(`/${name}`)).status).toBe(404)
    expect((await put(right(), { 'if-none-match': '*' }, name)).status).toBe(422)
    expect((await decide({ version: 1, state: 'active' }, { name })).status).toBe(404)
  })

  it.each<[object | string]>([
    [{}],
    [{ version: 1 }],
    [{ version: 0, state: 'active' }],
    [{ version: '1', state: 'active' }],
    [{ version: 1, state: 'draft' }],
    [{ version: 1, state: 'active', until: FAR }],
    [{ version: 1, state: 'active', x: 1 }],
    [{ version: 1, state: 'deprecated' }],
    [{ version: 1, state: 'deprecated', until: '2100-01-01' }],
    [{ version: 1, state: 'revoked' }],
    [{ version: 1, state: 'revoked', reason: 'two\nlines' }],
    [{ version: 1, state: 'active', expected_counter: -1 }],
    ['{"version":1,"version":1,"state":"active"}'],
    ['[]'],
  ])('the decision %j', async (body) => {
    await put(right())
    expect(await codeOf(await decide(body))).toEqual([400, 'request-malformed'])
    expect(await standings()).toEqual([[1, 'draft', 'draft']])
  })

  it('a decision that does not follow from how the version stands', async () => {
    await put(right())
    const refused = [409, 'reference-values-state-refused']
    expect(await codeOf(await decide({ version: 1, state: 'deprecated', until: FAR }))).toEqual(refused)
    await decide({ version: 1, state: 'active' })
    expect(await codeOf(await decide({ version: 1, state: 'active' }))).toEqual(refused)
    expect(await codeOf(await decide({ version: 1, state: 'deprecated', until: '2020-01-01T00:00:00Z' }))).toEqual(refused)
    expect(await standings()).toEqual([[1, 'active', null]])
  })
})
