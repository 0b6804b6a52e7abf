import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuditLog } from '../src/access/audit.ts'
import { createCredentials } from '../src/access/credentials.ts'
import { oidcReader } from '../src/access/oidc.ts'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, attestRequest, type AttestRequest } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { challengeFrom } from './answers.ts'
import { tempFiles, type Files } from './cli.ts'
import { fetchOf, testServices, TOKENS, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

/** What must turn up nowhere, as text and as bytes; long enough that none of it is there by chance. */
const CANARY = `canary-${randomBytes(18).toString('hex')}`
const BYTES = Buffer.from(CANARY)
const CANARY64 = BYTES.toString('base64')

/** Every spelling: base64 depends on where in three bytes the text begins. */
const SPELLINGS = [
  CANARY,
  CANARY.toUpperCase(),
  encodeURIComponent(CANARY),
  BYTES.toString('hex'),
  ...[0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), BYTES])
      .toString('base64')
      .slice(4, -4)
    return [shifted, shifted.replaceAll('+', '-').replaceAll('/', '_')]
  }),
]

const ISSUER = 'http://127.0.0.1:9'

const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
/** Everything that callers were told. */
const told: string[] = []

let files: Files
let amd: FakeAmd
let fixture: TestServices
let app: App
beforeAll(async () => {
  files = tempFiles()
  amd = await fakeAmd({ products: ['Milan'] })
  const audit = await createAuditLog({ path: files.path('audit.jsonl'), log })
  const plain = await testServices({ amd })
  fixture = await testServices({ amd, services: { log, audit } })
  const identity = { issuer: ISSUER, jwksUri: undefined, audience: 'assay', algorithms: ['ES256'], rolesClaim: ['g'], roles: [] } as const
  const unknown = createCredentials(
    [],
    oidcReader(identity, () => new Date()),
  )
  /** The operators of the fixture; whoever they do not know is asked of an identity provider that is not there. */
  const authenticate = (header: string | undefined) =>
    header?.includes('.') === true ? unknown.authenticate(header) : plain.services.credentials.authenticate(header)
  app = createApp({ ...fixture.services, credentials: { authenticate } })
  return async () => {
    await fixture.stop()
    await plain.stop()
    await audit.close()
  }
})
afterAll(() => files.remove())

const JSON_TYPE = { 'content-type': 'application/json' }

async function send(path: string, init: RequestInit = {}): Promise<number> {
  const response = await overSocket(app, path, init)
  told.push(JSON.stringify([...response.headers]), await response.text())
  return response.status
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(path, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })

async function expectNowhere(): Promise<void> {
  const places = { log: lines.join(''), answers: told.join('\n'), audit: await readFile(files.path('audit.jsonl'), 'utf8') }
  for (const [place, text] of Object.entries(places))
    for (const spelling of SPELLINGS) expect([place, text.includes(spelling) ? spelling : 'clean']).toEqual([place, 'clean'])
}

