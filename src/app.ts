import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { Hono, type Context } from 'hono'
import { addressPrefix } from './access/address-prefix.ts'
import { bodyOf } from './routes/arriving.ts'
import { admit } from './routes/authorise.ts'
import type { Answer, Bindings, Call, Route } from './routes/call.ts'
import { problemAnswer } from './routes/problem.ts'
import type { Services } from './routes/services.ts'
import { ROUTES } from './routes/table.ts'
import { AttestationError, problemOf } from './verifiers/problems.ts'
import type { Check } from './verifiers/verifier.ts'
import { unknownAddress } from './routes/unknown.ts'
import { createWork, type Work } from './routes/work.ts'

/** The service without its sockets: give it to startServer, or call `request` in a test. */
export type App = Hono<{ Bindings: Bindings }>
type Ctx = Context<{ Bindings: Bindings }>

/** What every handler of one app shares. */
type Frame = { readonly services: Services; readonly work: Work }

/** Routes with their access rules and the one error handler. Another table is given by tests only. */
export function createApp(services: Services, routes: readonly Route[] = ROUTES): App {
  const app: App = new Hono()
  const frame = { services, work: createWork(services.limits) }
  for (const route of routes) app.on(route.method, honoPath(route.path), (c) => serve(c, route, frame))
  const unknown: Route = { method: 'GET', path: '/*', access: 'public', handler: unknownAddress(routes) }
  app.notFound((c) => serve(c, unknown, frame))
  return app
}

/** `/problems/{code}` as the router writes it. */
const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

async function serve(c: Ctx, route: Route, frame: Frame): Promise<Response> {
  const requestId = randomUUID()
  return respond(await answer({ c, route, requestId }, frame), requestId)
}

type Request = { readonly c: Ctx; readonly route: Route; readonly requestId: string }

async function answer({ c, route, requestId }: Request, { services, work }: Frame): Promise<Answer> {
  try {
    const call = callOf(c, services)
    // Before anything is read: sending nonsense costs as much of the allowance as anything else.
    const caller = await admit({ access: route.access, prefix: call.prefix, authorization: c.req.header('authorization') }, services)
    return await route.handler({ ...call, requestId, caller, work }, services)
  } catch (error) {
    logRefusal(error, { services, route: route.path, requestId })
    return problemAnswer(error, { issuer: services.issuer, requestId })
  }
}

type Refused = { readonly services: Services; readonly route: string; readonly requestId: string }

/** The log says to operators what the wire leaves out: every failed check with what was expected, and the cause of what is our fault. */
function logRefusal(error: unknown, { services, route, requestId: request_id }: Refused): void {
  const code = error instanceof AttestationError ? error.code : 'internal-error'
  if (!(error instanceof AttestationError) || problemOf(code).kind === 'internal') {
    services.log.error({ request_id, route, code, err: error }, 'failed')
    return
  }
  const failed = error.checks.filter(({ outcome }) => outcome === 'fail').map(withoutNonce)
  // Neither the message nor a check holds bytes of the caller beyond the fields of a report.
  services.log.info({ request_id, route, code, at: error.at, detail: error.message, failed }, 'refused')
}

/** REPORT_DATA may be the nonce itself (binding `nonce`), and nonces are not for logs. */
const withoutNonce = ({ actual, expected, ...check }: Check): object => (check.id === 'SNP-60' ? check : { ...check, actual, expected })

function callOf(c: Ctx, services: Services): Omit<Call, 'requestId' | 'caller' | 'work'> {
  // Without a listener (tests) there is no environment at all, whatever the types say.
  const incoming = (c.env as Bindings | undefined)?.incoming
  return {
    method: c.req.method,
    path: c.req.path,
    header: (name) => c.req.header(name),
    param: (name) => c.req.param(name) ?? '',
    body: incoming === undefined ? (c.req.raw.body ?? undefined) : bodyOf(incoming),
    prefix: prefixOf(c, incoming, services),
  }
}

/** Prefixes of those who came without a proxy: a connection has one address for all its requests. */
const prefixes = new WeakMap<Socket, string>()

function prefixOf(c: Ctx, incoming: Bindings['incoming'], { clientAddress }: Services): string {
  const forwarded = c.req.header('x-forwarded-for')
  if (incoming === undefined || forwarded !== undefined) return addressPrefix(clientAddress(incoming?.socket.remoteAddress, forwarded))
  const { socket } = incoming
  const prefix = prefixes.get(socket) ?? addressPrefix(clientAddress(socket.remoteAddress, undefined))
  prefixes.set(socket, prefix)
  return prefix
}

function respond({ status, headers, body }: Answer, requestId: string): Response {
  // RFC 9110 section 15.4.5: such an answer has no body, not even an empty one.
  return new Response(status === 304 ? null : body, {
    status,
    headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers, 'x-request-id': requestId },
  })
}
