import { createSecretKey, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, requestChallenge } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { createTokenIssuer } from '../src/tokens/issuer.ts'
import { fixedTokenKeys, type TokenKeys } from '../src/tokens/key-ring.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { fetchOf, testServices, TOKENS } from './services.ts'
import { overSocket } from './socket.ts'

let amd: FakeAmd
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
})

const NOW = Date.parse('2026-11-24T08:00:00Z')
const now = () => new Date(NOW)
const keys = fixedTokenKeys([temporaryTokenKey('ES256')])

/** An issuer whose keys are as these say. */
function issuerOf(change: Partial<TokenKeys>, clock = now) {
  const subject = createSecretKey(randomBytes(32))
  const issuing = { keys: { subject }, issuer: 'https://demo.assay.invalid', mode: 'demo', now: clock } as const
  return createTokenIssuer({ ...issuing, tokenKeys: { ...keys, ...change } })
}

/** What a service with such keys answers. */
async function answer(path: string, change: Partial<TokenKeys>): Promise<Response> {
  const { services, stop } = await testServices({ amd, services: { tokens: issuerOf(change), now } })
  const response = await overSocket(createApp(services), path, { headers: { authorization: `Bearer ${TOKENS.viewer}` } })
  await stop()
  return response
}

describe('GET /.well-known/jwks.json', () => {
  const JWKS = '/.well-known/jwks.json'

  it('is for no cache while other replicas may have published a key unheard', async () => {
    const response = await answer(JWKS, { areCurrent: () => false })
    const headers = ['cache-control', 'access-control-allow-origin'].map((name) => response.headers.get(name))
    expect([response.status, ...headers]).toEqual([200, 'no-store', '*'])
  })

  it('is a refusal, and no empty set, while no key is known', async () => {
    const response = await answer(JWKS, { shown: () => [] })
    expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store'])
    expect(await response.json()).toMatchObject({ code: 'not-ready', detail: 'no token key is published' })
  })
})

describe('POST /v1/appraisals', () => {
  it('leaves the challenge usable while no key signs', async () => {
    let waits = true
    const signing: TokenKeys['signing'] = (alg, ends) => {
      if (waits) throw new AttestationError('not-ready', 'the key waits', { retryAfter: 7 })
      return keys.signing(alg, ends)
    }
    const { services, stop } = await testServices({ amd, mode: 'demo', services: { tokens: issuerOf({ signing }, () => new Date()) } })
    const target = { url: 'http://assay.test', fetch: fetchOf(createApp(services)) }
    const host = fakeHost(amd)
    const { nonce = new Uint8Array() } = await requestChallenge(target)
    const refused = await attest(host, { ...target, nonce })
    expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
      503,
      '7',
      expect.objectContaining({ code: 'not-ready' }),
    ])
    waits = false
    const { status, body } = await attest(host, { ...target, nonce })
    expect([status, body]).toEqual([201, expect.anything()])
    await stop()
  })
})

describe('GET /v1/token-keys', () => {
  it('tells whoever has a role which keys sign, which will and which did', async () => {
    const [shown] = keys.shown()
    if (shown === undefined) throw new Error('no key')
    const row = (kid: string, change: object) => ({ ...shown, kid, signsFrom: NOW, shownUntil: NOW + 60_000, ...change })
    const rows = [row('a', {}), row('b', { signsFrom: NOW + 1 }), row('c', { superseded: true })]
    const response = await answer('/v1/token-keys', { shown: () => rows })
    const [signs_from, shown_until] = ['2026-11-24T08:00:00.000Z', '2026-11-24T08:01:00.000Z']
    expect(await response.json()).toEqual({
      keys: [
        { kid: 'a', alg: 'ES256', state: 'active', signs_from, shown_until },
        { kid: 'b', alg: 'ES256', state: 'next', signs_from: '2026-11-24T08:00:00.001Z', shown_until },
        { kid: 'c', alg: 'ES256', state: 'retiring', signs_from, shown_until },
      ],
    })
  })
})