/** A JWT that claims everything, signed by nobody. */
const jwt = (issuer: string): string =>
  [
    { alg: 'ES256', kid: CANARY },
    { iss: issuer, sub: CANARY, aud: CANARY, g: CANARY },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(BYTES.toString('base64url'))
    .join('.')

/** A request that would be accepted, changed in one place. */
async function changed(change: (request: AttestRequest) => object): Promise<number> {
  const nonce = await challengeFrom({ url: 'http://assay.test', fetch: fetchOf(app) })
  return post('/v1/appraisals', change(attestRequest(fakeHost(amd), nonce, {})))
}

const pem = `-----BEGIN CERTIFICATE-----\n${CANARY64}\n-----END CERTIFICATE-----\n`

describe('a canary in a request never turns up in logs, answers or the audit log', () => {
  it.each<[string, () => Promise<number>]>([
    ['the path', () => send(`/v1/${CANARY}`)],
    ['the code of a problem', () => send(`/problems/${CANARY}`)],
    ['the name of a policy', () => send(`/v1/policies/${CANARY}`, { headers: { authorization: `Bearer ${TOKENS.viewer}` } })],
    ['the query', () => send(`/v1/nothing?token=${CANARY}`)],
    [
      'headers',
      () =>
        post('/v1/appraisals', '{', {
          'user-agent': CANARY,
          'x-request-id': CANARY,
          'x-forwarded-for': CANARY,
          cookie: CANARY,
          accept: `${CANARY}/x`,
        }),
    ],
    ['the type of a body', () => post('/v1/appraisals', '{}', { 'content-type': `application/${CANARY}` })],
    ['a bearer token', () => post('/v1/appraisals', {}, { authorization: `Bearer ${CANARY}` })],
    ['a password', () => post('/v1/appraisals', {}, { authorization: `Basic ${CANARY64}` })],
    ['a JWT of somebody', () => post('/v1/appraisals', {}, { authorization: `Bearer ${jwt(CANARY)}` })],
    ['a JWT of a provider that cannot be asked', () => post('/v1/appraisals', {}, { authorization: `Bearer ${jwt(ISSUER)}` })],
    ['text that is no JSON', () => post('/v1/appraisals', CANARY)],
    ['the name of a member', () => post('/v1/appraisals', { evidence: [], [CANARY]: 1 })],
    ['a member twice', () => post('/v1/appraisals', `{"${CANARY}":1,"${CANARY}":2}`)],
    ['the type of evidence', () => post('/v1/appraisals', { evidence: [{ type: CANARY }] })],
    ['a nonce', () => changed((r) => ({ ...r, nonce: Buffer.alloc(32, BYTES).toString('base64') }))],
    ['a nonce that is none', () => changed((r) => ({ ...r, nonce: CANARY }))],
    ['a nonce of the relying party', () => changed((r) => ({ ...r, nonce: undefined, relying_party_nonce: CANARY64 }))],
    ['an audience', () => changed((r) => ({ ...r, audience: CANARY }))],
    ['a policy', () => changed((r) => ({ ...r, policy: CANARY }))],
    ['a binding', () => changed((r) => ({ ...r, binding: CANARY }))],
    ['runtime data', () => changed((r) => ({ ...r, runtime_data: CANARY64 }))],
    ['a key', () => changed((r) => ({ ...r, cnf_jwk: { ...bindingKey('P-256').jwk, x: BYTES.subarray(0, 32).toString('base64url') } }))],
    ['a private key', () => changed((r) => ({ ...r, cnf_jwk: { ...r.cnf_jwk, d: BYTES.toString('base64url') } }))],
    ['a proof', () => changed((r) => ({ ...r, cnf_proof: CANARY64 }))],
    ['a report', () => post('/v1/appraisals', { evidence: [{ type: 'snp', report: Buffer.alloc(1184, BYTES).toString('base64') }] })],
    ['the signature of a report', () => changed((r) => ({ ...r, evidence: r.evidence.map((item) => spoiled(item, 'report', -512)) }))],
    ['a certificate table', () => changed((r) => ({ ...r, evidence: r.evidence.map((item) => ({ ...item, cert_table: CANARY64 })) }))],
    ['a certificate', () => changed((r) => ({ ...r, evidence: r.evidence.map((item) => ({ ...item, certificates: [pem] })) }))],
    ['a quote', () => post('/v1/appraisals', { evidence: [{ type: 'tdx', quote: Buffer.alloc(5000, BYTES).toString('base64') }] })],
    [
      'logs',
      () =>
        post('/v1/inspections', { evidence: [{ type: 'tdx', quote: '', event_log: CANARY64, runtime_log: CANARY64, initdata: CANARY64 }] }),
    ],
    [
      'an outblob',
      () =>
        post('/v1/appraisals', {
          evidence: [{ type: 'tsm', provider: 'sev_guest', outblob: CANARY64, auxblob: CANARY64, manifestblob: CANARY64 }],
        }),
    ],
  ])('%s', async (_, ask) => {
    expect(await ask()).toBeGreaterThanOrEqual(400)
    await expectNowhere()
  })

  it.each<[string, string]>([
    ['that is no document', CANARY],
    ['with a comment, and a key twice', `# ${CANARY}\nname: secret\nname: secret\n`],
    ['with an alias', `name: &${CANARY} secret\nexplain: *${CANARY}\n`],
    ['with a tag', `name: !${CANARY} secret\n`],
    ['with an alias of nothing', `name: *${CANARY}\n`],
    ['with a block that is none', `name: | ${CANARY}\n`],
    ['with a value that cannot be', `name: secret\nexplain: ${CANARY}\n`],
    ['with a measurement that is none', `name: secret\nsnp:\n  measurements: ["${CANARY}"]\n`],
    ['with a name that is another', `name: ${CANARY}\n`],
  ])('the text of a policy %s', async (_, body) => {
    const headers = { authorization: `Bearer ${TOKENS['policy-author']}`, 'content-type': 'application/yaml', 'if-none-match': '*' }
    expect(await send('/v1/policies/secret', { method: 'PUT', headers, body })).toBeGreaterThanOrEqual(400)
    await expectNowhere()
  })

  it('the text of a policy that is kept: it is for those who read policies', async () => {
    const headers = { authorization: `Bearer ${TOKENS['policy-author']}`, 'content-type': 'application/yaml', 'if-none-match': '*' }
    const body = `# ${CANARY}\nname: kept\nsnp:\n  measurements: ["${'a1'.repeat(48)}"]\n`
    expect((await overSocket(app, '/v1/policies/kept', { method: 'PUT', headers, body })).status).toBe(201)
    await expectNowhere()
  })

  it('of one that is accepted: nonce, runtime data, token', async () => {
    const target = { url: 'http://assay.test', fetch: fetchOf(app), audience: 'relying-party', policy: 'relying-party' }
    const answer = await attest(fakeHost(amd), { ...target, relyingPartyNonce: BYTES.subarray(0, 40), runtimeData: BYTES })
    expect(answer.status).toBe(201)
    await expectNowhere()
    const { token } = answer.body as { token: string }
    expect(`${lines.join('')}${await readFile(files.path('audit.jsonl'), 'utf8')}`).not.toContain(token.split('.')[2])
  })

  it('is found where it is: the log, the answers and the audit log are those of these requests', async () => {
    expect(lines.join('')).toContain('identity-provider-unavailable')
    expect(told.join('')).toContain('snp-')
    const audit = (await readFile(files.path('audit.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(new Set(audit.map((line) => (JSON.parse(line) as { outcome: string }).outcome))).toEqual(
      new Set(['refused', 'issued', 'changed']),
    )
    lines.push(`x${Buffer.concat([Buffer.alloc(1), BYTES]).toString('base64')}`)
    await expect(expectNowhere()).rejects.toThrow('clean')
    lines.pop()
  })
})

/** An item with the canary in its bytes, so many before their end. */
function spoiled(item: object, member: string, at: number): object {
  const bytes = Buffer.from(String(new Map(Object.entries(item)).get(member)), 'base64')
  bytes.set(BYTES, bytes.length + at)
  return { ...item, [member]: bytes.toString('base64') }
}
