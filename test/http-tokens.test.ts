import { readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { TOKEN_ALGORITHMS, TOKEN_PROFILES, type Audience } from '../src/access/audiences.ts'
import { fakeAmd } from '../src/simulator/amd.ts'
import { attest } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { TOKEN_SCHEMAS } from '../src/tokens/schemas.ts'
import { accepted } from './answers.ts'
import { fetchOf, testServices, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

/** An audience for each algorithm, and for each profile. */
const audiences: readonly Audience[] = [
  ...TOKEN_ALGORITHMS.map((alg) => ({ name: alg, policies: ['lab'], profile: 'lean', alg, relyingPartyNonce: 'refuse' }) as const),
  ...TOKEN_PROFILES.map((profile) => ({ name: profile, policies: ['lab'], profile, alg: 'ES256', relyingPartyNonce: 'refuse' }) as const),
]

let host: FakeHost
let fixture: TestServices
let app: App
let jwks: ReturnType<typeof createLocalJWKSet>
beforeAll(async () => {
  const amd = await fakeAmd({ products: ['Milan'] })
  host = fakeHost(amd)
  fixture = await testServices({ amd, audiences })
  app = createApp(fixture.services)
  jwks = createLocalJWKSet((await (await overSocket(app, '/.well-known/jwks.json')).json()) as JSONWebKeySet)
  return fixture.stop
})

const tokenFor = async (audience: string): Promise<string> =>
  accepted(await attest(host, { url: 'http://assay.test', fetch: fetchOf(app), key: bindingKey('P-256'), audience })).token

describe('an audience', () => {
  it.each(TOKEN_ALGORITHMS)('gets its algorithm: %s', async (alg) => {
    const { protectedHeader } = await jwtVerify(await tokenFor(alg), jwks, { audience: alg, algorithms: [alg], typ: 'demo+JWT' })
    expect(protectedHeader.alg).toBe(alg)
  })

  it.each(TOKEN_PROFILES)('gets its profile: %s', async (profile) => {
    const typ = profile === 'lean' ? 'demo+JWT' : 'demo+eat+jwt'
    const { payload } = await jwtVerify(await tokenFor(profile), jwks, { audience: profile, issuer: fixture.services.issuer, typ })
    expect(TOKEN_SCHEMAS[profile].safeParse(payload).error).toBeUndefined()
  })
})

describe('discovery', () => {
  it('tells the algorithms and profiles that audiences get, and every claim', async () => {
    const found: unknown = await (await overSocket(app, '/.well-known/openid-configuration')).json()
    expect(found).toMatchObject({ id_token_signing_alg_values_supported: TOKEN_ALGORITHMS, token_profiles_supported: TOKEN_PROFILES })
    const { claims_supported } = found as { claims_supported: readonly string[] }
    const known = TOKEN_PROFILES.flatMap((profile) => Object.keys(TOKEN_SCHEMAS[profile].shape))
    expect(claims_supported.toSorted()).toEqual([...new Set(known)].toSorted())
  })
})

describe('the schema of a profile', () => {
  it.each(TOKEN_PROFILES)('is served to everybody as it is documented: %s', async (profile) => {
    const response = await overSocket(app, `/schemas/token-${profile}.json`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/schema+json'])
    expect(await response.text()).toBe(readFileSync(new URL(`../docs/token-${profile}.schema.json`, import.meta.url), 'utf8'))
    const headers = { 'if-none-match': response.headers.get('etag') ?? '' }
    expect((await overSocket(app, `/schemas/token-${profile}.json`, { headers })).status).toBe(304)
  })
})
