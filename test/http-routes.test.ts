import { beforeAll, describe, expect, it } from 'vitest'
import { ROLES } from '../src/access/roles.ts'
import { createApp, type App } from '../src/app.ts'
import { json, type Access, type Route } from '../src/routes/call.ts'
import { ROUTES } from '../src/routes/table.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { AttestationError, PROBLEM_CODES, problemOf, statusOf } from '../src/verifiers/problems.ts'
import { fetchOf, testServices, TOKENS, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

let amd: FakeAmd
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  fixture = await testServices({ amd })
  app = createApp(fixture.services)
  return fixture.stop
})

const JSON_TYPE = { 'content-type': 'application/json' }
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_TYPE) =>
  overSocket(app, path, { method: 'POST', body, headers })
const send = async (path: string, init: RequestInit = {}): Promise<Response> => overSocket(app, path, init)
const codeOf = async (response: Response): Promise<[number, unknown]> => [
  response.status,
  ((await response.json()) as { code?: unknown }).code,
]

const PLANTED: readonly Route[] = (['public', 'anyone', ...ROLES] as const satisfies readonly Access[]).map((access) => ({
  method: 'GET',
  path: `/planted/${access}`,
  access,
  handler: () => json(200, { code: 'let-in' }),
}))

describe('the table of routes', () => {
  it.each([...ROUTES, ...PLANTED].map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s lets in whom it says',
    async (_, { method, path, access }: Route) => {
      const guarded = createApp(fixture.services, [...ROUTES, ...PLANTED])
      const known = ROLES.map((role) => `Bearer ${TOKENS[role]}`)
      const outcomes = ['', 'Bearer wrong', 'Basic YTpi', ...known].map(async (authorization) => {
        const headers = authorization === '' ? {} : { authorization }
        const { status } = await overSocket(guarded, path.replace('{code}', 'forbidden'), { method, headers })
        return status === 401 || status === 403 ? status : 'in'
      })
      expect(await Promise.all(outcomes)).toEqual(EXPECTED[access])
    },
  )

  /** No credentials, wrong ones, another scheme; viewer, policy-author, policy-activator, enroller, admin. */
  const EXPECTED: Readonly<Record<Access, readonly (number | 'in')[]>> = {
    public: ['in', 'in', 'in', 'in', 'in', 'in', 'in', 'in'],
    anyone: ['in', 401, 401, 'in', 'in', 'in', 'in', 'in'],
    viewer: [401, 401, 401, 'in', 'in', 'in', 'in', 'in'],
    'policy-author': [401, 401, 401, 403, 'in', 403, 403, 'in'],
    'policy-activator': [401, 401, 401, 403, 403, 'in', 403, 'in'],
    enroller: [401, 401, 401, 403, 403, 403, 'in', 'in'],
    admin: [401, 401, 401, 403, 403, 403, 403, 'in'],
  }

  it('answers 401 with the scheme that would do', async () => {
    const response = await overSocket(app, '/v1/collateral', { headers: { authorization: 'Bearer wrong' } })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']
  const allowedAt = Object.entries(Object.groupBy(ROUTES, ({ path }) => path)).map(
    ([path, rows]) => [path, rows.map(({ method }) => method as string)] as const,
  )
  it.each(allowedAt)('%s answers other methods than %j with 405 and what works', async (path, methods) => {
    const others = METHODS.filter((other) => !methods.includes(other))
    const answers = await Promise.all(others.map((other) => send(path.replace('{code}', 'forbidden'), { method: other })))
    expect(answers.map((a) => a.status)).toEqual(others.map(() => 405))
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    expect(new Set(answers.map((a) => a.headers.get('allow')))).toEqual(new Set([allowed]))
  })

  it.each(['/', '/v1', '/v1/appraisals/', '/v1/nothing', '/problems', '/problems/a/b', '/problems/', '//livez', '/V1/challenges'])(
    '%s is nothing',
    async (path) => {
      expect(await codeOf(await overSocket(app, path))).toEqual([404, 'route-unknown'])
    },
  )

  it('gives every answer an id of its own, which a problem repeats', async () => {
    const paths = ['/livez', '/nothing', '/v1/appraisals', '/problems/nothing', '/v1/collateral', '/livez']
    const answers = await Promise.all(paths.map((path) => send(path)))
    const ids = answers.map((a) => a.headers.get('x-request-id') ?? '')
    expect(ids.every((id) => /^[0-9a-f-]{36}$/.test(id)) && new Set(ids).size === ids.length).toBe(true)
    expect(await answers[1]?.json()).toMatchObject({ instance: `urn:uuid:${ids[1]}` })
  })

  it('answers HEAD where it answers GET, without a body', async () => {
    const response = await overSocket(app, '/.well-known/jwks.json', { method: 'HEAD' })
    expect([response.status, await response.text(), response.headers.get('content-type')]).toEqual([200, '', 'application/json'])
    expect((await overSocket(app, '/v1/appraisals', { method: 'HEAD' })).status).toBe(405)
  })

  it.each([
    ['what nobody expected', new TypeError('secret detail')],
    ['a fault that was found', new AttestationError('internal-error', 'secret detail')],
  ])('turns %s into a 500 that says nothing', async (_, fault) => {
    const broken: Route = { method: 'GET', path: '/broken', access: 'public', handler: () => Promise.reject(fault) }
    const response = await createApp(fixture.services, [broken]).request('/broken')
    const text = await response.text()
    expect([response.status, response.headers.get('content-type')]).toEqual([500, 'application/problem+json'])
    expect(JSON.parse(text)).toMatchObject({ code: 'internal-error', instance: `urn:uuid:${response.headers.get('x-request-id')}` })
    expect(text).not.toContain('secret')
  })
})

describe('GET /openapi.yaml', () => {
  it('is told apart by its ETag, and not sent to those who have it', async () => {
    const first = await overSocket(app, '/openapi.yaml')
    const etag = first.headers.get('etag') ?? ''
    expect([first.status, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{43}"$/)])
    const again = (tag: string) => overSocket(app, '/openapi.yaml', { headers: { 'if-none-match': tag } })
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await again(tag)
      expect([answer.status, await answer.text(), answer.headers.get('etag'), answer.headers.get('content-type')]).toEqual([
        304,
        '',
        etag,
        null,
      ])
    }
    expect((await again('"other"')).status).toBe(200)
  })
})

describe('bodies', () => {
  it.each<[string, Record<string, string>]>([
    ['no type', {}],
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON in another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['a problem', { 'content-type': 'application/problem+json' }],
    ['two types', { 'content-type': 'application/json, text/plain' }],
    ['compression', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ])('of another type are refused: %s', async (_, headers) => {
    expect(await codeOf(await post('/v1/appraisals', new Uint8Array(Buffer.from('{}')), headers))).toEqual([
      415,
      'content-type-unsupported',
    ])
  })

  it.each(['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"'])(
    'of type %s are read',
    async (type) => {
      expect(await codeOf(await post('/v1/inspections', '{}', { 'content-type': type }))).toEqual([400, 'request-malformed'])
    },
  )

  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['nothing', ''],
    ['no JSON', 'evidence'],
    ['no object', '[]'],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['a duplicate', '{"evidence":[],"evidence":[]}'],
    ['__proto__', '{"evidence":[],"__proto__":{"policy":"x"}}'],
    ['33 levels', '['.repeat(33) + ']'.repeat(33)],
    ['an unknown member', '{"evidence":[{"type":"snp","report":""}],"admin":true}'],
    ['constructor', '{"evidence":[{"type":"snp","report":""}],"constructor":{}}'],
    ['a number for text', '{"evidence":[{"type":"snp","report":1}]}'],
    ['null', '{"evidence":null}'],
  ])('that hold %s are malformed', async (_, body) => {
    expect(await codeOf(await post('/v1/appraisals', body))).toEqual([400, 'request-malformed'])
    expect(await codeOf(await post('/v1/inspections', body))).toEqual([400, 'request-malformed'])
  })

  it('are held only while they arrive: forty of the largest, one after the other, never overload', async () => {
    const small = createApp({ ...fixture.services, limits: { bodyBytes: 1000, eventLogBytes: 1000, imaBytes: 1000, inFlight: 1 } })
    const body = JSON.stringify({ evidence: 'A'.repeat(980) })
    const statuses: number[] = []
    for (let i = 0; i < 40; i += 1) {
      statuses.push((await overSocket(small, '/v1/inspections', { method: 'POST', headers: JSON_TYPE, body })).status)
    }
    expect(new Set(statuses)).toEqual(new Set([400]))
    const tooLarge = await overSocket(small, '/v1/inspections', { method: 'POST', headers: JSON_TYPE, body: `${body}${' '.repeat(20)}` })
    expect(await codeOf(tooLarge)).toEqual([413, 'request-too-large'])
  })

  it('may be left out, or be empty, where there is nothing to choose', async () => {
    const answers = [
      await overSocket(app, '/v1/challenges', { method: 'POST' }),
      await post('/v1/challenges', '', { 'content-type': 'application/x-www-form-urlencoded' }),
      await post('/v1/challenges', '{}'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(await codeOf(await post('/v1/challenges', '{"lifetime":1}'))).toEqual([400, 'request-malformed'])
    expect(await codeOf(await post('/v1/challenges', '{}', {}))).toEqual([415, 'content-type-unsupported'])
  })
})

describe('challenges', () => {
  it('are 32 bytes in padded base64, not to be stored, and good for the time that is told', async () => {
    const response = await overSocket(app, '/v1/challenges', { method: 'POST' })
    const { nonce, expires_at: expires } = (await response.json()) as { nonce: string; expires_at: string }
    expect(Buffer.from(nonce, 'base64').toString('base64')).toBe(nonce)
    expect(Buffer.from(nonce, 'base64')).toHaveLength(32)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(new Date(expires).toISOString()).toBe(expires)
  })
})

describe('inspections', () => {
  it('show every field without a verdict, a token, or spending anything', async () => {
    const item = fakeHost(amd).evidence(new Uint8Array(64).fill(0xab))
    const response = await post('/v1/inspections', JSON.stringify({ evidence: [item, item] }))
    const body = (await response.json()) as { verified: boolean; inspections: unknown[] }
    expect([response.status, body.verified, body.inspections.length]).toEqual([200, false, 2])
    expect(body.inspections[0]).toMatchObject({ type: 'snp', verified: false, report: { version: 5, report_data: 'ab'.repeat(64) } })
    expect(JSON.stringify(body)).not.toContain('token')
  })

  it('name what cannot be read', async () => {
    expect(await codeOf(await post('/v1/inspections', '{"evidence":[{"type":"snp","report":"AAAA"}]}'))).toEqual([400, 'snp-report-size'])
    expect(await codeOf(await post('/v1/inspections', '{"evidence":[{"type":"tdx","quote":""}]}'))).toEqual([400, 'tdx-quote-too-short'])
    const long = { evidence: [{ type: 'tdx', quote: '', event_log: Buffer.alloc(1024 * 1024 + 1).toString('base64') }] }
    expect(await codeOf(await post('/v1/inspections', JSON.stringify(long)))).toEqual([400, 'request-malformed'])
  })
})

async function see(on: App, authorization?: string) {
  const response = await overSocket(on, '/v1/collateral', { headers: authorization === undefined ? {} : { authorization } })
  return (await response.json()) as { collateral: { kind: string }[]; withheld: number }
}

describe('GET /v1/collateral', () => {
  it('names no chip to anonymous callers', async () => {
    // A service of its own: the listing is read from the store every few seconds only.
    const own = await testServices({ amd })
    const on = createApp(own.services)
    const host = fakeHost(amd)
    await attest(host, { url: 'http://assay.test', fetch: fetchOf(on) })
    await expect.poll(async () => (await own.stores.collateral.list()).length).toBe(3)
    const known = await see(on, `Bearer ${TOKENS.viewer}`)
    const anonymous = await see(on)
    expect(known.collateral.map(({ kind }) => kind)).toEqual(['crl', 'crl', 'vcek'])
    expect(anonymous.collateral).toEqual(known.collateral.slice(0, 2))
    expect([known.withheld, anonymous.withheld]).toEqual([0, 1])
    expect(JSON.stringify(anonymous)).not.toContain(Buffer.from(host.vek.hwid).toString('hex'))
    await own.stop()
  })
})

describe('health', () => {
  it('is alive and ready, until it drains', async () => {
    expect(await (await overSocket(app, '/readyz')).json()).toEqual({ status: 'ready', mode: 'test', version: '0.0.0', alarms: [] })
    const other = await testServices({ amd })
    const leaving = createApp(other.services)
    other.readiness.startDraining()
    const response = await overSocket(leaving, '/readyz')
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      503,
      '5',
      expect.objectContaining({ code: 'not-ready' }),
    ])
    expect((await overSocket(leaving, '/livez')).status).toBe(200)
    await other.stop()
  })

  it('tells why it is not ready', async () => {
    const readiness = { draining: () => false, problems: async () => ['the clock is wrong', 'a list has expired'], alarms: () => [] }
    const unready = createApp({ ...fixture.services, readiness })
    expect(await (await overSocket(unready, '/readyz')).json()).toMatchObject({ detail: 'the clock is wrong; a list has expired' })
  })
})

describe('discovery', () => {
  it('leads to the keys, which may be cached', async () => {
    const response = await overSocket(app, '/.well-known/openid-configuration')
    const found = (await response.json()) as { issuer: string; jwks_uri: string }
    expect(found.jwks_uri).toBe(`${found.issuer}/.well-known/jwks.json`)
    expect(found).toMatchObject({
      issuer: fixture.services.issuer,
      id_token_signing_alg_values_supported: ['ES256'],
      evidence_types_supported: ['snp', 'tdx', 'sgx', 'tpm', 'tsm'],
    })
    const jwks = await overSocket(app, '/.well-known/jwks.json')
    expect(jwks.headers.get('cache-control')).toBe('public, max-age=300')
    expect(jwks.headers.get('access-control-allow-origin')).toBe('*')
    expect(JSON.stringify(await jwks.json())).not.toContain('"d"')
  })
})

describe('problem pages', () => {
  it.each(PROBLEM_CODES)('%s has one, as text and as JSON', async (code) => {
    const page = await (await overSocket(app, `/problems/${code}`, { headers: { accept: 'text/html' } })).text()
    const answer = await (await overSocket(app, `/problems/${code}`, { headers: { accept: 'application/json' } })).json()
    expect(page).toContain(`<code>${code}</code>`)
    expect(answer).toMatchObject({ code, title: problemOf(code).title, status: statusOf(code) })
  })

  it('is a page for browsers, without anything active', async () => {
    const response = await overSocket(app, '/problems/snp-vek-missing', {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    })
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it.each(['toString', 'nothing', '%3Cscript%3E', '__proto__'])('%s has none', async (code) => {
    expect(await codeOf(await overSocket(app, `/problems/${code}`))).toEqual([404, 'route-unknown'])
  })
})

describe('the allowance of an address prefix', () => {
  it.each([
    ['bodies that are no JSON', { method: 'POST', headers: JSON_TYPE, body: '{' }],
    ['another type', { method: 'POST', body: 'x' }],
    ['wrong credentials', { method: 'POST', headers: { ...JSON_TYPE, authorization: 'Bearer guess' }, body: '{}' }],
  ])('is used up by %s, too', async (_, init) => {
    const limited = await testServices({ requestsPerMinute: 2 })
    const on = createApp(limited.services)
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await overSocket(on, '/v1/appraisals', init)).status)
    expect([statuses[1], statuses[2]]).toEqual([statuses[0], 429])
    expect((await overSocket(on, '/.well-known/jwks.json')).status).toBe(200)
    await limited.stop()
  })

  it('is neither used up nor needed by callers who are known', async () => {
    const limited = await testServices({ requestsPerMinute: 2 })
    const on = createApp(limited.services)
    const statusFor = async (token?: string) =>
      (await overSocket(on, '/v1/collateral', { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).status
    expect([await statusFor(TOKENS.viewer), await statusFor(TOKENS.viewer), await statusFor(TOKENS.viewer)]).toEqual([200, 200, 429])
    expect([await statusFor(), await statusFor(), await statusFor()]).toEqual([200, 200, 429])
    expect(await statusFor(TOKENS.admin)).toBe(200)
    await limited.stop()
  })

  it('is used up by guesses for right ones, too: after too many, no credentials from there are looked at', async () => {
    const limited = await testServices({ requestsPerMinute: 2 })
    const on = createApp(limited.services)
    const statusFor = async (token: string) =>
      (await overSocket(on, '/v1/collateral', { headers: { authorization: `Bearer ${token}` } })).status
    expect([await statusFor('guess-1'), await statusFor('guess-2'), await statusFor(TOKENS.admin)]).toEqual([401, 401, 429])
    expect((await overSocket(on, '/v1/collateral')).status).toBe(200)
    await limited.stop()
  })
})

describe('addresses behind proxies', () => {
  it('share an allowance by the address that the proxy names, not by the proxy', async () => {
    const prefixes: string[] = []
    const rateLimits = { take: async (prefix: string) => void prefixes.push(prefix), check: async () => {} }
    const seen = createApp({ ...fixture.services, rateLimits, clientAddress: (_, forwarded) => forwarded ?? 'none' })
    await overSocket(seen, '/v1/collateral', { headers: { 'x-forwarded-for': '203.0.113.77' } })
    await overSocket(seen, '/v1/challenges', { method: 'POST' })
    await overSocket(seen, '/v1/inspections', { method: 'POST', headers: { 'x-forwarded-for': '2001:db8:1:2ff::1' } })
    expect(prefixes).toEqual(['203.0.113.0/24', 'unknown', '2001:db8:1:200::/56'])
  })
})
