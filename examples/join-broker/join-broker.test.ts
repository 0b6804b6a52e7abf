import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accepted } from '../../test/answers.ts'
import { tempFiles, type Files } from '../../test/cli.ts'
import { freePort } from '../../test/free-port.ts'
import { testServices, type TestServices } from '../../test/services.ts'
import { createApp } from '../../src/app.ts'
import { startServer, type RunningServer } from '../../src/service/server.ts'
import { fakeAmd, type FakeAmd } from '../../src/simulator/amd.ts'
import { attest } from '../../src/simulator/attest.ts'
import { bindingKey, type BindingKeyKind } from '../../src/simulator/binding-keys.ts'
import { fakeHost } from '../../src/simulator/hosts.ts'
import { createJoinBroker, JOINS, type BrokerOptions, type JoinLine } from './broker.ts'
import { proofFor, type AttestedNode } from './join.ts'

let amd: FakeAmd
let fixture: TestServices
let service: RunningServer
let url = ''
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  fixture = await testServices({ amd })
  service = await startServer(createApp(fixture.services), { listen: { host: '127.0.0.1', port: 0 }, issuer: fixture.services.issuer })
  url = `http://127.0.0.1:${service.port}`
})
afterAll(async () => {
  await service.drain(0)
  await fixture.stop()
})

const BROKER = 'https://broker.example'

type Guest = AttestedNode & { readonly policy: string }

/** A guest with a token for a key of its own, and the digest of the policy that judged it. */
async function guest(kind: BindingKeyKind = 'P-256', audience = 'open'): Promise<Guest> {
  const key = bindingKey(kind)
  const { token, appraisal } = accepted(await attest(fakeHost(amd), { url, key, audience }))
  return { token, key: key.privateKey, policy: appraisal.policy?.sha256 ?? '' }
}

let lines: JoinLine[] = []
const SECRET = 'join-with-this'

function brokerFor({ policy }: Guest, change: Partial<BrokerOptions> = {}) {
  lines = []
  return createJoinBroker({
    issuer: fixture.services.issuer,
    jwksUri: `${url}/.well-known/jwks.json`,
    audience: 'open',
    publicUrl: BROKER,
    accept: { policies: [{ sha256: policy }], demo: 'DANGEROUSLY_ACCEPT_DEMO' },
    secretFor: () => SECRET,
    log: (line) => void lines.push(line),
    ...change,
  })
}

type Sent = { readonly token: string; readonly proof?: string | undefined; readonly scheme?: string }

async function asked(broker: ReturnType<typeof brokerFor>, { token, proof, scheme = 'DPoP' }: Sent) {
  const headers = { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) }
  const response = await broker.request(JOINS, { method: 'POST', headers })
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers }
}
const refusedWith = async (broker: ReturnType<typeof brokerFor>, sent: Sent) => {
  const { status, body } = await asked(broker, sent)
  expect(JSON.stringify(body)).not.toContain(SECRET)
  return [status, body['code']]
}
const proofOf = (node: AttestedNode, to = `${BROKER}${JOINS}`, method = 'POST') => proofFor(node, method, to)
const otherKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

const unreadable = (): string => {
  throw new Error('/etc/join-secret cannot be read')
}

