import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import Fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACCEPT, AUDIENCE, guestKey, ISSUER, jwksOf, minted, type GuestKey } from '../test/lab.ts'
import { tokenKey } from '../../../test/token-keys.ts'
import * as onExpress from './express.ts'
import * as onFastify from './fastify.ts'
import { createGuard, type GuardOptions } from './guard.ts'
import * as onHono from './hono.ts'
import type { AttestationRefused } from './problems.ts'
import { rememberInMemory } from './replay.ts'

const PUBLIC = 'https://api.example/v1'
const common: Omit<GuardOptions, 'confirm'> = { issuer: ISSUER, audience: AUDIENCE, accept: ACCEPT, jwks: jwksOf(tokenKey('ES256')) }
const noncesOf = (headers: { get: (name: string) => string | null | undefined }): string | undefined => headers.get('x-nonce') ?? undefined

type Listening = (options: GuardOptions) => Promise<RequestListener>
const asked = Buffer.from('a nonce of the relying party').toString('base64url')
const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

const failed: express.ErrorRequestHandler = (...[error, , response]) => void response.status(500).send((error as Error).message)

/** One application in each framework: `GET /secrets/1` behind the middleware answers the subject and how it was proven. */
const FRAMEWORKS: Readonly<Record<string, Listening>> = {
  hono: async (options) => {
    const app = new Hono()
    app.use('/secrets/*', onHono.attested({ ...options, nonce: (c) => noncesOf(c.req.raw.headers) }))
    app.get('/secrets/:id', (c) => {
      const { claims, confirmed } = onHono.attestationFor(c)
      return c.json({ sub: claims.sub, confirmed })
    })
    app.get('/open', (c) => c.json({ sub: onHono.attestationFor(c).claims.sub }))
    app.onError((error, c) => c.text(error.message, 500))
    const listener = getRequestListener(app.fetch)
    return (...both) => void listener(...both)
  },
  express: async (options) => {
    const app = express()
    app.use('/secrets', onExpress.attested({ ...options, nonce: (request: express.Request) => one(request.headers['x-nonce']) }))
    app.get('/secrets/:id', (request, response) => {
      const { claims, confirmed } = onExpress.attestationFor(request)
      response.json({ sub: claims.sub, confirmed })
    })
    app.get('/open', (request, response) => response.json({ sub: onExpress.attestationFor(request).claims.sub }))
    app.use(failed)
    return app as RequestListener
  },
  fastify: async (options) => {
    const app = Fastify()
    const onRequest = onFastify.attested({ ...options, nonce: (request: FastifyRequest) => one(request.headers['x-nonce']) })
    app.get('/secrets/:id', { onRequest }, async (request) => {
      const { claims, confirmed } = onFastify.attestationFor(request)
      return { sub: claims.sub, confirmed }
    })
    app.get('/open', async (request) => ({ sub: onFastify.attestationFor(request).claims.sub }))
    await app.ready()
    return (...both) => app.routing(...both)
  },
}

const folder = mkdtempSync(join(tmpdir(), 'assay-kit-'))
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true, force: true })
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: { [name: string]: unknown } }
type Sent = {
  readonly port: number
  readonly path?: string
  readonly headers?: Record<string, string | string[]>
  readonly tls?: { cert: string; key: string }
}
const send = ({ port, path = '/secrets/1?a=b', headers = {}, tls }: Sent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, path, headers }
    const sent = tls === undefined ? httpRequest(target) : tlsRequest({ ...target, ...tls, rejectUnauthorized: false })
    sent.once('error', reject).once('response', (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.once('end', () => {
        const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Answer['body']
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
    })
    sent.end()
  })

const pems = (name: string): { cert: string; key: string } => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const path = join(folder, `${name}-${crypto.randomUUID()}.pem`)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeFileSync(path, key, { mode: 0o600 })
  execFileSync('openssl', ['req', '-x509', '-key', path, '-subj', `/CN=${name}`, '-days', '1', '-out', `${path}.crt`], {
    stdio: 'pipe',
  })
  return { key, cert: readFileSync(`${path}.crt`, 'utf8') }
}

let guest: GuestKey
let token: string
beforeAll(async () => {
  guest = await guestKey()
  token = minted({ cnf: guest.jwk, now: new Date() }).token
})
const proofOf = (claims: object = {}): Promise<string> =>
  new SignJWT({
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: `${PUBLIC}/secrets/1`,
    iat: Math.floor(Date.now() / 1000),
    ath: createHash('sha256').update(token).digest('base64url'),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: guest.jwk })
    .sign(guest.privateKey)

