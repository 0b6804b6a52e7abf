import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose'
import { customFetch as clientFetch, discovery, type CustomFetch, type ServerMetadata } from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'

const AUDIENCE = 'https://orders.example'

let lab: Lab
let token: string
beforeAll(async () => {
  lab = await startLab(readPage('envoy'))
  token = await lab.token({ audience: AUDIENCE })
})
afterAll(() => lab.close())

/** What openid-client makes of the service, knowing nothing but its issuer. */
async function discovered(issuer = lab.issuer): Promise<ServerMetadata> {
  const ask: CustomFetch = (url, { method }) => lab.fetch(url.replace(issuer, lab.issuer), { method })
  const client = await discovery(new URL(issuer), 'a-relying-party', undefined, undefined, { [clientFetch]: ask })
  return client.serverMetadata()
}

const keys = async () => createRemoteJWKSet(new URL((await discovered()).jwks_uri ?? ''), { [customFetch]: lab.fetch })

describe('discovery by openid-client', () => {
  it('takes the document, whose issuer is the address that it was asked at and `iss` of tokens', async () => {
    const found = await discovered()
    expect(found.issuer).toBe(lab.issuer)
    expect(found.issuer).toBe(decodeJwt(token).iss)
    expect(found).toMatchObject({ response_types_supported: ['id_token'], subject_types_supported: ['public'] })
    expect(found.id_token_signing_alg_values_supported).toEqual(TOKEN_ALGORITHMS)
  })

  it('is refused at an address that is not the issuer', async () => {
    await expect(discovered('https://assay.example')).rejects.toMatchObject({ code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' })
  })

  it('tells every claim of a token, and nothing without meaning', async () => {
    const { claims_supported: claims = [] } = await discovered()
    expect(Object.keys(decodeJwt(token)).filter((claim) => !claims.includes(claim))).toEqual([])
  })
})

describe('keys by jose', () => {
  it.each(TOKEN_ALGORITHMS)('check a token signed with %s, found through discovery', async (alg) => {
    const signed = await lab.signedWith(token, alg)
    const options = { issuer: lab.issuer, audience: AUDIENCE, typ: 'JWT', algorithms: [alg], requiredClaims: ['exp', 'nbf', 'jti'] }
    const { payload } = await jwtVerify(signed, await keys(), options)
    expect(payload.sub).toMatch(/^urn:assay:cnf:[0-9a-f]{32}$/)
  })

  it('each name their use and algorithm, and nothing private', async () => {
    const document = await (await lab.fetch(`${lab.issuer}/.well-known/jwks.json`)).json()
    expect(document).toEqual({ keys: TOKEN_ALGORITHMS.map((alg) => expect.objectContaining({ alg, use: 'sig' })) })
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(JSON.stringify(document)).not.toContain(`"${member}"`)
  })

  it('do not check a token for somebody else', async () => {
    await expect(jwtVerify(token, await keys(), { audience: 'https://payments.example' })).rejects.toThrow('"aud"')
  })
})

describe.each(['/.well-known/openid-configuration', '/.well-known/jwks.json'])('%s', (path) => {
  it('may be cached by everybody, and be read by pages of every origin', async () => {
    const response = await lab.fetch(`${lab.issuer}${path}`, { headers: { origin: 'https://app.example' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('cache-control')).toMatch(/^public, max-age=[1-9]\d*$/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    expect(response.headers.get('set-cookie')).toBeNull()
  })

  it('is what no page of another origin may change', async () => {
    const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } }
    const response = await lab.fetch(`${lab.issuer}${path}`, preflight)
    expect([response.status, response.headers.get('access-control-allow-methods')]).toEqual([405, null])
  })
})
