import { pino } from 'pino'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { challengeFrom } from './answers.ts'
import { fetchOf, testServices, TOKENS, type TestServices } from './services.ts'

const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })

let amd: FakeAmd
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  fixture = await testServices({ amd, services: { log } })
  app = createApp(fixture.services)
  return fixture.stop
})

/** A value in every spelling in which it could turn up. */
const spellings = (bytes: Uint8Array): readonly string[] =>
  (['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(bytes).toString(encoding).replace(/=+$/, ''))

function expectNoneOf(secrets: readonly string[]): void {
  const text = lines.join('')
  for (const secret of secrets) expect(text).not.toContain(secret)
}

describe('no line of the log', () => {
  it('holds the nonce, the token or the evidence of an accepted request', async () => {
    const target = { url: 'http://assay.test', fetch: fetchOf(app) }
    const nonce = await challengeFrom(target)
    const answer = await attest(fakeHost(amd), { ...target, nonce, accept: 'application/jwt' })
    expect(answer.status).toBe(201)
    expectNoneOf([...spellings(nonce), String(answer.body)])
  })

  it('holds the nonce or the report of a refused one, also where REPORT_DATA is the nonce', async () => {
    const target = { url: 'http://assay.test', fetch: fetchOf(app), audience: 'open' }
    const [nonce, other] = [await challengeFrom(target), await challengeFrom(target)]
    const host = fakeHost(amd)
    const change = (request: object) => ({ ...request, nonce: Buffer.from(other).toString('base64') })
    const answer = await attest(host, { ...target, nonce, binding: 'nonce', key: 'none', change })
    expect(answer.body).toMatchObject({ code: 'snp-report-data-mismatch' })
    expect(lines.join('')).toContain('snp-report-data-mismatch')
    const { evidence } = answer.request as { evidence: readonly { report: string }[] }
    expectNoneOf([...spellings(nonce), ...spellings(other), evidence[0]?.report.slice(0, 400) ?? 'none'])
  })

  it('holds a private key that was sent by mistake, or credentials', async () => {
    const key = bindingKey('P-256')
    const secret = key.privateKey.export({ format: 'jwk' }).d ?? 'none'
    const target = { url: 'http://assay.test', fetch: fetchOf(app) }
    const answer = await attest(fakeHost(amd), { ...target, key, change: (r) => ({ ...r, cnf_jwk: { ...key.jwk, d: secret } }) })
    expect(answer.body).toMatchObject({ code: 'cnf-key-invalid' })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKENS.viewer}` }
    await fetchOf(app)('/v1/collateral', { headers })
    await fetchOf(app)('/v1/collateral', { headers: { authorization: 'Bearer wrong-guess-123' } })
    expectNoneOf([secret, TOKENS.viewer, 'wrong-guess-123'])
  })
})
