import { request } from 'node:https'
import { connect } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { startServer, type RunningServer, type Tls } from '../src/service/server.ts'
import { fakeAmd } from '../src/simulator/amd.ts'
import { testServices, type TestServices } from './services.ts'
import { selfSigned } from './tls.ts'

let fixture: TestServices
let app: App
beforeAll(async () => {
  fixture = await testServices({ amd: await fakeAmd({ products: ['Milan'] }) })
  app = createApp(fixture.services)
  return fixture.stop
})

const start = (more: { port?: number; tls?: Tls; sharing?: 'exclusive' | 'reuse' }): Promise<RunningServer> =>
  startServer(app, {
    listen: { host: '127.0.0.1', port: more.port ?? 0 },
    issuer: fixture.services.issuer,
    tls: more.tls,
    port: more.sharing ?? 'exclusive',
  })

const get = (port: number, ca: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/livez', ca, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
    sent.end()
  })

describe('TLS', () => {
  it('serves with its certificate, and with a renewed one without a restart', async () => {
    const [first, second] = [selfSigned('first'), selfSigned('second')]
    const server = await start({ tls: first })
    expect(await get(server.port, first.cert)).toBe(200)
    server.replaceTls(second)
    expect(await get(server.port, second.cert)).toBe(200)
    await expect(get(server.port, first.cert)).rejects.toThrow(/self-signed|unable to verify/)
    await server.drain(0)
  })

  it('speaks nothing older than TLS 1.2', async () => {
    const tls = selfSigned('old')
    const server = await start({ tls })
    const socket = connect({
      host: '127.0.0.1',
      port: server.port,
      ca: tls.cert,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    socket.on('secureConnect', () => resolve(`connected with ${socket.getProtocol()}`))
    socket.on('error', () => resolve('refused'))
    expect(await promise).toBe('refused')
    socket.destroy()
    await server.drain(0)
  })
})

describe('a shared port', () => {
  it('is served by every process that asks to share it', async () => {
    const first = await start({ sharing: 'reuse' })
    const second = await start({ sharing: 'reuse', port: first.port })
    expect(second.port).toBe(first.port)
    await first.drain(0)
    expect((await fetch(`http://127.0.0.1:${second.port}/livez`)).status).toBe(200)
    await second.drain(0)
  })
})
