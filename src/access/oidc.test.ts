import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AttestationError } from '../verifiers/problems.ts'
import { oidcReader } from './oidc.ts'
import type { OidcSettings } from './oidc-discovery.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const seconds = NOW.getTime() / 1000

let keys: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }
let strangers: typeof keys
let rsa: typeof keys
beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true })
  strangers = await generateKeyPair('ES256', { extractable: true })
  rsa = await generateKeyPair('RS256', { extractable: true })
})

/** What the provider answers, by path; what is not here is 404. */
let pages: Record<string, { readonly status?: number; readonly body: string; readonly headers?: Record<string, string> }> = {}
let asked: string[] = []
let provider: Server
let base = ''
beforeEach(async () => {
  asked = []
  provider = createServer((request, response) => {
    asked.push(request.url ?? '')
    const page = pages[request.url ?? '']
    response.writeHead(page?.status ?? (page === undefined ? 404 : 200), page?.headers)
    response.end(page?.body)
  }).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  pages = {
    '/.well-known/openid-configuration': { body: JSON.stringify({ issuer: base, jwks_uri: `${base}/keys` }) },
    '/keys': {
      body: JSON.stringify({
        keys: [
          { ...(await exportJWK(keys.publicKey)), kid: 'one' },
          { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
        ],
      }),
    },
  }
})
afterEach(() => new Promise((resolve) => provider.close(resolve)))

const settings = (more: Partial<OidcSettings> = {}): OidcSettings => ({
  issuer: base,
  jwksUri: undefined,
  audience: 'assay',
  algorithms: ['ES256'],
  rolesClaim: ['groups'],
  roles: [
    { value: 'watchers', roles: ['viewer'] },
    { value: 'authors', roles: ['policy-author', 'enroller'] },
  ],
  ...more,
})

type Options = { readonly header?: object; readonly key?: CryptoKey; readonly without?: string }

const claims = () => ({ iss: base, aud: 'assay', sub: 'ann', exp: seconds + 60, groups: ['authors', 'others'] })

function sign(more: JWTPayload = {}, { header = {}, key = keys.privateKey, without = '' }: Options = {}): Promise<string> {
  const payload = Object.fromEntries(Object.entries({ ...claims(), ...more }).filter(([name]) => name !== without))
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'one', ...header }).sign(key, { crit: { x: true } })
}

async function outcome(token: string | Promise<string>, read = oidcReader(settings(), () => NOW)): Promise<unknown> {
  try {
    return await read(await token)
  } catch (error) {
    return error instanceof AttestationError ? error.code : error
  }
}

describe('a token of the provider', () => {
  it('names its subject, with the roles that its claim gives', async () => {
    expect(await outcome(sign())).toEqual({ name: 'oidc:ann', roles: ['policy-author', 'enroller'] })
    expect(await outcome(sign({ groups: 'watchers' }))).toEqual({ name: 'oidc:ann', roles: ['viewer'] })
    expect(await outcome(sign({ aud: ['other', 'assay'] }, { header: { typ: 'at+JWT' } }))).toMatchObject({ name: 'oidc:ann' })
    expect(asked).toEqual([
      '/.well-known/openid-configuration',
      '/keys',
      '/.well-known/openid-configuration',
      '/keys',
      '/.well-known/openid-configuration',
      '/keys',
    ])
  })

  it('may hold its roles deeper, and its keys be where they are said to be', async () => {
    const read = oidcReader(settings({ rolesClaim: ['realm_access', 'roles'], jwksUri: `${base}/keys` }), () => NOW)
    expect(await outcome(sign({ realm_access: { roles: ['watchers'] } }), read)).toMatchObject({ roles: ['viewer'] })
    expect(asked).toEqual(['/keys'])
  })

  it('may be half a minute off', async () => {
    expect(await outcome(sign({ exp: seconds - 25, nbf: seconds - 60 }))).toMatchObject({ name: 'oidc:ann' })
    expect(await outcome(sign({ nbf: seconds + 25 }))).toMatchObject({ name: 'oidc:ann' })
  })

  it('costs no question while the keys are known', async () => {
    const read = oidcReader(settings(), () => NOW)
    await Promise.all([outcome(sign(), read), outcome(sign(), read)])
    await outcome(sign(), read)
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys'])
  })
})

