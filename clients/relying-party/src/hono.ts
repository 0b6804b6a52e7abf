import { createGuard, remember, type GuardOptions } from './guard.ts'
import { certificateOfSocket, memberOf } from './node-request.ts'

export { attestationFor } from './guard.ts'
export type { GuardOptions } from './guard.ts'

/** What is used of Hono's context. */
export type HonoContext = {
  readonly req: { readonly raw: Request; readonly method: string }
  readonly env: unknown
}

/** What a Hono application says beyond the options of every middleware. */
export type HonoOptions<C extends HonoContext> = GuardOptions & {
  readonly nonce?: (context: C) => string | undefined
  /** The TLS client certificate, as PEM or DER. Default: that of the connection, under @hono/node-server. */
  readonly clientCertificate?: (context: C) => Uint8Array | string | undefined
}

/** Middleware for Hono: `attestationFor(c)` behind it is the attestation. Throws `options-invalid`. */
export function attested<C extends HonoContext>(
  options: HonoOptions<C>,
): (context: C, next: () => Promise<void>) => Promise<Response | undefined> {
  const { nonce, clientCertificate = certificateOfContext, ...rest } = options
  const guard = createGuard(rest)
  return async (context, next) => {
    const { headers, url } = context.req.raw
    const { pathname, search } = new URL(url)
    const result = await guard({
      method: context.req.method,
      target: `${pathname}${search}`,
      // Headers of one name are one text here; a token and a proof hold no comma, so several are refused.
      header: (name) => headers.get(name)?.split(', ') ?? [],
      certificate: clientCertificate(context),
      nonce: nonce?.(context),
    })
    if ('refusal' in result) return new Response(result.refusal.body, result.refusal)
    remember(context, result.attestation)
    await next()
    return undefined
  }
}

function certificateOfContext({ env }: HonoContext): Uint8Array | undefined {
  const incoming = memberOf(env, 'incoming')
  return certificateOfSocket(memberOf(incoming, 'socket'))
}
