import { createGuard, remember, type GuardOptions, type Refusal } from './guard.ts'
import { readNodeRequest, type NodeRequest } from './node-request.ts'

export { attestationFor } from './guard.ts'
export type { GuardOptions } from './guard.ts'

/** What is used of Express's request and answer. */
export type ExpressRequest = NodeRequest & { readonly originalUrl: string }
/** See {@link ExpressRequest}. */
export type ExpressResponse = {
  readonly writeHead: (status: number, headers: Record<string, string>) => { readonly end: (body: string) => unknown }
}

/** What an Express application says beyond the options of every middleware. */
export type ExpressOptions<R extends ExpressRequest> = GuardOptions & {
  readonly nonce?: (request: R) => string | undefined
  /** The TLS client certificate, as PEM or DER. Default: that of the connection. */
  readonly clientCertificate?: (request: R) => Uint8Array | string | undefined
}

type Next = (error?: unknown) => void

/** Middleware for Express: `attestationFor(request)` behind it is the attestation. Throws `options-invalid`. */
export function attested<R extends ExpressRequest>(
  options: ExpressOptions<R>,
): (request: R, response: ExpressResponse, next: Next) => Promise<void> {
  const { nonce, clientCertificate, ...rest } = options
  const guard = createGuard(rest)
  return async (request, response, next) => {
    try {
      const own = readNodeRequest(request)
      const certificate = clientCertificate === undefined ? own.certificate : clientCertificate(request)
      const { method = '', originalUrl: target } = request
      const result = await guard({ ...own, method, target, certificate, nonce: nonce?.(request) })
      if ('refusal' in result) return refuse(response, result.refusal)
      remember(request, result.attestation)
    } catch (error) {
      return next(error)
    }
    next()
  }
}

function refuse(response: ExpressResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, { ...headers }).end(body)
}
