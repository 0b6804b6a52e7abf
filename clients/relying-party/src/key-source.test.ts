import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { tokenKey } from '../../../test/token-keys.ts'
import { jwksOf, minted, options, outcome, refusal, resigned, claimsOf, verify, ISSUER } from '../test/lab.ts'
import { discoveredKeys, remoteKeys, staticKeys, type KeySource, type KeySourceOptions } from './key-source.ts'
import { verifyAttestation } from './verify.ts'

const [first, second] = [tokenKey('ES256'), tokenKey('ES256', 1)]
const set = JSON.stringify(jwksOf(first))
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A clock that a test moves, in seconds. */
function clock() {
  let seconds = 1_000_000
  return { now: () => new Date(seconds * 1000), pass: (more: number) => void (seconds += more) }
}

/** A server whose answer a test sets, with how often it was asked. */
async function answering(chosen: Partial<KeySourceOptions> = {}) {
  const state = { body: set, headers: {} as Record<string, string>, status: 200, asked: 0 }
  const url = await serve((_, response) => {
    state.asked += 1
    response.writeHead(state.status, state.headers).end(state.body)
  })
  const { now, pass } = clock()
  return { state, pass, url, source: remoteKeys(`${url}/jwks`, { now, ...chosen }) }
}
const found = async (source: KeySource, kid = first.kid): Promise<string> => {
  const key = await source.find(kid)
  if (key === undefined) return 'none'
  return 'unusable' in key ? key.unusable : key.alg
}
const code = (source: KeySource, kid = first.kid): Promise<string> => outcome(source.find(kid))

const issuing = (document: (url: string) => unknown, paths: string[] = []): Promise<string> => {
  let url = ''
  return serve((request, response) => {
    paths.push(request.url ?? '')
    const isSet = request.url === '/keys'
    response.end(isSet ? set : JSON.stringify(document(url)))
  }).then((own) => (url = own))
}

