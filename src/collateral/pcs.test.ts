import { once } from 'node:events'
import { createServer as createPlain, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../test/tls.ts'
import { readVendorDocument } from '../verifiers/tdx/document.ts'
import { createPcs, type PcsOptions } from './pcs.ts'

const plain = { transport: 'DANGEROUSLY_PLAIN_HTTP' } as const
const servers: Server[] = []
const CHAIN = '-----BEGIN CERTIFICATE-----\nMII+/=\n-----END CERTIFICATE-----\n'
const encoded = encodeURIComponent(CHAIN)
const DER = Uint8Array.from([0x30, 0x82, 0, 1, 7])
const FMSPC = '00806f050000'
const TCB_INFO = `intel/tcb-info/tdx/${FMSPC}/standard` as const

async function started(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : ''
}

type Asked = { readonly url: string; readonly headers: IncomingHttpHeaders }

/** A service that answers as it is told, and what it was asked. */
async function serving(answer: RequestListener) {
  const asked: Asked[] = []
  const host = await started(
    createPlain((request, response) => {
      asked.push({ url: request.url ?? '', headers: request.headers })
      answer(request, response)
    }),
  )
  const url = `http://${host}`
  return { asked, url, pcs: (options: Partial<PcsOptions> = {}) => createPcs({ url, rootCrlUrl: `${url}/root.der`, ...plain, ...options }) }
}

/** Answers every request with this body and these headers. */
const always = (body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}, status = 200) =>
  serving((_, response) => response.writeHead(status, headers).end(body))

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

describe('where documents of Intel’s are fetched from', () => {
  it('is what the specification says, below the path of a mirror', async () => {
    const { asked, pcs, url } = await always('x')
    const mirror = pcs({ url: `${url}/mirror/` })
    for (const address of [
      TCB_INFO,
      `intel/tcb-info/sgx/${FMSPC}/early`,
      'intel/qe-identity/tdx/standard',
      'intel/qe-identity/sgx/early',
      'intel/pck-crl/platform',
      'intel/pck-crl/processor',
      'intel/root-ca-crl',
    ] as const)
      await mirror.fetch(address)
    expect(asked.map((request) => request.url)).toEqual([
      `/mirror/tdx/certification/v4/tcb?fmspc=${FMSPC}`,
      `/mirror/sgx/certification/v4/tcb?fmspc=${FMSPC}&update=early`,
      '/mirror/tdx/certification/v4/qe/identity',
      '/mirror/sgx/certification/v4/qe/identity?update=early',
      '/mirror/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      '/mirror/sgx/certification/v4/pckcrl?ca=processor&encoding=der',
      '/root.der',
    ])
  })

  it('is nowhere for an address that is not of Intel', async () => {
    const { asked, pcs } = await always('x')
    expect(await pcs().fetch('amd/crl/Milan/vcek')).toMatchObject({ outcome: 'unavailable' })
    expect(await pcs().fetch('intel/tcb-info/tdx/../../x/standard')).toMatchObject({ outcome: 'unavailable' })
    expect(asked).toEqual([])
  })

  it.each(['http://api.example', 'ftp://api.example', 'api.example', '', 'https://a:b@api.example', 'https://x/?q', 'https://x/#f'])(
    'is never %s',
    (url) => {
      expect(() => createPcs({ url, rootCrlUrl: 'https://x/root.der' })).toThrow(/provisioning certification service/)
      expect(() => createPcs({ url: 'https://x', rootCrlUrl: url })).toThrow(/root revocation list/)
    },
  )
})

describe('documents', () => {
  const body = '{"tcbInfo":{"a": 1 },"signature":"00"}\n'

  it.each([
    [TCB_INFO, 'TCB-Info-Issuer-Chain'],
    [TCB_INFO, 'SGX-TCB-Info-Issuer-Chain'],
    ['intel/qe-identity/sgx/standard', 'SGX-Enclave-Identity-Issuer-Chain'],
  ] as const)('%s come with the exact bytes and the chain of %s', async (address, header) => {
    const { pcs } = await always(body, { [header]: encoded })
    const answer = await pcs().fetch(address)
    if (answer.outcome !== 'found') throw new Error(answer.outcome)
    const { issuerChain, body: bytes } = readVendorDocument(answer.bytes)
    expect([Buffer.from(issuerChain).toString(), Buffer.from(bytes).toString()]).toEqual([CHAIN, body])
  })

  it.each([
    ['intel/pck-crl/platform', 'SGX-PCK-CRL-Issuer-Chain', DER],
    ['intel/pck-crl/processor', 'PCS-CRL-Issuer-Chain', Buffer.from(DER).toString('hex')],
    ['intel/root-ca-crl', '', DER],
    ['intel/root-ca-crl', '', Buffer.from(DER).toString('hex')],
    ['intel/root-ca-crl', '', Buffer.from(DER).toString('base64')],
  ] as const)('%s with the chain of %s come as DER', async (address, header, served) => {
    const { pcs } = await always(served, header === '' ? {} : { [header]: encoded })
    const answer = await pcs().fetch(address)
    if (answer.outcome !== 'found') throw new Error(answer.outcome)
    const document = readVendorDocument(answer.bytes)
    expect([Buffer.from(document.issuerChain).toString(), document.body]).toEqual([header === '' ? '' : CHAIN, DER])
  })

  it.each([
    ['no chain', {}],
    ['a chain that is not URL-encoded', { 'TCB-Info-Issuer-Chain': '%' }],
    ['a chain that is no text', { 'TCB-Info-Issuer-Chain': '%00' }],
    ['the chain of another document', { 'SGX-Enclave-Identity-Issuer-Chain': encoded }],
  ])('with %s are none', async (_, headers) => {
    const { pcs } = await always(body, headers)
    expect(await pcs().fetch(TCB_INFO)).toEqual({ outcome: 'unavailable', reason: 'the answer came without its issuer chain' })
  })

  it('with two chains, or with more headers than may be, are none', async () => {
    const twice = await serving((_, response) =>
      response
        .writeHead(
          200,
          [
            ['TCB-Info-Issuer-Chain', encoded],
            ['TCB-Info-Issuer-Chain', encoded],
          ].flat(),
        )
        .end(body),
    )
    expect(await twice.pcs().fetch(TCB_INFO)).toMatchObject({ outcome: 'unavailable' })
    const long = await always(body, { 'TCB-Info-Issuer-Chain': 'A'.repeat(65 * 1024) })
    expect(await long.pcs().fetch(TCB_INFO)).toMatchObject({ outcome: 'unavailable' })
    const fitting = await always(body, { 'TCB-Info-Issuer-Chain': 'A'.repeat(60 * 1024) })
    expect(await fitting.pcs().fetch(TCB_INFO)).toMatchObject({ outcome: 'found' })
  })

  it('that are no lists are none', async () => {
    const { pcs } = await always('<html>', { 'SGX-PCK-CRL-Issuer-Chain': encoded })
    expect(await pcs().fetch('intel/pck-crl/platform')).toMatchObject({
      outcome: 'unavailable',
      reason: expect.stringMatching(/no revocation list/),
    })
  })

  it.each([
    [TCB_INFO, 1024 * 1024],
    ['intel/root-ca-crl', 8 * 1024 * 1024],
  ] as const)('%s have no more than %i bytes', async (address, most) => {
    const list = Buffer.alloc(most + 1, DER)
    const headers = { 'TCB-Info-Issuer-Chain': encoded }
    expect(await (await always(list, headers)).pcs().fetch(address)).toEqual({
      outcome: 'unavailable',
      reason: `the answer has more than ${most} bytes`,
    })
    expect(await (await always(list.subarray(0, most), headers)).pcs().fetch(address)).toMatchObject({ outcome: 'found' })
  })
})

