import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { App } from '../app.ts'
import type { Listen } from '../config/listen.ts'
import { isKeptTime } from '../routes/arriving.ts'
import { problemAnswer } from '../routes/problem.ts'
import { AttestationError, type ProblemCode } from '../verifiers/problems.ts'

/** PEM texts of this server's certificate chain and private key. */
export type Tls = { readonly cert: string; readonly key: string }

/** Where and how to listen. With port `reuse` several processes share one port; the kernel spreads connections over them. */
export type ServerSettings = {
  readonly listen: Listen
  readonly issuer: string
  readonly tls?: Tls | undefined
  readonly port?: 'exclusive' | 'reuse'
  /** Milliseconds; tests shorten them. */
  readonly timeouts?: Partial<Timeouts>
}

/** How long a peer may take, in milliseconds. */
export type Timeouts = { readonly headers: number; readonly request: number; readonly idle: number }

/** A listening server. */
export type RunningServer = {
  readonly host: string
  /** The port that was bound, also where 0 was asked for. */
  readonly port: number
  /** Takes a renewed certificate into use for new connections. */
  readonly replaceTls: (tls: Tls) => void
  /** Stops accepting, lets requests under way finish, and cuts what is left after the given time. */
  readonly drain: (milliseconds: number) => Promise<'finished' | 'cut'>
}

/** Design section 3, Limits. */
const MAX_HEADER_BYTES = 8 * 1024
/**
 * Headers within 5 s, a request within 10 s (design section 3); long lists have a pace of their own (routes/pace.ts). A connection without a request lives longer than the 60 s after which
 * common proxies drop it, so that they never write into a closed one.
 */
const TIMEOUTS: Timeouts = { headers: 5_000, request: 10_000, idle: 65_000 }
/** Connections of one process; each costs some kilobytes. */
const MAX_CONNECTIONS = 8_192
const DRAIN_POLL_MS = 25

/** Binds and serves. Rejects when the address cannot be bound. */
export async function startServer(app: App, settings: ServerSettings): Promise<RunningServer> {
  // The listener replaces the global Response with one that is written without a copy: a sixth of an answer's time.
  const listener = getRequestListener(app.fetch, {
    // The request line or the Host header made no URL: there is no request that the app could answer.
    errorHandler: () => rawResponse('request-malformed', settings.issuer),
  })
  const handle: RequestListener = (incoming, outgoing) => void listener(incoming, outgoing)
  const server = makeServer(handle, settings)
  server.maxConnections = MAX_CONNECTIONS
  // An expectation that nobody knows is no reason for an answer that no contract describes.
  server.on('checkExpectation', handle)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!isLong(error, socket)) refuse(error, socket, settings.issuer)
  })
  await listen(server, settings)
  return {
    host: settings.listen.host,
    port: boundPort(server),
    replaceTls: (tls) => {
      if ('setSecureContext' in server) server.setSecureContext(tls)
    },
    drain: (milliseconds) => drain(server, milliseconds),
  }
}

function makeServer(listener: RequestListener, { tls, timeouts }: ServerSettings): Server | TlsServer {
  const { headers, request, idle } = { ...TIMEOUTS, ...timeouts }
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headers,
    requestTimeout: request,
    // How often these two are looked at; the default of 30 s would make them 40 s long.
    connectionsCheckingInterval: Math.min(500, headers),
    keepAliveTimeout: idle,
    // The listener refuses a request without Host itself, with a problem and an id.
    requireHostHeader: false,
  }
  const server =
    tls === undefined ? createServer(options, listener) : createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener)
  // A socket on which nothing moves is cut: a peer that reads too slowly holds memory of ours.
  return server.setTimeout(idle + request)
}

function listen(server: Server, { listen: { host, port }, port: sharing = 'exclusive' }: ServerSettings): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port, reusePort: sharing === 'reuse' }, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}

function boundPort(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** What the parser gave up on, and the code that says so. */
const PARSER_PROBLEMS: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'request-headers-too-large',
}

/** A long body whose reader ends it when it comes too slowly is no request that takes too long. */
const isLong = ({ code }: NodeJS.ErrnoException, socket: Duplex): boolean => code === 'ERR_HTTP_REQUEST_TIMEOUT' && isKeptTime(socket)

/** Answers what never became a request, with a problem and an id like everything else, and closes. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex, issuer: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, headers, body } = rawAnswer(PARSER_PROBLEMS[error.code ?? ''] ?? 'request-malformed', issuer)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function rawAnswer(code: ProblemCode, issuer: string) {
  const requestId = randomUUID()
  const answer = problemAnswer(new AttestationError(code, 'the request could not be read as HTTP'), { issuer, requestId })
  return { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store', 'x-request-id': requestId } }
}

function rawResponse(code: ProblemCode, issuer: string): Response {
  const { body, ...init } = rawAnswer(code, issuer)
  return new Response(body, init)
}

async function drain(server: Server, milliseconds: number): Promise<'finished' | 'cut'> {
  const closed = new Promise<'finished'>((resolve) => {
    server.close(() => resolve('finished'))
  })
  // A connection that was busy when closing began becomes idle later, and nobody but us would close it then.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_POLL_MS)
  const { promise: deadline, resolve } = Promise.withResolvers<'cut'>()
  const timer = setTimeout(() => resolve('cut'), milliseconds)
  const outcome = await Promise.race([closed, deadline])
  clearInterval(sweep)
  clearTimeout(timer)
  server.closeAllConnections()
  await closed
  return outcome
}
