import { expect } from 'vitest'
import type { Audience } from '../src/access/audiences.ts'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest } from '../src/simulator/attest.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { refusal } from './answers.ts'
import { fetchOf, testServices, TOKENS, type TestOptions, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

/** What simulated guests measure. */
export const RIGHT = Buffer.from(SIM_MEASUREMENT).toString('hex')

/** An audience that may use these policies. */
export const audienceOf = (name: string, policies: readonly string[] = [name]): Audience => ({
  name,
  policies,
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce: 'refuse',
})

/** One request of an operator. */
export type Sent = {
  readonly method?: string
  /** Whose token goes with it. */
  readonly as?: keyof typeof TOKENS
  readonly body?: string | Buffer<ArrayBuffer>
  readonly headers?: Record<string, string>
}
type Body = NonNullable<Sent['body']>
type Decider = { readonly name?: string; readonly as?: keyof typeof TOKENS }
const NEW = { 'if-none-match': '*' }

/** Policies, or sets of reference values, as operators write and decide them. */
export type Documents = {
  /** The path is below that of the collection. */
  readonly send: (path: string, sent?: Sent) => Promise<Response>
  /** Writes as YAML unless the headers say otherwise; without headers, a new document. */
  readonly put: (text: Body, headers?: Record<string, string>, name?: string) => Promise<Response>
  /** Writes a version after the latest one. */
  readonly next: (text: string) => Promise<void>
  /** Sends a decision; a text is sent as it is. */
  readonly decide: (body: object | string, who?: Decider) => Promise<Response>
}

/** A service over real sockets, with a host of the simulator's, as its operators use it. */
export type OperatorsLab = {
  readonly made: TestServices
  readonly app: App
  readonly host: FakeHost
  readonly ask: (audience: string) => ReturnType<typeof attest>
  readonly send: (path: string, sent?: Sent) => Promise<Response>
  /** Documents of a collection; `name` is that of the one that is written where none is given. */
  readonly documents: (collection: 'policies' | 'reference-values', name: string) => Documents
}

let vendor: Promise<FakeAmd> | undefined

/** The vendor is one for all labs of a file: its keys take the longest to make. */
export async function operatorsLab(options: Partial<TestOptions>): Promise<OperatorsLab> {
  const amd = await (vendor ??= fakeAmd({ products: ['Milan'] }))
  const made = await testServices({ amd, ...options })
  const app = createApp(made.services)
  const host = fakeHost(amd, { ships: 'certificates' })
  const send = senderBy((path, init) => overSocket(app, path, init))
  return {
    made,
    app,
    host,
    send,
    ask: (audience) => attest(host, { url: 'http://assay.test', fetch: fetchOf(app), audience }),
    documents: (collection, name) => documentsOf(send, `/v1/${collection}`, name),
  }
}

/** Sends requests of operators by whatever sends. */
export const senderBy =
  (fetched: (path: string, init: RequestInit) => Promise<Response>): OperatorsLab['send'] =>
  (path, { method = 'GET', as = 'viewer', body, headers } = {}) =>
    fetched(path, {
      method,
      headers: { authorization: `Bearer ${TOKENS[as]}`, ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body === undefined ? {} : { body }),
    })

/** See {@link Documents}; `usual` is the name of the one that is written where none is given. */
export function documentsOf(send: OperatorsLab['send'], root: string, usual: string): Documents {
  const put: Documents['put'] = (body, headers = NEW, name = usual) =>
    send(`${root}/${name}`, { method: 'PUT', as: 'policy-author', body, headers: { 'content-type': 'application/yaml', ...headers } })
  return {
    send: (path, sent) => send(`${root}${path}`, sent),
    put,
    next: async (text) => {
      const etag = (await send(`${root}/${usual}`)).headers.get('etag') ?? ''
      expect((await put(text, { 'if-match': etag })).status).toBe(201)
    },
    decide: (body, { name = usual, as = 'policy-activator' } = {}) =>
      send(`${root}/${name}/activations`, { method: 'POST', as, body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }
}

/** Status and code of a refusal. */
export const codeOf = async (response: Response): Promise<[number, string]> =>
  refusal({ status: response.status, body: await response.json() })

/** Statuses in ascending order, of answers to requests that race. */
export const statusesOf = (all: readonly Response[]): readonly number[] => all.map(({ status }) => status).toSorted((a, b) => a - b)

/** An audit log that cannot be written. */
export const unwritable = {
  append: () => Promise.reject(new AttestationError('audit-unavailable', 'full')),
  close: async () => {},
}
