import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import * as answers from '../src/routes/openapi/policy-answers.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { DocumentStore } from '../src/stores/stores.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
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
import type { TestOptions } from './services.ts'
import { overSocket } from './socket.ts'

const WRONG = 'ab'.repeat(48)
const yaml = (measurement: string, more = '') => `name: eu\n${more}snp:\n  measurements: ['${measurement}']\n`

let lab: OperatorsLab
let documents: Documents
async function start(options: Partial<TestOptions> = {}): Promise<void> {
  lab = await operatorsLab({ audiences: [audienceOf('eu'), audienceOf('both', ['eu', 'strict'])], ...options })
  documents = lab.documents('policies', 'eu')
}
beforeEach(() => start())

const send = (path: string, sent: Sent = {}) => lab.send(path, { as: 'admin', ...sent })
const put: Documents['put'] = (...args) => documents.put(...args)
const next = (text: string) => documents.next(text)
const activate = (body: object, name = 'eu') => documents.decide(body, { name })
const ask = (name = 'eu') => lab.ask(name)

/** Status, ETag and body of the policy in one form, for a caller who has an answer already. */
const get = async (accept: string, known = '') => {
  const response = await send('/v1/policies/eu', { headers: { accept, ...(known === '' ? {} : { 'if-none-match': known }) } })
  expect(response.headers.get('vary')).toBe('Accept')
  return [response.status, response.headers.get('etag') ?? '', await response.text()] as const
}

const lost = () => Promise.reject(new AttestationError('not-ready', 'no answer in time'))

