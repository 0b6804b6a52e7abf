import type { IncomingMessage } from 'node:http'
import type { Principal, Role } from '../access/roles.ts'
import type { Work } from './work.ts'
import type { Body } from './arriving.ts'
import type { Services } from './services.ts'

/** Whose credentials a route asks for. `public` looks at none; `anyone` refuses wrong ones; the others demand a role. */
export type Access = 'public' | 'anyone' | Role

/** One request as handlers see it: no framework, no socket. */
export type Call = {
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly header: (name: string) => string | undefined
  /** The value of a `{name}` in the route's path. */
  readonly param: (name: string) => string
  /** The body as it arrives; undefined when the request has none. */
  readonly body: Body | undefined
  readonly caller: Principal | undefined
  /** The address prefix that allowances are counted for. */
  readonly prefix: string
  readonly work: Work
}

/** What a handler answers; app.ts adds what every answer carries. */
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** Answers one call or throws AttestationError. */
export type Handler = (call: Call, services: Services) => Answer | Promise<Answer>

/** One row of the table of routes; `path` is written as in openapi.yaml. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: `/${string}`
  readonly access: Access
  readonly handler: Handler
}

/** What the listener hands in beside the request; absent where a test calls the app without a socket. */
export type Bindings = { readonly incoming?: IncomingMessage }

/** A JSON answer; `no-store` unless the headers say otherwise. */
export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})
