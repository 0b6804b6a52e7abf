import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SNP_PRODUCTS, type AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'
import type { FakeAmd } from './amd.ts'
import { pem } from './envelopes.ts'

/** How the service answers; `hang` accepts the request and never answers it. */
export type KdsBehaviour =
  'ok' | 'too-many-requests' | 'unavailable' | 'hang' | 'garbage' | 'not-found' | 'redirect' | 'oversized' | 'truncated'

/** A request as it arrived. */
export type KdsRequest = { readonly method: string; readonly path: string; readonly at: Date }

/** A key distribution service on loopback, with the addresses of AMD's (specification snp.md section 6.1). */
export type FakeKds = {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string
  readonly requests: readonly KdsRequest[]
  /** From now on: for every address, or for those that contain `where`. `behave('ok')` without `where` forgets all before. */
  readonly behave: (behaviour: KdsBehaviour, where?: string) => void
  /** Answers a path (without query) with these bytes instead of the AMD's document. */
  readonly serve: (path: string, bytes: Uint8Array) => void
  /** Ends at once, hanging requests included; the port refuses connections from then on. */
  readonly close: () => Promise<void>
}

/** Seconds in the Retry-After of `too-many-requests` and `unavailable`. */
export const KDS_RETRY_AFTER = 7
/** Bytes of an `oversized` answer: more than any document may have (design section 3, Limits). */
const OVERSIZED = 9 * 1024 * 1024

/** Starts it on a free port. */
export async function startFakeKds(amd: FakeAmd): Promise<FakeKds> {
  const requests: KdsRequest[] = []
  const rules: { behaviour: KdsBehaviour; where: string }[] = []
  const served = new Map<string, Uint8Array>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    requests.push({ method: request.method ?? '', path, at: new Date() })
    const behaviour = rules.findLast(({ where }) => path.includes(where))?.behaviour ?? 'ok'
    ANSWERS[behaviour](response, () => answerFrom(amd, served, request))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    requests,
    behave: (behaviour, where = '') => {
      if (behaviour === 'ok' && where === '') rules.length = 0
      else rules.push({ behaviour, where })
    },
    serve: (path, bytes) => void served.set(path, bytes),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const portOf = (address: AddressInfo | string | null): number => (typeof address === 'object' && address !== null ? address.port : 0)

type KdsDocument = { readonly type: string; readonly body: Uint8Array }

const ANSWERS: Record<KdsBehaviour, (response: ServerResponse, document: () => KdsDocument | undefined) => void> = {
  ok: (response, document) => send(response, document()),
  'too-many-requests': (response) => refuse(response, 429, { 'retry-after': String(KDS_RETRY_AFTER) }),
  unavailable: (response) => refuse(response, 503, { 'retry-after': String(KDS_RETRY_AFTER) }),
  hang: () => undefined,
  garbage: (response) => send(response, { type: 'application/octet-stream', body: Buffer.from('<html>this is not a certificate</html>') }),
  'not-found': (response) => refuse(response, 404, {}),
  redirect: (response) => refuse(response, 302, { location: 'http://127.0.0.1:9/elsewhere' }),
  oversized: (response) => send(response, { type: 'application/octet-stream', body: Buffer.alloc(OVERSIZED, 0x30) }),
  // Promises the whole document, sends half of it and hangs up.
  truncated: (response, document) => {
    const body = document()?.body ?? new Uint8Array()
    response.writeHead(200, { 'content-length': body.length })
    response.write(body.subarray(0, body.length / 2), () => response.destroy())
  },
}

function send(response: ServerResponse, document: KdsDocument | undefined): void {
  if (document === undefined) return refuse(response, 404, {})
  response.writeHead(200, { 'content-type': document.type, 'content-length': document.body.length }).end(document.body)
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${status}\n`)
}

function answerFrom(amd: FakeAmd, served: ReadonlyMap<string, Uint8Array>, request: IncomingMessage): KdsDocument | undefined {
  const url = new URL(request.url ?? '/', 'http://kds.invalid')
  const prepared = served.get(url.pathname)
  if (prepared !== undefined) return { type: 'application/octet-stream', body: prepared }
  const [, endpoint, product, what] = /^\/(vcek|vlek)\/v1\/(Milan|Genoa|Turin)\/([^/]+)$/.exec(url.pathname) ?? []
  const known = SNP_PRODUCTS.find((p) => p === product && amd.products.includes(p))
  if (request.method !== 'GET' || known === undefined || what === undefined) return undefined
  return documentOf(amd, { endpoint: endpoint === 'vlek' ? 'vlek' : 'vcek', product: known, what, query: url.searchParams })
}

type KdsAddress = {
  readonly endpoint: AmdEndpoint
  readonly product: SnpProduct
  readonly what: string
  readonly query: URLSearchParams
}

function documentOf(amd: FakeAmd, address: KdsAddress): KdsDocument | undefined {
  const { endpoint, product, what } = address
  if (what === 'crl') return { type: 'application/pkix-crl', body: amd.crl({ product, endpoint }) }
  if (what === 'cert_chain') {
    const chain = [amd.intermediate(product, endpoint === 'vcek' ? 'ask' : 'asvk'), amd.root(product)]
    return { type: 'application/x-pem-file', body: Buffer.from(chain.map((der) => pem(der)).join('')) }
  }
  return endpoint === 'vcek' ? vcekOf(amd, address) : undefined
}

/** Only chips that exist have keys; a TCB may be any, as firmware can be rolled back. */
function vcekOf(amd: FakeAmd, { product, what, query }: KdsAddress): KdsDocument | undefined {
  const tcb = tcbOf(product, query)
  if (tcb === undefined || !amd.knows(product, what)) return undefined
  return { type: 'application/x-x509-ca-cert', body: amd.vcek({ product, hwid: new Uint8Array(Buffer.from(what, 'hex')), tcb }).der }
}

/** Values are decimal, with or without leading zeros (specification snp.md section 6.1). */
function tcbOf(product: SnpProduct, query: URLSearchParams): SnpTcb | undefined {
  const spl = (name: string): number => (/^\d{1,3}$/.test(query.get(name) ?? '') ? Number(query.get(name)) : Number.NaN)
  const tcb = { bootloader: spl('blSPL'), tee: spl('teeSPL'), snp: spl('snpSPL'), microcode: spl('ucodeSPL') }
  const full = product === 'Turin' ? { fmc: spl('fmcSPL'), ...tcb } : tcb
  return Object.values(full).every((value) => value <= 255) ? full : undefined
}