describe('the life of a policy', () => {
  it('begins with a version that counts for nothing, until it is activated', async () => {
    expect(refusal(await ask())).toEqual([403, 'audience-not-allowed'])
    const response = await put(yaml(RIGHT))
    expect([response.status, response.headers.get('location')]).toEqual([201, '/v1/policies/eu/versions/1'])
    expect(answers.policyTextAnswer.parse(await response.json())).toMatchObject({
      managed_by: 'store',
      active: null,
      counter: 0,
      text: yaml(RIGHT),
    })
    expect(refusal(await ask())).toEqual([403, 'audience-not-allowed'])
    const activated = answers.policyAnswer.parse(await (await activate({ version: 1 })).json())
    expect(accepted(await ask()).appraisal.policy).toEqual(activated.active)
  })

  it('goes on with later versions, back to older ones, and ends with a revocation', async () => {
    await put(yaml(RIGHT))
    await next(yaml(WRONG))
    await activate({ version: 1 })
    expect(accepted(await ask()).appraisal.policy?.version).toBe(1)
    await activate({ version: 2 })
    expect(refusal(await ask())).toEqual([403, 'snp-measurement-mismatch'])
    await activate({ version: 1 })
    expect(accepted(await ask()).appraisal.policy?.version).toBe(1)
    expect(await codeOf(await activate({ version: 1, as: 'revoked', reason: 'x'.repeat(151) }))).toEqual([400, 'request-malformed'])
    expect((await activate({ version: 1, as: 'revoked', reason: 'x'.repeat(150) })).status).toBe(201)
    expect(refusal(await ask())).toEqual([403, 'audience-not-allowed'])
    expect(await codeOf(await activate({ version: 1 }))).toEqual([409, 'policy-version-revoked'])
    const { versions } = answers.versionsAnswer.parse(await (await send('/v1/policies/eu/versions')).json())
    expect(versions.map(({ version, state, author }) => [version, state, author])).toEqual([
      [1, 'revoked', expect.any(String)],
      [2, 'draft', expect.any(String)],
    ])
  })

  it('is listed with files and built-in policies, and each version keeps its text', async () => {
    await put(yaml(RIGHT))
    await next(yaml(WRONG))
    const { policies } = answers.policiesAnswer.parse(await (await send('/v1/policies', { as: 'viewer' })).json())
    expect(policies.map(({ name, managed_by: by }) => [name, by])).toEqual(
      expect.arrayContaining([
        ['eu', 'store'],
        ['lab', 'files'],
        ['strict', 'built-in'],
      ]),
    )
    const first = answers.versionAnswer.parse(await (await send('/v1/policies/eu/versions/1')).json())
    expect(first).toMatchObject({ version: 1, text: yaml(RIGHT), state: 'draft' })
    const bare = await send('/v1/policies/eu', { headers: { accept: 'application/yaml' } })
    expect([bare.headers.get('content-type'), await bare.text()]).toEqual(['application/yaml', yaml(WRONG)])
    expect(answers.policyTextAnswer.parse(await (await send('/v1/policies/lab')).json())).toMatchObject({ managed_by: 'files' })
  })

  it('is not sent to those who have it, in each of its forms, and to all others is', async () => {
    await put(yaml(RIGHT))
    const [[, asJson], [, asYaml]] = [await get('application/json'), await get('application/yaml')]
    expect(asJson).not.toBe(asYaml)
    expect(await get('application/json', `"other", ${asJson}`)).toEqual([304, asJson, ''])
    expect(await get('application/yaml', asYaml)).toEqual([304, asYaml, ''])
    expect(await get('application/yaml', asJson)).toEqual([200, asYaml, yaml(RIGHT)])
    // What counts is another now, so the JSON is; the text is the same.
    await activate({ version: 1 })
    const [status, etag] = await get('application/json', asJson)
    expect([status, etag === asJson]).toEqual([200, false])
    expect(await get('application/yaml', asYaml)).toEqual([304, asYaml, ''])
    // Each of them names the version for whoever writes the next.
    expect((await put(yaml(WRONG), { 'if-match': asYaml })).status).toBe(201)
    expect(await codeOf(await put(yaml(RIGHT), { 'if-match': asJson }))).toEqual([412, 'policy-conflict'])
    expect((await get('application/yaml', asYaml))[0]).toBe(200)
  })

  it('has one line in the audit log for each act, with who did it, and one for each refusal', async () => {
    await put(yaml(RIGHT))
    await activate({ version: 1 })
    await activate({ version: 2 })
    const lines = lab.made.audit.map(({ action, outcome, policy, code }) => [action, outcome, policy?.version ?? code])
    expect(lines).toEqual([
      ['policy-put', 'changed', 1],
      ['policy-activation', 'changed', 1],
      ['policy-activation', 'refused', 'policy-unknown'],
    ])
    expect(new Set(lab.made.audit.map(({ caller }) => caller)).size).toBe(2)
  })

  it('changes nothing that cannot be recorded', async () => {
    await start({
      services: { audit: unwritable },
    })
    expect(await codeOf(await put(yaml(RIGHT)))).toEqual([503, 'audit-unavailable'])
    expect(await codeOf(await send('/v1/policies/eu'))).toEqual([404, 'policy-unknown'])
  })

  it('never has a change taken back in the audit log that may be in force', async () => {
    const stores = memoryStores()
    const advance: DocumentStore['advance'] = (...move) => stores.documents.advance(...move).then(lost)
    await start({ stores: { ...stores, documents: { ...stores.documents, advance } } })
    await put(yaml(RIGHT))
    expect(await codeOf(await activate({ version: 1 }))).toEqual([503, 'not-ready'])
    expect(lab.made.audit.map(({ action, outcome, code }) => [action, outcome, code])).toEqual([
      ['policy-put', 'changed', undefined],
      ['policy-activation', 'changed', undefined],
      ['policy-activation', 'undecided', 'not-ready'],
    ])
    const { active } = answers.policyTextAnswer.parse(await (await send('/v1/policies/eu')).json())
    expect(active?.version).toBe(1)
  })
})