describe('a broker', () => {
  it.each<BindingKeyKind>(['P-256', 'P-384', 'Ed25519', 'RSA'])(
    'hands a node with a key of kind %s what it needs to join, and says so',
    async (kind) => {
      const node = await guest(kind)
      const broker = brokerFor(node)
      const { status, body, headers } = await asked(broker, { token: node.token, proof: await proofOf(node) })
      expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
      expect(body).toEqual({ node: expect.stringMatching(/^urn:assay:cnf:/), join_secret: SECRET })
      expect(lines).toEqual([
        {
          event: 'joined',
          node: body['node'],
          host: expect.stringMatching(/^urn:assay:host:/),
          token: expect.any(String),
          policies: [node.policy],
        },
      ])
      expect(JSON.stringify(lines)).not.toContain(SECRET)
      expect(JSON.stringify(lines)).not.toContain(node.token)
    },
  )

  it('hands whoever has stolen a token nothing', async () => {
    const node = await guest()
    const broker = brokerFor(node)
    const proof = await proofOf(node)
    const thief = { ...node, key: otherKey() }
    expect(await refusedWith(broker, { token: node.token, proof: await proofOf(thief) })).toEqual([401, 'confirmation-mismatch'])
    expect(await refusedWith(broker, { token: node.token })).toEqual([401, 'proof-missing'])
    expect(await refusedWith(broker, { token: node.token, scheme: 'Bearer' })).toEqual([401, 'proof-missing'])
    expect((await asked(broker, { token: node.token, proof })).status).toBe(201)
    expect(await refusedWith(broker, { token: node.token, proof })).toEqual([401, 'proof-replayed'])
    expect(lines.filter(({ event }) => event === 'refused')).toHaveLength(4)
  })

  it('wants a proof for this request and this token', async () => {
    const [node, other] = [await guest(), await guest()]
    const broker = brokerFor(node)
    const refused = [401, 'proof-mismatch']
    expect(await refusedWith(broker, { token: node.token, proof: await proofOf(node, `https://elsewhere.example${JOINS}`) })).toEqual(
      refused,
    )
    expect(await refusedWith(broker, { token: node.token, proof: await proofOf(node, undefined, 'GET') })).toEqual(refused)
    expect(await refusedWith(broker, { token: node.token, proof: await proofOf({ ...node, token: other.token }) })).toEqual(refused)
  })

  it('takes no token of another audience, policy or mode', async () => {
    const [node, elsewhere] = [await guest(), await guest('P-256', 'half-open')]
    expect(await refusedWith(brokerFor(node), { token: elsewhere.token, proof: await proofOf(elsewhere) })).toEqual([
      401,
      'audience-mismatch',
    ])
    const sent = { token: node.token, proof: await proofOf(node) }
    const accept = { policies: [{ sha256: '0'.repeat(64) }], demo: 'DANGEROUSLY_ACCEPT_DEMO' } as const
    expect(await refusedWith(brokerFor(node, { accept }), sent)).toEqual([403, 'policy-not-accepted'])
    expect(await refusedWith(brokerFor(node, { issuer: 'https://attest.example', accept: { policies: accept.policies } }), sent)).toEqual([
      401,
      'demo-not-accepted',
    ])
  })

  it('tells nobody why it has no secret', async () => {
    const node = await guest()
    const { status, body } = await asked(brokerFor(node, { secretFor: unreadable }), { token: node.token, proof: await proofOf(node) })
    expect([status, body]).toEqual([500, { code: 'internal-error' }])
    expect(lines).toEqual([{ event: 'failed', node: JOINS, why: '/etc/join-secret cannot be read' }])
  })
})

const HERE = import.meta.dirname
let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

const settings = (policy: string) => ({
  port: 0,
  public_url: BROKER,
  issuer: fixture.services.issuer,
  jwks_uri: `${url}/.well-known/jwks.json`,
  audience: 'open',
  policies: [policy],
  join_secret_file: files.write('secret', `${SECRET}\n`),
  demo: 'DANGEROUSLY_ACCEPT_DEMO',
})

describe('the two programs', () => {
  it('talk to each other', async () => {
    const node = await guest()
    const port = await freePort()
    const at = `http://127.0.0.1:${port}`
    const config = files.write('broker.json', { ...settings(node.policy), port, public_url: at })
    const broker = spawn(process.execPath, [resolve(HERE, 'main.ts'), config], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said = createInterface({ input: broker.stdout })[Symbol.asyncIterator]()
    expect(JSON.parse(String((await said.next()).value))).toMatchObject({ event: 'listening', port })
    const token = files.write('token.jwt', `${node.token}\n`)
    const join = (key: KeyObject) => {
      const pem = files.write('key.pem', String(key.export({ format: 'pem', type: 'pkcs8' })))
      return ran(['--broker', at, '--token', token, '--key', pem])
    }
    expect(await join(node.key)).toEqual({ code: 0, out: `${SECRET}\n`, err: '' })
    const stolen = await join(otherKey())
    expect([stolen.code, stolen.out]).toEqual([1, ''])
    expect(stolen.err).toContain('confirmation-mismatch')
    broker.kill()
    await once(broker, 'exit')
  })

  it('refuse to send secrets over the network without TLS', () => {
    const config = files.write('open.json', { ...settings('0'.repeat(64)), host: '0.0.0.0' })
    const { status, stderr } = spawnSync(process.execPath, [resolve(HERE, 'main.ts'), config])
    expect([status, String(stderr)]).toEqual([1, expect.stringContaining('secrets leave this machine over TLS only')])
  })
})

/** The node's program, while the service goes on in this process. */
async function ran(args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [resolve(HERE, 'join.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}
