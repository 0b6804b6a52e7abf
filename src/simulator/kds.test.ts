import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { startFakeKds, type FakeKds } from './kds.ts'
import { RETRY_AFTER } from './loopback.ts'

let amd: FakeAmd
let kds: FakeKds
beforeEach(async () => {
  amd ??= await fakeAmd({ products: ['Milan', 'Turin'] })
  kds = await startFakeKds(amd)
})
afterEach(() => kds.close())

const get = (path: string) => fetch(`${kds.url}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(2000) })
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const MILAN_QUERY = '?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219'

describe('the fake key distribution service', () => {
  it('serves a chip’s VCEK for the key that the chip signs with', async () => {
    const vcek = amd.vcek({ product: 'Milan' })
    const response = await get(`/vcek/v1/Milan/${hex(vcek.hwid)}${MILAN_QUERY}`)
    expect(response.status).toBe(200)
    const served = new X509Certificate(await bytesOf(response))
    expect(served.publicKey.equals(new X509Certificate(vcek.der).publicKey)).toBe(true)
    expect(kds.requests.map((r) => r.path)).toEqual([`/vcek/v1/Milan/${hex(vcek.hwid)}${MILAN_QUERY}`])
  })

  it('serves Turin by its shorter id and fmcSPL', async () => {
    const path = `/vcek/v1/Turin/${hex(amd.vcek({ product: 'Turin' }).hwid)}?blSPL=3&teeSPL=2&snpSPL=4&ucodeSPL=71`
    expect((await get(path)).status).toBe(404)
    expect((await get(`${path}&fmcSPL=1`)).status).toBe(200)
  })

  it('knows no chip that was never made, no other product and no VLEK', async () => {
    const hwid = hex(amd.vcek({ product: 'Milan' }).hwid)
    const paths = [
      `/vcek/v1/Milan/${'00'.repeat(64)}${MILAN_QUERY}`,
      `/vcek/v1/Genoa/${hwid}${MILAN_QUERY}`,
      `/vcek/v1/Milan/${hwid}?blSPL=4`,
      `/vcek/v1/Milan/${hwid}?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=256`,
      `/vlek/v1/Milan/cert${MILAN_QUERY}`,
      '/elsewhere',
    ]
    const answers = await Promise.all(paths.map(get))
    expect(answers.map((r) => r.status)).toEqual(paths.map(() => 404))
  })

  it.each([
    ['vcek', 'ask'],
    ['vlek', 'asvk'],
  ] as const)('serves the chain and the list of the %s endpoint', async (endpoint, role) => {
    const chain = await (await get(`/${endpoint}/v1/Milan/cert_chain`)).text()
    const certificates = chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((block) => new X509Certificate(block))
    expect(certificates.map((c) => new Uint8Array(c.raw))).toEqual([amd.intermediate('Milan', role), amd.root('Milan')])
    const list = await get(`/${endpoint}/v1/Milan/crl`)
    expect([list.status, list.headers.get('content-type')]).toEqual([200, 'application/pkix-crl'])
    expect((await bytesOf(list))[0]).toBe(0x30)
  })

  it('serves prepared bytes', async () => {
    const list = amd.crl({ product: 'Milan', number: 9n })
    kds.serve('/vcek/v1/Milan/crl', list)
    expect(await bytesOf(await get('/vcek/v1/Milan/crl'))).toEqual(list)
  })
})

describe('a fake key distribution service that misbehaves', () => {
  const CRL = '/vcek/v1/Milan/crl'

  it.each([
    ['too-many-requests', 429, String(RETRY_AFTER)],
    ['unavailable', 503, String(RETRY_AFTER)],
    ['not-found', 404, null],
    ['redirect', 302, null],
  ] as const)('answers %s with %i', async (behaviour, status, retryAfter) => {
    kds.behave(behaviour)
    const response = await get(CRL)
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter])
    kds.behave('ok')
    expect((await get(CRL)).status).toBe(200)
  })

  it('misbehaves at some addresses only', async () => {
    kds.behave('not-found', '/vlek/')
    expect((await get(CRL)).status).toBe(200)
    expect((await get('/vlek/v1/Milan/crl')).status).toBe(404)
    kds.behave('ok', '/vlek/')
    expect((await get('/vlek/v1/Milan/crl')).status).toBe(200)
  })

  it('serves garbage, and more than anybody should read', async () => {
    kds.behave('garbage')
    expect(await (await get(CRL)).text()).toContain('not a certificate')
    kds.behave('oversized')
    expect((await bytesOf(await get(CRL))).length).toBeGreaterThan(8 * 1024 * 1024)
  })

  it('hangs up in the middle', async () => {
    kds.behave('truncated')
    await expect(get(CRL).then(bytesOf)).rejects.toThrow('terminated')
  })

  it('hangs until the caller gives up, and closes all the same', async () => {
    kds.behave('hang')
    const asked = fetch(`${kds.url}${CRL}`, { signal: AbortSignal.timeout(200) })
    await expect(asked).rejects.toThrow('timeout')
    const waiting = fetch(`${kds.url}${CRL}`).then(
      () => 'answered',
      () => 'cut off',
    )
    while (kds.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    await kds.close()
    expect(await waiting).toBe('cut off')
    await expect(fetch(`${kds.url}${CRL}`)).rejects.toThrow('fetch failed')
  })
})
