import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { json, type Route } from '../src/routes/call.ts'
import { ROUTES } from '../src/routes/table.ts'
import { startServer, type RunningServer, type Timeouts } from '../src/service/server.ts'
import { fakeAmd } from '../src/simulator/amd.ts'
import { testServices, type TestServices } from './services.ts'

let fixture: TestServices
beforeAll(async () => {
  fixture = await testServices({ amd: await fakeAmd({ products: ['Milan'] }) })
  return fixture.stop
})

const running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.drain(0)))
})

/** A request that is under way until the test lets it go. */
function gated() {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const handler: Route['handler'] = async () => {
    arrive()
    await gate
    return json(200, { slow: 'done' })
  }
  const route: Route = { method: 'GET', path: '/slow', access: 'public', handler }
  return { arrived, open, route }
}

async function start(timeouts: Partial<Timeouts> = {}, planted: readonly Route[] = []): Promise<RunningServer> {
  const app = createApp(fixture.services, [...ROUTES, ...planted])
  const server = await startServer(app, { listen: { host: '127.0.0.1', port: 0 }, issuer: fixture.services.issuer, timeouts })
  running.push(server)
  return server
}

type Raw = { readonly socket: Socket; readonly ended: Promise<string> }

/** A socket, and everything that came back until the other side closed it. */
function raw({ port }: RunningServer, text: string): Raw {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  const ended = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
    // A reset after the answer is the server's right; what came before it counts.
    socket.on('error', () => undefined)
  })
  socket.write(text)
  return { socket, ended }
}

const HOST = 'Host: assay.test\r\n'
const POST = `POST /v1/appraisals HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`
const CLOSE = 'Connection: close\r\n'
const REQUEST_ID = /^x-request-id: [0-9a-f-]{36}\r$/im

/** Status, code and whether an id was there: what every refusal must have. */
function refusalIn(answer: string): { status: number; code: string | undefined; hasId: boolean } {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
  const code = /"code":"([a-z0-9-]+)"/.exec(answer)?.[1]
  return { status, code, hasId: REQUEST_ID.test(answer) && answer.includes('application/problem+json') }
}

describe('limits at the socket', () => {
  it('refuses a declared body over the limit without reading it', async () => {
    const { ended } = raw(await start(), `${POST}Content-Length: 5000000\r\n\r\n{"evidence"`)
    expect(refusalIn(await ended)).toEqual({ status: 413, code: 'request-too-large', hasId: true })
  })

  it('refuses a chunked body without end once it is over the limit', async () => {
    const { socket, ended } = raw(await start(), `${POST}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    let sent = 0
    const timer = setInterval(() => {
      if (!socket.destroyed && sent < 512) sent += socket.write(chunk.repeat(8)) ? 8 : 0
    }, 1)
    const answer = await ended
    clearInterval(timer)
    expect(refusalIn(answer)).toEqual({ status: 413, code: 'request-too-large', hasId: true })
  })

  it('refuses a body of five megabytes that a client insists on sending', async () => {
    const { port } = await start()
    const response = await fetch(`http://127.0.0.1:${port}/v1/appraisals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ evidence: 'A'.repeat(5_000_000) }),
    })
    expect([response.status, await response.json()]).toEqual([413, expect.objectContaining({ code: 'request-too-large' })])
  })

  it('refuses headers over 8 KiB', async () => {
    const { ended } = raw(await start(), `GET /livez HTTP/1.1\r\n${HOST}X-Filler: ${'a'.repeat(9000)}\r\n\r\n`)
    expect(refusalIn(await ended)).toEqual({ status: 431, code: 'request-headers-too-large', hasId: true })
  })

  it('cuts a client that does not finish its headers', async () => {
    const { ended } = raw(await start({ headers: 100, request: 200 }), 'GET /livez HTTP/1.1\r\nHost: as')
    expect(refusalIn(await ended)).toEqual({ status: 408, code: 'request-timeout', hasId: true })
  })

  it('leaves time to a list that is streamed, and to nothing that follows it', async () => {
    const server = await start({ headers: 100, request: 200 })
    const head = `POST /v1/appraisals/streamed HTTP/1.1\r\n${HOST}Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n`
    const part = '--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{'
    const { socket, ended } = raw(server, `${head}Content-Length: ${part.length + 8}\r\n\r\n${part}`)
    await new Promise((begun) => void socket.once('data', begun))
    // One that began later is over when its time is.
    expect(refusalIn(await raw(server, `${POST}Content-Length: 100\r\n\r\n{"evid`).ended).status).toBe(408)
    socket.write(`\r\n--b--\r\n${POST}Content-Length: 100\r\n\r\n{"evid`)
    const answers = (await ended).matchAll(/HTTP\/1\.1 (\d+)/g)
    expect([...answers].map(([, status]) => status)).toEqual(['100', '400', '408'])
  })

  it('cuts a client that does not finish its body', async () => {
    const { ended } = raw(await start({ headers: 100, request: 200 }), `${POST}Content-Length: 100\r\n\r\n{"evid`)
    expect(refusalIn(await ended)).toEqual({ status: 408, code: 'request-timeout', hasId: true })
  })

  it('closes a connection on which nothing comes', async () => {
    const { ended } = raw(await start({ headers: 100, request: 100, idle: 100 }), '')
    expect(await ended).toMatch(/^(HTTP\/1\.1 408|$)/)
  })

  it('goes on after a client that broke off', async () => {
    const server = await start()
    const { socket } = raw(server, `${POST}Content-Length: 100\r\n\r\n{"evid`)
    await sleep(50)
    socket.resetAndDestroy()
    const response = await fetch(`http://127.0.0.1:${server.port}/livez`)
    expect(response.status).toBe(200)
  })
})

