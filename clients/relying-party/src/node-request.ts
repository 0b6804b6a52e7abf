import type { GuardedRequest } from './guard.ts'

/** What is used of a request of Node's HTTP server. */
export type NodeRequest = {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Names and values in turn, as they came: Node drops second headers elsewhere. */
  readonly rawHeaders: readonly string[]
  readonly socket: object
}

/** The header and the certificate of a request, without choosing between several of one name. */
export const readNodeRequest = (request: NodeRequest): Pick<GuardedRequest, 'header' | 'certificate'> => ({
  header: (name) => request.rawHeaders.filter((_, at) => at % 2 === 1 && request.rawHeaders[at - 1]?.toLowerCase() === name),
  certificate: certificateOfSocket(request.socket),
})

/** The client certificate in DER of a TLS connection; undefined without one. That it is not signed by anyone known does not matter. */
export function certificateOfSocket(socket: unknown): Uint8Array | undefined {
  const ask = memberOf(socket, 'getPeerCertificate')
  const peer: unknown = typeof ask === 'function' ? Reflect.apply(ask, socket, []) : undefined
  const raw = memberOf(peer, 'raw')
  return raw instanceof Uint8Array ? raw : undefined
}

/** A member of something that may be nothing, and then has none. */
export const memberOf = (value: unknown, name: string): unknown => Reflect.get(Object(value), name)
