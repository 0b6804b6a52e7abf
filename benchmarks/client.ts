/** A load generator that costs next to nothing: whole requests are prepared beforehand and written to kept-alive sockets. */
import { connect, type Socket } from 'node:net'

/** Where the server listens. */
export type Target = { readonly host: string; readonly port: number }

/** What came back. Latencies in milliseconds, from the request's due time to its last byte. */
export type Load = { readonly seconds: number; readonly latencies: readonly number[]; readonly statuses: ReadonlyMap<number, number> }

/** One HTTP/1.1 request as bytes. */
export function httpRequest(target: Target, path: string, body: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${target.host}:${target.port}`,
    'Content-Type: application/json',
    'Accept: application/jwt',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Reads one answer from the front of `buffered`: its status, body and what is left; undefined while it is incomplete. */
function answerIn(buffered: Buffer): { status: number; body: Buffer; rest: Buffer } | undefined {
  const end = buffered.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = buffered.toString('latin1', 0, end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  if (buffered.length < end + 4 + length) return undefined
  return {
    status: Number(head.slice(9, 12)),
    body: buffered.subarray(end + 4, end + 4 + length),
    rest: buffered.subarray(end + 4 + length),
  }
}

/** A kept-alive connection that sends one request at a time. */
async function openConnection(
  target: Target,
): Promise<{ send: (request: Buffer) => Promise<{ status: number; body: Buffer }>; close: () => void }> {
  const socket: Socket = connect(target.port, target.host)
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let waiting: { resolve: (answer: { status: number; body: Buffer }) => void; reject: (error: Error) => void } | undefined
  let buffered: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    const answer = answerIn(buffered)
    if (answer === undefined) return
    buffered = answer.rest
    waiting?.resolve(answer)
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  const send = (request: Buffer) =>
    new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      waiting = { resolve, reject }
      socket.write(request)
    })
  return { send, close: () => socket.destroy() }
}

/** As fast as the server answers: `connections` at once, each request as soon as the one before is answered. */
export async function closedLoop(target: Target, requests: readonly Buffer[], connections: number): Promise<Load> {
  return drive(target, requests, { connections, due: () => performance.now() })
}

/** At a fixed rate: latency counts from the moment a request was due, so that a stalled server cannot hide. */
export async function openLoop(target: Target, requests: readonly Buffer[], perSecond: number): Promise<Load> {
  const start = performance.now() + 50
  return drive(target, requests, { connections: 64, due: (i) => start + (i * 1000) / perSecond })
}

type Pace = { readonly connections: number; readonly due: (index: number) => number }

async function drive(target: Target, requests: readonly Buffer[], { connections, due }: Pace): Promise<Load> {
  const latencies: number[] = []
  const statuses = new Map<number, number>()
  const queue = requests.entries()
  const started = performance.now()
  const lane = async (): Promise<void> => {
    const connection = await openConnection(target)
    for (const [index, request] of queue) {
      const at = due(index)
      const early = at - performance.now()
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
      const { status } = await connection.send(request)
      latencies.push(performance.now() - at)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return { seconds: (performance.now() - started) / 1000, latencies, statuses }
}

/** The bodies of the answers to `requests`, in order. */
export async function collect(target: Target, requests: readonly Buffer[], connections: number): Promise<readonly Buffer[]> {
  const bodies: Buffer[] = []
  const queue = requests.entries()
  const lane = async (): Promise<void> => {
    const connection = await openConnection(target)
    for (const [index, request] of queue) bodies[index] = Buffer.from((await connection.send(request)).body)
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return bodies
}