describe('writers and deciders who do not know of each other', () => {
  it('must say which version they saw', async () => {
    expect(await codeOf(await put(yaml(RIGHT), {}))).toEqual([428, 'precondition-required'])
    expect(await codeOf(await put(yaml(RIGHT), { 'if-match': '"1"', 'if-none-match': '*' }))).toEqual([428, 'precondition-required'])
    expect(await codeOf(await put(yaml(RIGHT), { 'if-match': '"1-x"' }))).toEqual([412, 'policy-conflict'])
    const etag = (await put(yaml(RIGHT))).headers.get('etag') ?? ''
    expect(await codeOf(await put(yaml(WRONG)))).toEqual([412, 'policy-conflict'])
    expect((await put(yaml(WRONG), { 'if-match': etag })).status).toBe(201)
    expect(await codeOf(await put(yaml(RIGHT), { 'if-match': etag }))).toEqual([412, 'policy-conflict'])
  })

  it('get one version for the same text', async () => {
    const etag = (await put(yaml(RIGHT))).headers.get('etag') ?? ''
    const again = await put(yaml(RIGHT), { 'if-match': etag })
    expect([again.status, again.headers.get('etag')]).toEqual([200, etag])
  })

  it('race for the next version, and one wins', async () => {
    const etag = (await put(yaml(RIGHT))).headers.get('etag') ?? ''
    const race = await Promise.all([1, 2, 3].map((i) => put(yaml(WRONG, `# ${i}\n`), { 'if-match': etag })))
    expect(statusesOf(race)).toEqual([201, 412, 412])
  })

  it('race for an activation, and one wins', async () => {
    await put(yaml(RIGHT))
    await next(yaml(WRONG))
    const race = await Promise.all([1, 2, 1, 2].map((version) => activate({ version, expected_counter: 0 })))
    expect(statusesOf(race)).toEqual([201, 412, 412, 412])
    expect(await codeOf(await activate({ version: 1, expected_counter: 0 }))).toEqual([412, 'policy-conflict'])
    expect((await activate({ version: 1, expected_counter: 1 })).status).toBe(201)
  })
})

describe('what is refused', () => {
  it.each<[string, string | Buffer<ArrayBuffer>, ...refused: [number, string]]>([
    ['an unknown member', 'name: eu\nsnpp: {}\n', 422, 'policy-invalid'],
    ['another name', yaml(RIGHT).replace('eu', 'us'), 422, 'policy-invalid'],
    ['an alias bomb', `name: eu\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n`, 422, 'policy-invalid'],
    ['a tag', `name: !!js/function eu\n`, 422, 'policy-invalid'],
    ['a key twice', `name: eu\nname: eu\n`, 422, 'policy-invalid'],
    ['a prototype', `name: eu\n__proto__: {issue_on: warning}\n`, 422, 'policy-invalid'],
    ['a constructor', `name: eu\nconstructor: {}\n`, 422, 'policy-invalid'],
    ['a number as text', `name: eu\nsnp: {min_report_version: '3'}\n`, 422, 'policy-invalid'],
    ['no measurement of the right length', yaml('ab'), 422, 'policy-invalid'],
    ['an empty body', '', 422, 'policy-invalid'],
    ['no mapping', '[]', 422, 'policy-invalid'],
    ['two documents', `${yaml(RIGHT)}---\n${yaml(RIGHT)}`, 422, 'policy-invalid'],
    ['bytes that are not UTF-8', Buffer.from([0x6e, 0xff, 0x0a]), 400, 'request-malformed'],
    ['more than a mebibyte', `name: eu\n#${'x'.repeat(1024 * 1024)}\n`, 413, 'request-too-large'],
  ])('%s', async (_, text, ...refused) => {
    expect(await codeOf(await put(text))).toEqual(refused)
    expect(await codeOf(await send('/v1/policies/eu'))).toEqual([404, 'policy-unknown'])
  })

  it.each([
    ['a member twice', '{"name":"eu","name":"eu"}', 400],
    ['__proto__', '{"name":"eu","__proto__":{}}', 400],
    ['YAML', 'name: eu', 400],
  ])('%s as JSON', async (_, text, status) => {
    const headers = { 'if-none-match': '*', 'content-type': 'application/json' }
    expect(await codeOf(await put(text, headers))).toEqual([status, 'request-malformed'])
  })

  it.each(['text/plain', 'application/yaml; charset=utf-16', 'multipart/form-data'])('the type %s', async (type) => {
    expect(await codeOf(await put(yaml(RIGHT), { 'if-none-match': '*', 'content-type': type }))).toEqual([415, 'content-type-unsupported'])
  })

  it.each(['lab', 'strict'])('a change of %s, which is not in the store', async (name) => {
    expect(await codeOf(await put(`name: ${name}\n`, { 'if-none-match': '*' }, name))).toEqual([409, 'policy-managed-by-files'])
    expect(await codeOf(await activate({ version: 1 }, name))).toEqual([409, 'policy-managed-by-files'])
  })

  it('a weakened version beside others, which weakens an audience', async () => {
    await put(yaml(RIGHT, 'issue_on: warning\n'))
    const response = await activate({ version: 1 })
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ detail: expect.stringContaining('audiences.both') }),
    ])
    expect((await activate({ version: 1, as: 'shadow' })).status).toBe(201)
  })

  it.each(['0', '01', '2', 'x', '1.0', '9999999', '%2e%2e'])('version %s, which is not there', async (version) => {
    await put(yaml(RIGHT))
    expect(await codeOf(await send(`/v1/policies/eu/versions/${version}`))).toEqual([404, expect.stringMatching(/unknown/)])
  })

  it.each(['none', '__proto__', 'constructor', 'a%00b', '%ff', 'x'.repeat(300)])('the name %s, which is nowhere', async (name) => {
    expect((await send(`/v1/policies/${name}`)).status).toBe(404)
    expect((await put(yaml(RIGHT), { 'if-none-match': '*' }, name)).status).toBe(422)
    expect((await activate({ version: 1 }, name)).status).toBe(404)
  })

  it.each([
    {},
    { version: null },
    { version: null, as: 'active' },
    { version: '1' },
    { version: 0 },
    { version: 1, as: 'draft' },
    { version: 1, x: 1 },
  ])('the activation %j', async (body) => {
    await put(yaml(RIGHT))
    expect(await codeOf(await activate(body))).toEqual([400, 'request-malformed'])
  })
})