describe('other answers', () => {
  it.each([
    [404, {}, { outcome: 'not-found' }],
    [410, {}, { outcome: 'not-found' }],
    [400, {}, { outcome: 'unavailable', reason: 'the vendor answered 400' }],
    [401, {}, { outcome: 'unavailable', reason: 'the vendor answered 401' }],
    [302, { location: 'http://127.0.0.1:9/' }, { outcome: 'unavailable', reason: 'the vendor answered 302' }],
    [429, { 'retry-after': '7' }, { outcome: 'unavailable', reason: 'the vendor answered 429', retryAfter: 7 }],
    [503, { 'retry-after': '90000' }, { outcome: 'unavailable', reason: 'the vendor answered 503', retryAfter: 3600 }],
    [500, { 'retry-after': '7' }, { outcome: 'unavailable', reason: 'the vendor answered 500' }],
  ])('%i %j are typed', async (status, headers, expected) => {
    const { pcs } = await always('x', headers, status)
    expect(await pcs().fetch(TCB_INFO)).toEqual(expected)
  })

  it('that do not come in time are none', async () => {
    const { pcs } = await serving(() => undefined)
    expect(await pcs({ timeout: 100 }).fetch(TCB_INFO)).toEqual({ outcome: 'unavailable', reason: 'the vendor did not answer in time' })
  })
})

describe('a PCK certificate', () => {
  const query = {
    encryptedPpid: new Uint8Array(384).fill(0xab),
    cpuSvn: new Uint8Array(16).fill(1),
    pceSvn: Uint8Array.of(0x0d, 0),
    pceId: Uint8Array.of(0, 0),
  }
  const leaf = CHAIN.trimEnd().replace('MII', 'LEAF')

  it('is asked for by what the quote says of its platform, with the key that opens this and nothing else', async () => {
    const { asked, pcs } = await always(leaf, { 'SGX-PCK-Certificate-Issuer-Chain': encoded, 'TCB-Info-Issuer-Chain': encoded })
    const client = pcs({ apiKey: 'secret-key' })
    const answer = await client.pckCertificate(query)
    expect(answer.outcome === 'found' && Buffer.from(answer.bytes).toString()).toBe(`${leaf}\n${CHAIN}`)
    expect(asked[0]?.url).toBe(
      `/sgx/certification/v4/pckcert?encrypted_ppid=${'ab'.repeat(384)}&cpusvn=${'01'.repeat(16)}&pcesvn=0d00&pceid=0000`,
    )
    await client.fetch(TCB_INFO)
    expect(asked.map(({ headers }) => headers['ocp-apim-subscription-key'])).toEqual(['secret-key', undefined])
  })

  it('without its chain, or that does not exist, is none', async () => {
    expect(await (await always(leaf)).pcs().pckCertificate(query)).toMatchObject({ outcome: 'unavailable' })
    expect(await (await always('', {}, 404)).pcs().pckCertificate(query)).toEqual({ outcome: 'not-found' })
  })
})

describe('over TLS', () => {
  it('a self-signed service is believed where its certificate was named, and only there', async () => {
    const { cert, key } = selfSigned()
    const host = await started(createSecure({ cert, key }, (_, response) => response.end(DER)))
    const options = { url: `https://${host}`, rootCrlUrl: `https://${host}/root.der` }
    expect(await createPcs({ ...options, ca: cert }).fetch('intel/root-ca-crl')).toMatchObject({ outcome: 'found' })
    expect(await createPcs(options).fetch('intel/root-ca-crl')).toMatchObject({ outcome: 'unavailable' })
    const another = selfSigned()
    expect(await createPcs({ ...options, ca: another.cert }).fetch('intel/root-ca-crl')).toMatchObject({ outcome: 'unavailable' })
  })
})
