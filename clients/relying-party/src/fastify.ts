import { createGuard, remember, type GuardOptions } from './guard.ts'
import { readNodeRequest, type NodeRequest } from './node-request.ts'

export { attestationFor } from './guard.ts'
export type { GuardOptions } from './guard.ts'

/** What is used of Fastify's request and answer. */
export type FastifyRequestLike = { readonly method: string; readonly originalUrl: string; readonly raw: NodeRequest }
/** See {@link FastifyRequestLike}. */
export type FastifyReplyLike = {
  readonly code: (status: number) => unknown
  readonly headers: (headers: Record<string, string>) => unknown
  readonly send: (body: string) => unknown
}

/** What a Fastify application says beyond the options of every middleware. */
export type FastifyOptions<R extends FastifyRequestLike> = GuardOptions & {
  readonly nonce?: (request: R) => string | undefined
  /** The TLS client certificate, as PEM or DER. Default: that of the connection. */
  readonly clientCertificate?: (request: R) => Uint8Array | string | undefined
}

/** A hook for Fastify (`onRequest`): `attestationFor(request)` behind it is the attestation. Throws `options-invalid`. */
export function attested<R extends FastifyRequestLike>(
  options: FastifyOptions<R>,
): (request: R, reply: FastifyReplyLike) => Promise<unknown> {
  const { nonce, clientCertificate, ...rest } = options
  const guard = createGuard(rest)
  return async (request, reply) => {
    const own = readNodeRequest(request.raw)
    const certificate = clientCertificate === undefined ? own.certificate : clientCertificate(request)
    const { method, originalUrl: target } = request
    const result = await guard({ ...own, method, target, certificate, nonce: nonce?.(request) })
    if ('attestation' in result) return remember(request, result.attestation)
    const { status, headers, body } = result.refusal
    reply.code(status)
    reply.headers({ ...headers })
    reply.send(body)
    // A hook that returns the reply ends the request (Fastify, Hooks, "Respond to a request from a hook").
    return reply
  }
}