describe('what is hardly HTTP', () => {
  it.each([
    ['no request line', 'hello\r\n\r\n'],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['a Host that is none', 'GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['two lengths', `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['length and chunks', `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk size that is none', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['a target that is no path', `GET livez HTTP/1.1\r\n${HOST}${CLOSE}\r\n`],
    ['a header line without colon', `GET /livez HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`],
  ])('is refused with a problem and an id: %s', async (_, text) => {
    const { socket, ended } = raw(await start(), text)
    await Promise.race([ended, sleep(1_000)])
    socket.end()
    expect(refusalIn(await ended)).toEqual({ status: 400, code: 'request-malformed', hasId: true })
  })

  it('answers a request with an expectation or an upgrade that it does not know', async () => {
    const unknown = `GET /livez HTTP/1.1\r\n${HOST}Expect: miracles\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n`
    const { socket, ended } = raw(await start(), unknown)
    await Promise.race([ended, sleep(1_000)])
    socket.end()
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"alive"/)
  })

  it.each(['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])('answers %s with the methods that work', async (method) => {
    const { ended } = raw(await start(), `${method} /v1/appraisals HTTP/1.1\r\n${HOST}${CLOSE}\r\n`)
    const answer = await ended
    expect(refusalIn(answer)).toEqual({ status: 405, code: 'method-not-allowed', hasId: true })
    expect(answer).toMatch(/^allow: POST\r$/im)
  })
})

describe('draining', () => {
  it('lets a request under way finish, and closes connections that wait', async () => {
    const slow = gated()
    const server = await start({}, [slow.route])
    const idle = raw(server, `GET /livez HTTP/1.1\r\n${HOST}\r\n`)
    const busy = raw(server, `GET /slow HTTP/1.1\r\n${HOST}\r\n`)
    await slow.arrived
    const drained = server.drain(10_000)
    expect(await idle.ended).toContain('"alive"')
    slow.open()
    expect(await drained).toBe('finished')
    expect(await busy.ended).toContain('"slow":"done"')
    await expect(fetch(`http://127.0.0.1:${server.port}/livez`)).rejects.toThrow('fetch failed')
  })

  it('cuts what does not finish in time', async () => {
    const slow = gated()
    const server = await start({}, [slow.route])
    const busy = raw(server, `GET /slow HTTP/1.1\r\n${HOST}\r\n`)
    await slow.arrived
    expect(await server.drain(50)).toBe('cut')
    expect(await busy.ended).toBe('')
    slow.open()
  })

  it('refuses to share a port unless asked to', async () => {
    const first = await start()
    const again = startServer(createApp(fixture.services), {
      listen: { host: '127.0.0.1', port: first.port },
      issuer: fixture.services.issuer,
    })
    await expect(again).rejects.toThrow('EADDRINUSE')
  })
})
