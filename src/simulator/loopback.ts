import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How a vendor's service answers; `hang` accepts the request and never answers it. */
type VendorBehaviour =
  'ok' | 'too-many-requests' | 'unavailable' | 'hang' | 'garbage' | 'not-found' | 'redirect' | 'oversized' | 'truncated'

/** A request as it arrived. */
type VendorRequest = { readonly method: string; readonly path: string; readonly at: Date }

/** What is served. `status` is 200 unless given. */
export type Served = {
  readonly status?: number
  readonly type: string
  readonly body: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** A vendor's service on loopback. */
export type FakeVendor = {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string
  readonly requests: readonly VendorRequest[]
  /** From now on: for every address, or for those that contain `where`. `behave('ok')` without `where` forgets all before. */
  readonly behave: (behaviour: VendorBehaviour, where?: string) => void
  /** Ends at once, hanging requests included; the port refuses connections from then on. */
  readonly close: () => Promise<void>
}

/** Seconds in the Retry-After of `too-many-requests` and `unavailable`. */
export const RETRY_AFTER = 7
/** Bytes of an `oversized` answer: more than any document may have (design section 3, Limits). */
const OVERSIZED = 9 * 1024 * 1024

/** Starts a service on a free port that answers with what `answer` says; undefined is 404. */
export async function startVendor(answer: (request: IncomingMessage) => Served | undefined): Promise<FakeVendor> {
  const requests: VendorRequest[] = []
  const rules: { behaviour: VendorBehaviour; where: string }[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    requests.push({ method: request.method ?? '', path, at: new Date() })
    const behaviour = rules.findLast(({ where }) => path.includes(where))?.behaviour ?? 'ok'
    ANSWERS[behaviour](response, () => answer(request))
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const portOf = (address: AddressInfo | string | null): number => (typeof address === 'object' && address !== null ? address.port : 0)

const ANSWERS: Record<VendorBehaviour, (response: ServerResponse, document: () => Served | undefined) => void> = {
  ok: (response, document) => send(response, document()),
  'too-many-requests': (response) => refuse(response, 429, { 'retry-after': String(RETRY_AFTER) }),
  unavailable: (response) => refuse(response, 503, { 'retry-after': String(RETRY_AFTER) }),
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

function send(response: ServerResponse, served: Served | undefined): void {
  if (served === undefined) return refuse(response, 404, {})
  const headers = { 'content-type': served.type, 'content-length': served.body.length, ...served.headers }
  response.writeHead(served.status ?? 200, headers).end(served.body)
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${status}\n`)
}