describe('no caller', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['expired', () => sign({ exp: seconds - 31 })],
    ['not yet valid', () => sign({ nbf: seconds + 31 })],
    ['without expiry', () => sign({}, { without: 'exp' })],
    ['without subject', () => sign({}, { without: 'sub' })],
    ['without audience', () => sign({}, { without: 'aud' })],
    ['for somebody else', () => sign({ aud: 'other' })],
    ['signed by somebody else', () => sign({}, { key: strangers.privateKey })],
    ['with an unknown key', () => sign({}, { header: { kid: 'two' } })],
    ['with an algorithm that is not allowed', () => sign({}, { header: { alg: 'RS256', kid: 'rsa' }, key: rsa.privateKey })],
    ['of a type that says something else', () => sign({}, { header: { typ: 'logout+jwt' } })],
    ['bound to a key', () => sign({ cnf: { jkt: 'x' } })],
    ['with a subject of two lines', () => sign({ sub: 'ann\nboss' })],
    ['with a subject that is no text', () => sign({ sub: 7 as unknown as string })],
    ['with an extension that must be understood', () => sign({}, { header: { crit: ['x'], x: 1 } })],
    ['unsigned', () => new UnsecuredJWT(claims()).encode()],
    ['with the signature cut off', async () => `${(await sign()).split('.').slice(0, 2).join('.')}.AA`],
    [
      'with claims that were changed',
      async () =>
        (await sign()).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...claims(), sub: 'boss' })).toString('base64url')}.`),
    ],
  ])('has a token that is %s', async (_, token) => {
    expect(await outcome(token())).toBe('unauthenticated')
  })

  it.each<[string, () => string | Promise<string>]>([
    ['of another issuer', () => sign({ iss: 'https://elsewhere.example' })],
    ['of the issuer with a slash', () => sign({ iss: `${base}/` })],
    ['no JWT', () => 'a-token'],
    ['no JSON', () => 'AAAA.AAAA.AAAA'],
    ['encrypted', () => 'a.b.c.d.e'],
  ])('is asked about when the token is %s', async (_, token) => {
    expect(await outcome(token())).toBe('unauthenticated')
    expect(asked).toEqual([])
  })

  it.each([
    [{ groups: ['strangers'] }],
    [{ groups: { watchers: true } }],
    [{ groups: null }],
    [{ groups: [['watchers']] }],
    [{ groups: 'toString' }],
  ])('without a role: %j', async (more) => {
    expect(await outcome(sign(more))).toBe('forbidden')
  })

  it('asks for unknown keys again and again', async () => {
    const read = oidcReader(settings(), () => NOW)
    for (const kid of ['a', 'b', 'c']) expect(await outcome(sign({}, { header: { kid } }), read)).toBe('unauthenticated')
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys'])
  })
})

describe('a provider that cannot be asked', () => {
  const unavailable = 'identity-provider-unavailable'

  it.each<[string, () => void]>([
    ['an error', () => (pages['/keys'] = { status: 500, body: '' })],
    ['nothing there', () => delete pages['/keys']],
    ['no discovery', () => (pages = {})],
    ['a redirect', () => (pages['/keys'] = { status: 302, body: '', headers: { location: `${base}/elsewhere` } })],
    ['no JSON', () => (pages['/keys'] = { body: 'keys' })],
    ['no keys', () => (pages['/keys'] = { body: '{}' })],
    ['far too much', () => (pages['/keys'] = { body: ' '.repeat(300_000) })],
    [
      'discovery of another',
      () =>
        (pages['/.well-known/openid-configuration'] = { body: JSON.stringify({ issuer: 'https://x.example', jwks_uri: `${base}/keys` }) }),
    ],
    [
      'keys over plain http',
      () => (pages['/.well-known/openid-configuration'] = { body: JSON.stringify({ issuer: base, jwks_uri: 'http://x.example/keys' }) }),
    ],
  ])('lets nobody in: %s', async (_, spoil) => {
    spoil()
    expect(await outcome(sign())).toBe(unavailable)
  })

  it('is left alone for a while', async () => {
    const read = oidcReader(settings(), () => NOW)
    pages = {}
    for (let i = 0; i < 5; i += 1) expect(await outcome(sign(), read)).toBe(unavailable)
    expect(asked).toHaveLength(1)
  })
})

/** What is told of a token: the code, the words, and when to come back. */
async function told(token: string | Promise<string>, more: Partial<OidcSettings> = {}): Promise<readonly unknown[]> {
  const error: unknown = await oidcReader(settings(more), () => NOW)(await token).catch((reason: unknown) => reason)
  return error instanceof AttestationError ? [error.code, error.message, error.at ?? error.retryAfter] : [error]
}

describe('refusals', () => {
  it.each<readonly [string, () => string | Promise<string>]>([
    ['the token is neither one that the operator issued nor one of the identity provider', () => 'a-token'],
    ['the token is not one that says who its bearer is', () => sign({}, { header: { typ: 'logout+jwt' } })],
    ['the token is bound to a key, and cannot be used by its bearer alone', () => sign({ cnf: { jkt: 'x' } })],
    ["the identity provider's token is not accepted (ERR_JWT_EXPIRED)", () => sign({ exp: seconds - 31 })],
    ['the subject of the token cannot be written to an audit line', () => sign({ sub: 'ann boss' })],
    ['the subject of the token cannot be written to an audit line', () => sign({ sub: 'a'.repeat(256) })],
  ])('tell that %s', async (why, token) => expect(await told(token())).toEqual(['unauthenticated', why, 'Authorization']))

  it('tell that nobody is given a role, wherever roles may stand', async () => {
    const none = ['forbidden', 'the identity provider gives this caller no role of this service', undefined]
    expect(await told(sign({ groups: ['strangers'] }))).toEqual(none)
    expect(await told(sign({ groups: 'watchers' }), { rolesClaim: ['groups', 'length'] })).toEqual(none)
    expect(await told(sign({ groups: null }), { rolesClaim: ['groups', 'roles'] })).toEqual(none)
    expect(await told(sign({ groups: 7 }), { rolesClaim: ['groups', 'roles', 'more'] })).toEqual(none)
  })

  it('tell when to come back where the provider cannot be asked, and why in their cause', async () => {
    pages = {}
    expect(await told(sign())).toEqual(['identity-provider-unavailable', 'the keys of the identity provider cannot be had', 5])
    const read = oidcReader(settings(), () => NOW)
    const why = async (): Promise<unknown> => read(await sign()).catch((error: unknown) => (error as Error).cause)
    expect(await why()).toHaveProperty('message', `${base}/.well-known/openid-configuration is not there`)
    expect(await why()).toHaveProperty('message', 'the identity provider could not be asked just now')
  })

  it('take no more than a subject of 255 characters', async () => {
    expect(await outcome(sign({ sub: 'a'.repeat(255) }))).toMatchObject({ name: `oidc:${'a'.repeat(255)}` })
  })
})
