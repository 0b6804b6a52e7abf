import supertest from 'supertest'
import { afterAll } from 'vitest'
import type { App } from '../src/app.ts'
import { startServer, type RunningServer } from '../src/service/server.ts'

/** One listener for each app of a test file, closed when the file is done. */
const servers = new Map<App, Promise<RunningServer>>()
afterAll(async () => {
  for (const server of servers.values()) await (await server).drain(0)
})

async function urlOf(app: App): Promise<string> {
  const settings = { listen: { host: '127.0.0.1', port: 0 }, issuer: 'https://test.assay.invalid' }
  const server = servers.get(app) ?? startServer(app, settings)
  servers.set(app, server)
  return `http://127.0.0.1:${(await server).port}`
}

type Chunks = (error: Error | null, body: Buffer) => void

/** Bodies are kept as bytes, whatever their type. */
function bytesOf(response: NodeJS.ReadableStream, done: Chunks): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('end', () => done(null, Buffer.concat(chunks)))
}

/** Asks the app over a real socket; `address` is a path, or a URL whose host does not matter. */
export async function overSocket(app: App, address: string, init: RequestInit = {}): Promise<Response> {
  const { pathname, search } = new URL(address, 'http://assay.test')
  const method = (init.method ?? 'GET').toLowerCase()
  const call = supertest(await urlOf(app))[method as 'get'](`${pathname}${search}`)
  new Headers(init.headers).forEach((value, name) => void call.set(name, value))
  // As the bytes that they are: the library adds no type and no encoding of its own.
  if (init.body !== undefined && init.body !== null)
    call.serialize((value: unknown) => value as string).send(Buffer.from(init.body as string))
  const { status, headers, body } = await call.buffer(true).parse(bytesOf as never)
  return new Response(method === 'head' || status === 204 || status === 304 ? null : (body as Buffer), {
    status,
    headers: headers as Record<string, string>,
  })
}