const run = async (body: object) =>
  send('/v1/policies/eu/dry-runs', {
    method: 'POST',
    as: 'policy-author',
    body: JSON.stringify({ evidence: [lab.host.evidence(new Uint8Array(64))], ...body }),
  })

const result = async (body: object) => answers.dryRunAnswer.parse(await (await run(body)).json())

describe('dry-runs', () => {
  it('tell how a draft would judge, without anything active', async () => {
    expect(await result({ draft: yaml(RIGHT) })).toMatchObject({ tried: { accepted: true, code: null }, active: null, changes: [] })
    expect(await result({ draft: yaml(WRONG) })).toMatchObject({ tried: { accepted: false, code: 'snp-measurement-mismatch' } })
    expect(await result({ draft: yaml(RIGHT), key_bound: false })).toMatchObject({ tried: { code: 'cnf-key-required' } })
    expect(await result({ draft: yaml(RIGHT), report_data: '11'.repeat(64) })).toMatchObject({
      tried: { code: 'snp-report-data-mismatch' },
    })
  })

  it('tell what would change, spend nothing, keep nothing and make no token', async () => {
    await put(yaml(RIGHT))
    await next(yaml(WRONG))
    await activate({ version: 1 })
    const lines = lab.made.audit.length
    const { tried, active, changes } = await result({ version: 2 })
    expect([tried.accepted, active?.accepted, tried.appraisal.policy?.version, active?.appraisal.policy?.version]).toEqual([
      false,
      true,
      2,
      1,
    ])
    expect(changes.map(({ active: before, tried: after }) => [before?.outcome, after?.outcome])).toEqual([['pass', 'fail']])
    expect([lab.made.audit.length, JSON.stringify(await (await run({ version: 2 })).json()).includes('"token"')]).toEqual([lines, false])
    expect(await result({ version: 1 })).toMatchObject({ changes: [] })
  })

  it.each<[string, object, ...refused: [number, string]]>([
    ['neither draft nor version', {}, 400, 'request-malformed'],
    ['both', { draft: 'x', version: 1 }, 400, 'request-malformed'],
    ['a draft that cannot be used', { draft: 'name: eu\nx: 1\n' }, 422, 'policy-invalid'],
    ['a version that is not there', { version: 7 }, 404, 'policy-unknown'],
    [
      'several items',
      {
        draft: yaml(RIGHT),
        evidence: [
          { type: 'snp', report: 'AAAA' },
          { type: 'snp', report: 'AAAA' },
        ],
      },
      403,
      'composition-unsupported',
    ],
  ])('refuse %s', async (_, body, ...refused) => {
    expect(await codeOf(await run(body))).toEqual(refused)
  })
})

describe('the schema of a policy', () => {
  it('is served to everybody as it is documented', async () => {
    const response = await overSocket(lab.app, '/schemas/policy.json')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/schema+json'])
    expect(await response.text()).toBe(readFileSync(new URL('../docs/policy.schema.json', import.meta.url), 'utf8'))
    const again = await overSocket(lab.app, '/schemas/policy.json', { headers: { 'if-none-match': response.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  })
})