describe('discovery', () => {
  it('follows the issuer to its keys', async () => {
    const paths: string[] = []
    const url = await issuing((issuer) => ({ issuer, jwks_uri: `${issuer}/keys` }), paths)
    expect(await found(discoveredKeys(url))).toBe('ES256')
    expect(paths).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('below a path, with or without a slash at its end', async () => {
    const paths: string[] = []
    const url = await issuing((issuer) => ({ issuer: `${issuer}/a/`, jwks_uri: `${issuer}/keys` }), paths)
    expect(await found(discoveredKeys(`${url}/a/`))).toBe('ES256')
    expect(await code(discoveredKeys(`${url}/a`))).toBe('keys-invalid')
    expect(paths[0]).toBe('/a/.well-known/openid-configuration')
    expect(paths.at(-1)).toBe('/a/.well-known/openid-configuration')
  })

  it.each([
    ['another issuer', { issuer: 'https://evil.example' }],
    ['no issuer', { issuer: undefined }],
    ['keys over http', { jwks_uri: 'http://evil.example/keys' }],
    ['no keys', { jwks_uri: undefined }],
    ['an address that is none', { jwks_uri: '/keys' }],
    ['keys in a file', { jwks_uri: 'file:///keys' }],
    ['a user in the address', { jwks_uri: 'https://user@attest.example/keys' }],
    ['a password in the address', { jwks_uri: 'https://:password@attest.example/keys' }],
    ['a fragment in the address', { jwks_uri: 'https://attest.example/keys#a' }],
  ])('refuses %s', async (_, wrong) => {
    const url = await issuing((issuer) => ({ issuer, jwks_uri: `${issuer}/keys`, ...wrong }))
    expect(await code(discoveredKeys(url))).toBe('keys-invalid')
  })

  it('is what happens when no keys are given', async () => {
    const url = await issuing((issuer) => ({ issuer, jwks_uri: `${issuer}/keys` }))
    const token = await resigned({ ...claimsOf(minted().token), iss: url })
    const { jwks: _, ...rest } = options()
    expect(await outcome(verifyAttestation(token, { ...rest, issuer: url }))).toBe('accepted')
    expect(await outcome(verifyAttestation(token, { ...rest, issuer: url }))).toBe('accepted')
    expect(await outcome(verify(token, { issuer: url, jwksUri: `${url}/keys` }))).toBe('accepted')
    expect(await outcome(verify(token, { issuer: url, keys: staticKeys(jwksOf(first)) }))).toBe('accepted')
  })
})

describe('addresses', () => {
  it.each([
    'http://attest.example',
    'ftp://attest.example',
    'attest',
    'https://a:b@attest.example',
    'https://attest.example#x',
    'http://127.0.0.1.evil.example',
    'http://xlocalhost',
  ])('refuses %s', (url) => {
    expect(() => remoteKeys(url)).toThrow(expect.objectContaining({ code: 'options-invalid' }))
    expect(() => discoveredKeys(url)).toThrow(expect.objectContaining({ code: 'options-invalid' }))
  })

  it.each(['https://attest.example', 'http://localhost:1', 'http://127.8.9.1:1', 'http://[::1]:1'])('takes %s', (url) => {
    expect(remoteKeys(url)).toHaveProperty('find')
  })
})

describe('an answer', () => {
  it('that hangs is given up', async () => {
    const url = await serve(() => undefined)
    const error = await refusal(remoteKeys(url, { timeoutMs: 100 }).find('k'))
    expect([error.code, error.facts['why'], error.status]).toEqual(['keys-unavailable', 'no answer', 503])
  })

  it('that hangs half way is given up, and one that breaks off, too', async () => {
    let broken: ServerResponse | undefined
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write(set.slice(0, 20))
      broken = response
    })
    const breaking: typeof fetch = async (...asked) => {
      const response = await fetch(...asked)
      broken?.destroy()
      return response
    }
    expect((await refusal(remoteKeys(url, { timeoutMs: 1000 }).find('k'))).facts['why']).toBe('the answer broke off')
    expect((await refusal(remoteKeys(url, { fetch: breaking }).find('k'))).facts['why']).toBe('the answer broke off')
  })

  it('that is huge is not read to its end', async () => {
    let sent = 0
    const url = await serve((_, response) => {
      const more = (): void => {
        while (sent < 50_000_000 && response.write(' '.repeat(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    const error = await refusal(remoteKeys(url).find('k'))
    expect([error.code, error.facts['why']]).toEqual(['keys-unavailable', 'the answer is empty or has more than 65536 bytes'])
    expect(sent).toBeLessThan(20_000_000)
  })

  it('may be as long as the bound, and no longer', async () => {
    const { source } = await answering({ maxBytes: set.length })
    expect(await found(source)).toBe('ES256')
    const { source: less } = await answering({ maxBytes: set.length - 1 })
    expect(await code(less)).toBe('keys-unavailable')
  })

  it.each([301, 302, 307])('that points elsewhere (%s) is not followed', async (status) => {
    const { state, source, url } = await answering()
    Object.assign(state, { status, headers: { location: `${url}/elsewhere` } })
    expect((await refusal(source.find('k'))).facts).toMatchObject({ status, why: 'it did not answer 200' })
    expect(state.asked).toBe(1)
  })

  it.each([
    ['status 500', { status: 500 }, 'keys-unavailable'],
    ['status 204', { status: 204 }, 'keys-unavailable'],
    ['an empty body', { body: '' }, 'keys-invalid'],
    ['no JSON', { body: '<html>' }, 'keys-invalid'],
    ['a list', { body: '[]' }, 'keys-invalid'],
    ['keys twice', { body: `{"keys":[],${set.slice(1)}` }, 'keys-invalid'],
  ])('of %s is refused', async (_, answer, expected) => {
    const { state, source } = await answering()
    Object.assign(state, answer)
    expect(await code(source)).toBe(expected)
  })

  it('is asked for as JSON, without cookies', async () => {
    const asked: RequestInit[] = []
    const fetching: typeof fetch = async (_, init = {}) => {
      asked.push(init)
      return new Response(set)
    }
    expect(await found(remoteKeys('https://attest.example/keys', { fetch: fetching }))).toBe('ES256')
    expect(asked).toMatchObject([{ redirect: 'manual', credentials: 'omit', headers: { accept: 'application/json' } }])
    const empty = remoteKeys('https://attest.example/keys', { fetch: async () => new Response(null) })
    expect(await code(empty)).toBe('keys-unavailable')
  })
})

describe('keys that are kept', () => {
  it('are fetched once for all who wait', async () => {
    const { state, source } = await answering()
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => found(source))))).toEqual(new Set(['ES256']))
    expect(state.asked).toBe(1)
  })

  it.each([
    ['what the answer says', 'public, max-age=120', 120],
    ['not less than half a minute', 'max-age=1', 30],
    ['not less, if nothing may be kept', 'max-age=600, no-store', 30],
    ['not less, if all must be asked for', 'no-cache', 30],
    ['not more than an hour', 'max-age=86400', 3600],
    ['five minutes, if it does not say', 'public', 300],
    ['five minutes, if it says it of others', 's-max-age=40', 300],
    ['five minutes, if it says nothing', undefined, 300],
    ['a quoted number, too', 'max-age="90"', 90],
  ])('are kept for %s: %s', async (_, header, seconds) => {
    const { state, source, pass } = await answering()
    state.headers = header === undefined ? {} : { 'cache-control': header }
    await found(source)
    pass(seconds - 1)
    await found(source)
    expect(state.asked).toBe(1)
    pass(1)
    await found(source)
    expect(state.asked).toBe(2)
  })

  it('change under way: an unknown name asks again, but not too often', async () => {
    const { state, source, pass } = await answering()
    expect(await found(source)).toBe('ES256')
    state.body = JSON.stringify(jwksOf(first, second))
    expect(await found(source, second.kid)).toBe('none')
    pass(29)
    expect(await found(source, second.kid)).toBe('none')
    expect(state.asked).toBe(1)
    pass(1)
    expect(await found(source, second.kid)).toBe('ES256')
    for (let i = 0; i < 20; i += 1) expect(await found(source, `forged-${i}`)).toBe('none')
    expect(state.asked).toBe(2)
  })

  it('are gone when they are no longer published, also behind the same name', async () => {
    const { state, source, pass } = await answering()
    const { token } = minted()
    expect(await outcome(verify(token, { keys: source }))).toBe('accepted')
    state.body = JSON.stringify({ keys: [{ ...jwksOf(second).keys[0], kid: first.kid }] })
    pass(300)
    expect(await outcome(verify(token, { keys: source }))).toBe('signature-invalid')
    state.body = JSON.stringify(jwksOf(second))
    pass(300)
    expect(await outcome(verify(token, { keys: source }))).toBe('key-unknown')
  })

  it('outlive a failure, but not for ever', async () => {
    const { state, source, pass } = await answering()
    await found(source)
    state.status = 500
    pass(300)
    expect(await found(source)).toBe('ES256')
    expect(await code(source, 'unknown')).toBe('keys-unavailable')
    expect(state.asked).toBe(2)
    pass(29)
    expect(await found(source)).toBe('ES256')
    expect(state.asked).toBe(2)
    pass(3600 - 30)
    expect(await found(source)).toBe('ES256')
    expect(state.asked).toBe(3)
    pass(1)
    expect(await code(source)).toBe('keys-unavailable')
    state.status = 200
    pass(30)
    expect(await found(source)).toBe('ES256')
    expect(await found(source, 'unknown')).toBe('none')
  })

  it('are asked for again soon while there are none', async () => {
    const { state, source, pass } = await answering()
    state.body = '{'
    const one = await refusal(source.find(first.kid))
    const two = await refusal(source.find(first.kid))
    expect([one.code, two.code, state.asked, one === two, one.cause === two.cause]).toEqual([
      'keys-invalid',
      'keys-invalid',
      1,
      false,
      true,
    ])
    state.body = set
    pass(1)
    expect(await code(source)).toBe('keys-invalid')
    pass(1)
    expect(await found(source)).toBe('ES256')
    expect(state.asked).toBe(2)
  })

  it('are kept as long as options say', async () => {
    const { state, source, pass } = await answering({ defaultAgeSeconds: 10, minAgeSeconds: 5, cooldownSeconds: 1, maxStaleSeconds: 7 })
    await found(source)
    pass(10)
    state.status = 500
    await found(source)
    expect(state.asked).toBe(2)
    pass(7)
    expect(await code(source)).toBe('keys-unavailable')
  })
})

describe('where keys come from', () => {
  it('is looked up once for an address, among some dozens', async () => {
    const { keysFor } = await import('./keys-for.ts')
    const at = (path: string): KeySource => keysFor({ issuer: ISSUER, jwksUri: `https://attest.example/${path}` })
    const one = at('one')
    expect(at('one')).toBe(one)
    expect(keysFor({ issuer: 'https://attest.example/one' })).not.toBe(one)
    for (let i = 0; i < 70; i += 1) at(`${i}`)
    expect(at('one')).not.toBe(one)
    const jwks = jwksOf(first)
    expect(keysFor({ issuer: ISSUER, jwks })).toBe(keysFor({ issuer: ISSUER, jwks }))
  })

  it('keeps any other failure as a cause', async () => {
    const failing = remoteKeys('https://attest.example/keys', {
      fetch: () => Promise.reject(new TypeError('no route')),
      now: () => new Date(),
    })
    const error = await refusal(failing.find('k'))
    expect(error.facts).toEqual({ url: 'https://attest.example/keys', why: 'no answer' })
    expect((error.cause as Error).cause).toBeInstanceOf(TypeError)
  })

  it('is this issuer only', async () => {
    expect(ISSUER).toBe('https://attest.example')
    const one = staticKeys(jwksOf(first))
    expect([await found(one), await found(one, second.kid)]).toEqual(['ES256', 'none'])
    expect(await code(staticKeys({}))).toBe('keys-invalid')
    expect(await code(staticKeys(() => 1))).toBe('keys-invalid')
  })
})