describe.each(Object.entries(FRAMEWORKS))('%s', (_, listening) => {
  const heard: AttestationRefused[] = []
  const onRefusal = (error: AttestationRefused): void => void heard.push(error)
  const serving = async (options: Partial<GuardOptions> & Pick<GuardOptions, 'confirm'>): Promise<number> =>
    listen(createHttpServer(await listening({ ...common, onRefusal, ...options })))

  it('lets a bearer in where that was said', async () => {
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER' })
    const { status, body } = await send({ port, headers: { authorization: `bearer ${token}` } })
    expect([status, body['confirmed'], typeof body['sub']]).toEqual([200, 'bearer', 'string'])
    expect((await send({ port, headers: { authorization: `DPoP ${token}` } })).status).toBe(401)
  })

  it('asks who brings nothing, and tells strangers no facts', async () => {
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER' })
    const nothing = await send({ port })
    expect([nothing.status, nothing.headers['www-authenticate'], nothing.headers['cache-control']]).toEqual([401, 'Bearer', 'no-store'])
    for (const authorization of [
      `x Bearer ${token}`,
      `Basic ${token}`,
      token,
      `Bearer ${token} x`,
      'Bearer ',
      [`Bearer ${token}`, `Bearer ${token}`],
    ])
      expect((await send({ port, headers: { authorization } })).body['code']).toBe('token-missing')
    const bad = await send({
      port,
      headers: { authorization: `Bearer ${minted({ audience: 'https://other.example', now: new Date() }).token}` },
    })
    expect(bad.headers['content-type']).toContain('application/problem+json')
    expect(bad.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(Object.keys(bad.body)).toEqual(['title', 'status', 'code'])
    expect(bad.body).toMatchObject({ status: 401, code: 'audience-mismatch' })
    expect(heard.at(-1)?.facts).toEqual({ actual: 'https://other.example', expected: AUDIENCE })
  })

  it('tells a valid token that is not enough from an invalid one', async () => {
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER', accept: { ...ACCEPT, policies: [] } })
    const { status, headers, body } = await send({ port, headers: { authorization: `Bearer ${token}` } })
    expect([status, headers['www-authenticate'], body['code']]).toEqual([403, 'Bearer error="insufficient_scope"', 'policy-not-accepted'])
  })

  it('says that it cannot say', async () => {
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER', jwks: { keys: 'none' } })
    const { status, headers, body } = await send({ port, headers: { authorization: `Bearer ${token}` } })
    expect([status, headers['retry-after'], headers['www-authenticate'], body['code']]).toEqual([503, '30', undefined, 'keys-invalid'])
  })

  it('wants the nonce of the request', async () => {
    const own = minted({ now: new Date(), nonce: Buffer.from(asked, 'base64url'), appraisal: { freshness: 'relying-party' } }).token
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER' })
    expect((await send({ port, headers: { authorization: `Bearer ${own}` } })).body['code']).toBe('nonce-mismatch')
    expect((await send({ port, headers: { authorization: `Bearer ${own}`, 'x-nonce': asked } })).status).toBe(200)
  })

  it('knows nothing of requests that did not pass', async () => {
    const port = await serving({ confirm: 'DANGEROUSLY_BEARER' })
    const { status, body } = await send({ port, path: '/open' })
    expect(status).toBe(500)
    expect(JSON.stringify(body)).toContain('has not passed')
  })

  it('takes a proof for the public address, once', async () => {
    const port = await serving({ confirm: 'dpop', publicUrl: `${PUBLIC}/` })
    const headers = { authorization: `DPoP ${token}`, dpop: await proofOf() }
    expect((await send({ port, headers })).body['confirmed']).toBe('dpop')
    const again = await send({ port, headers })
    expect(again.body['code']).toBe('proof-replayed')
    expect(again.headers['www-authenticate']).toBe('DPoP error="invalid_dpop_proof", algs="ES256 ES384 RS256 PS256 PS384 EdDSA"')
    const local = await proofOf({ htu: `http://127.0.0.1:${port}/secrets/1` })
    expect((await send({ port, headers: { ...headers, dpop: local } })).body['code']).toBe('proof-mismatch')
    expect((await send({ port, headers: { ...headers, host: 'api.example', dpop: local } })).body['code']).toBe('proof-mismatch')
    expect((await send({ port, path: '/secrets/2', headers: { ...headers, dpop: await proofOf() } })).body['code']).toBe('proof-mismatch')
  })

  it('takes neither a missing proof nor two, nor a bound token as bearer', async () => {
    const port = await serving({ confirm: 'dpop', publicUrl: PUBLIC })
    expect((await send({ port, headers: { authorization: `DPoP ${token}` } })).body['code']).toBe('proof-missing')
    const two = [await proofOf(), await proofOf()]
    expect((await send({ port, headers: { authorization: `DPoP ${token}`, dpop: two } })).body['code']).toBe('proof-missing')
    expect((await send({ port, headers: { authorization: `Bearer ${token}`, dpop: await proofOf() } })).body['code']).toBe('proof-missing')
    const bearer = minted({ now: new Date() }).token
    expect((await send({ port, headers: { authorization: `DPoP ${bearer}`, dpop: await proofOf() } })).body['code']).toBe(
      'confirmation-missing',
    )
    expect((await send({ port })).headers['www-authenticate']).toBe('DPoP algs="ES256 ES384 RS256 PS256 PS384 EdDSA"')
  })

  it('hands out a nonce for proofs', async () => {
    const dpop = { nonces: () => ['n2', 'n1'], seen: rememberInMemory(), maxAgeSeconds: 10 }
    const port = await serving({ confirm: 'dpop', publicUrl: PUBLIC, dpop })
    const without = await send({ port, headers: { authorization: `DPoP ${token}`, dpop: await proofOf() } })
    expect([without.status, without.headers['dpop-nonce']]).toEqual([401, 'n2'])
    expect(without.headers['www-authenticate']).toContain('DPoP error="use_dpop_nonce"')
    const answered = { authorization: `DPoP ${token}`, dpop: await proofOf({ nonce: 'n1' }) }
    expect((await send({ port, headers: answered })).status).toBe(200)
    const old = { authorization: `DPoP ${token}`, dpop: await proofOf({ nonce: 'n1', iat: Math.floor(Date.now() / 1000) - 12 }) }
    expect((await send({ port, headers: old })).body['code']).toBe('proof-outdated')
  })

  it('takes the TLS key that the token is bound to', async () => {
    const listener = await listening({ ...common, confirm: 'tls' })
    const port = await listen(createTlsServer({ ...pems('server'), requestCert: true, rejectUnauthorized: false }, listener))
    const [own, other] = [pems('guest'), pems('other')]
    const bound = minted({ now: new Date(), cnf: createPublicKey(createPrivateKey(own.key)).export({ format: 'jwk' }) }).token
    const headers = { authorization: `Bearer ${bound}` }
    expect((await send({ port, headers, tls: own })).body['confirmed']).toBe('tls')
    expect((await send({ port, headers, tls: other })).body['code']).toBe('confirmation-mismatch')
    expect((await send({ port, headers, tls: { cert: '', key: '' } })).body['code']).toBe('certificate-missing')
    const plain = await listen(createHttpServer(listener))
    expect((await send({ port: plain, headers })).body['code']).toBe('certificate-missing')
  })
})

const fromHeader = (value: string | string[] | null | undefined): string | undefined =>
  typeof value === 'string' ? Buffer.from(value, 'base64').toString() : undefined

describe('a certificate that a proxy hands on', () => {
  const pem = pems('guest')
  const options: GuardOptions = { ...common, confirm: 'tls' }
  const applications: Readonly<Record<string, () => Promise<RequestListener>>> = {
    hono: async () => {
      const app = new Hono()
      app.use(onHono.attested({ ...options, clientCertificate: (c) => fromHeader(c.req.raw.headers.get('x-cert')) }))
      app.get('/secrets/1', (c) => c.json({ confirmed: onHono.attestationFor(c).confirmed }))
      const listener = getRequestListener(app.fetch)
      return (...both) => void listener(...both)
    },
    express: async () => {
      const app = express()
      app.use(onExpress.attested({ ...options, clientCertificate: (request: express.Request) => fromHeader(request.headers['x-cert']) }))
      app.get('/secrets/1', (request, response) => response.json({ confirmed: onExpress.attestationFor(request).confirmed }))
      return app as RequestListener
    },
    fastify: async () => {
      const app = Fastify()
      const onRequest = onFastify.attested({
        ...options,
        clientCertificate: (request: FastifyRequest) => fromHeader(request.headers['x-cert']),
      })
      app.get('/secrets/1', { onRequest }, async (request) => ({ confirmed: onFastify.attestationFor(request).confirmed }))
      await app.ready()
      return (...both) => app.routing(...both)
    },
  }

  it.each(Object.entries(applications))('is taken by %s, where the option says so', async (_, make) => {
    const port = await listen(createHttpServer(await make()))
    const cnf = createPublicKey(createPrivateKey(pem.key)).export({ format: 'jwk' })
    const headers = { authorization: `Bearer ${minted({ now: new Date(), cnf }).token}` }
    const certificate = Buffer.from(pem.cert).toString('base64')
    expect((await send({ port, headers: { ...headers, 'x-cert': certificate } })).body['confirmed']).toBe('tls')
    expect((await send({ port, headers })).body['code']).toBe('certificate-missing')
  })
})

describe.each(Object.entries(FRAMEWORKS))('%s, when something else breaks', (_, listening) => {
  it('lets its own way of errors take it, and lets nobody in', async () => {
    const { jwks: _jwks, ...rest } = common
    const broken = { ...rest, confirm: 'DANGEROUSLY_BEARER', keys: { find: () => Promise.reject(new Error('broken')) } } as const
    const port = await listen(createHttpServer(await listening(broken)))
    const { status, body } = await send({ port, headers: { authorization: `Bearer ${token}` } })
    expect([status, JSON.stringify(body)]).toEqual([500, expect.stringContaining('broken')])
  })
})

const factsOf = (wrong: object): unknown => {
  try {
    return createGuard({ ...common, ...wrong } as GuardOptions)
  } catch (error) {
    return (error as AttestationRefused).facts
  }
}

describe('options of a middleware', () => {
  it.each([
    ['no confirm', { confirm: undefined }],
    ['another confirm', { confirm: 'bearer' }],
    ['no public address', { confirm: 'dpop' }],
    ['a public address that is none', { confirm: 'dpop', publicUrl: 'api.example' }],
    ['one without an origin', { confirm: 'dpop', publicUrl: 'data:x' }],
    ['one with a query', { confirm: 'dpop', publicUrl: `${PUBLIC}?a` }],
    ['one with a fragment', { confirm: 'dpop', publicUrl: `${PUBLIC}#a` }],
  ])('refuse %s at once', (_, wrong) => {
    expect(() => createGuard({ ...common, ...wrong } as GuardOptions)).toThrow(expect.objectContaining({ code: 'options-invalid' }))
  })

  it('are named where they are wrong', () => {
    expect(factsOf({})).toEqual({ option: 'confirm', expected: ['dpop', 'tls', 'DANGEROUSLY_BEARER'] })
    expect(factsOf({ confirm: 'dpop' })).toEqual({ option: 'publicUrl', expected: 'an address without query' })
  })

  it('tell who listens under which scheme a token came', async () => {
    const heard: AttestationRefused[] = []
    const guard = createGuard({ ...common, confirm: 'DANGEROUSLY_BEARER', onRefusal: (error) => heard.push(error) })
    const asking = (...values: readonly string[]) =>
      guard({ method: 'GET', target: '/', header: () => values, certificate: undefined, nonce: undefined })
    expect(await asking(`DPoP ${token}`)).toMatchObject({ refusal: { status: 401 } })
    expect(await asking()).toMatchObject({ refusal: { headers: { 'www-authenticate': 'Bearer' } } })
    expect(heard.map(({ code, facts }) => [code, facts])).toEqual([
      ['token-missing', { scheme: 'dpop' }],
      ['token-missing', {}],
    ])
  })

  it('do without a connection, as in runtimes that have none', async () => {
    const app = new Hono()
    app.use(onHono.attested({ ...common, confirm: 'tls' }))
    for (const env of [undefined, {}, { incoming: null }, { incoming: {} }, { incoming: { socket: { getPeerCertificate: () => null } } }]) {
      const response = await app.request('/', { headers: { authorization: `Bearer ${token}` } }, env)
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([401, 'certificate-missing'])
    }
  })

  it('throw what is no refusal', async () => {
    const request = { method: 'GET', target: '/', header: () => [`Bearer ${token}`], certificate: undefined, nonce: undefined }
    const { jwks: _, ...rest } = common
    const broken = createGuard({ ...rest, confirm: 'DANGEROUSLY_BEARER', keys: { find: () => Promise.reject(new Error('broken')) } })
    await expect(broken(request)).rejects.toThrow('broken')
  })
})
