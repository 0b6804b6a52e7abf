import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { startFakeKds, type FakeKds } from '../simulator/kds.ts'
import { vcekAddress } from '../verifiers/snp/address.ts'
import { createKds } from './kds.ts'

const plain = { transport: 'DANGEROUSLY_PLAIN_HTTP' } as const
const servers: Server[] = []

/** A server that answers as it is told, for what a fake AMD never does. */
async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

describe('where documents are fetched from', () => {
  it('is what the specification says, below the path of a mirror', async () => {
    const asked: (string | undefined)[] = []
    const url = await serving((request, response) => {
      asked.push(request.url)
      response.end('x')
    })
    const kds = createKds({ url: `${url}/mirror/`, ...plain })
    await kds.fetch(vcekAddress('Milan', 'ab'.repeat(64), { bootloader: 3, tee: 0, snp: 8, microcode: 115 }))
    await kds.fetch(vcekAddress('Turin', '01'.repeat(8), { fmc: 0, bootloader: 1, tee: 0, snp: 2, microcode: 71 }))
    await kds.fetch('amd/crl/Genoa/vcek')
    await kds.fetch('amd/crl/Turin/vlek')
    await kds.certChain('Milan', 'vcek')
    await kds.certChain('Genoa', 'vlek')
    expect(asked).toEqual([
      `/mirror/vcek/v1/Milan/${'ab'.repeat(64)}?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115`,
      `/mirror/vcek/v1/Turin/${'01'.repeat(8)}?fmcSPL=00&blSPL=01&teeSPL=00&snpSPL=02&ucodeSPL=71`,
      '/mirror/vcek/v1/Genoa/crl',
      '/mirror/vlek/v1/Turin/crl',
      '/mirror/vcek/v1/Milan/cert_chain',
      '/mirror/vlek/v1/Genoa/cert_chain',
    ])
  })

  it('is nowhere for an address that is not of AMD', async () => {
    let asked = 0
    const url = await serving((_, response) => response.end(String((asked += 1))))
    const kds = createKds({ url, ...plain })
    expect(await kds.fetch('intel/tcb-info/x')).toMatchObject({ outcome: 'unavailable' })
    expect(await kds.fetch('amd/vcek/Milan/../../../etc')).toMatchObject({ outcome: 'unavailable' })
    expect(asked).toBe(0)
  })

  it.each([
    'http://kdsintf.amd.com',
    'ftp://kdsintf.amd.com',
    'kdsintf.amd.com',
    '',
    'https://a:b@kdsintf.amd.com',
    'https://x/?q',
    'https://x/#f',
  ])('is never %s', (url) => expect(() => createKds({ url })).toThrow(/key distribution service/))

  it('may be plain http only by that name', () => {
    expect(() => createKds({ url: 'http://127.0.0.1:1', ...plain })).not.toThrow()
    expect(() => createKds({ url: 'ftp://127.0.0.1:1', ...plain })).toThrow(/https only/)
  })
})

describe('answers of a vendor', () => {
  let amd: FakeAmd
  let fake: FakeKds
  beforeAll(async () => {
    amd = await fakeAmd({ products: ['Milan'] })
    fake = await startFakeKds(amd)
  })
  afterEach(() => fake.behave('ok'))
  afterAll(() => fake.close())
  const crl = 'amd/crl/Milan/vcek'

  it('are handed on as they came', async () => {
    const kds = createKds({ url: fake.url, ...plain })
    fake.serve('/vlek/v1/Milan/crl', Uint8Array.from([0, 255, 7]))
    expect(await kds.fetch('amd/crl/Milan/vlek')).toEqual({ outcome: 'found', bytes: Uint8Array.from([0, 255, 7]) })
    const chain = await kds.certChain('Milan', 'vcek')
    expect(chain.outcome === 'found' && Buffer.from(chain.bytes).toString()).toMatch(/^-----BEGIN CERTIFICATE-----/)
  })

  it.each([
    ['not-found', { outcome: 'not-found' }],
    ['too-many-requests', { outcome: 'unavailable', reason: 'the vendor answered 429', retryAfter: 7 }],
    ['unavailable', { outcome: 'unavailable', reason: 'the vendor answered 503', retryAfter: 7 }],
    ['redirect', { outcome: 'unavailable', reason: 'the vendor answered 302' }],
    ['oversized', { outcome: 'unavailable', reason: 'the answer has more than 8388608 bytes' }],
  ] as const)('are typed: %s', async (behaviour, answer) => {
    fake.behave(behaviour)
    expect(await createKds({ url: fake.url, ...plain }).fetch(crl)).toEqual(answer)
  })

  it('are cut off when they do not come in time, or not whole', async () => {
    fake.behave('hang')
    expect(await createKds({ url: fake.url, ...plain, timeout: 100 }).fetch(crl)).toEqual({
      outcome: 'unavailable',
      reason: 'the vendor did not answer in time',
    })
    fake.behave('truncated')
    expect(await createKds({ url: fake.url, ...plain }).fetch(crl)).toMatchObject({ outcome: 'unavailable' })
  })

  it('are cut off when the body drips', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(timer))
    })
    expect(await createKds({ url, ...plain, timeout: 200 }).fetch(crl)).toMatchObject({ outcome: 'unavailable' })
  })

  it('are not unpacked, and not taken when empty', async () => {
    const packed = await serving((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1000))))
    expect(await createKds({ url: packed, ...plain }).fetch(crl)).toEqual({ outcome: 'unavailable', reason: 'the answer is compressed' })
    const empty = await serving((_, response) => response.end())
    expect(await createKds({ url: empty, ...plain }).fetch(crl)).toEqual({ outcome: 'unavailable', reason: 'the answer is empty' })
  })

  it('ask for pauses in seconds or as a date, an hour at most', async () => {
    let header = '0'
    const url = await serving((_, response) => response.writeHead(429, { 'retry-after': header }).end())
    const kds = createKds({ url, ...plain })
    expect(await kds.fetch(crl)).toMatchObject({ retryAfter: 1 })
    header = '999999'
    expect(await kds.fetch(crl)).toMatchObject({ retryAfter: 3600 })
    header = new Date(Date.now() + 86_400_000).toUTCString()
    expect(await kds.fetch(crl)).toMatchObject({ retryAfter: 3600 })
    header = 'soon'
    expect(await kds.fetch(crl)).not.toHaveProperty('retryAfter')
  })

  it('are none when nobody listens', async () => {
    expect(await createKds({ url: 'http://127.0.0.1:1', ...plain }).fetch(crl)).toMatchObject({ outcome: 'unavailable' })
  })
})
