import { AttestationError, isProblemCode } from '../verifiers/problems.ts'

/**
 * One end of the channel between a parent and a forked child: `process` in the child, a ChildProcess in the parent.
 * Fork with `serialization: 'advanced'`, so that bytes, dates and big integers arrive as what they are.
 */
export type Channel = {
  readonly connected: boolean
  readonly send?: (message: unknown) => boolean
  readonly on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => unknown
}

/** Calls one operation of the other side. */
export type Call = (op: string, ...args: readonly unknown[]) => Promise<unknown>
/** What one side answers, by name of the operation. */
export type Handlers = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>

/** Calls under way at once; more than a process can have requests in flight. */
const MOST_PENDING = 10_000
/** Milliseconds after which an answer no longer counts; a vendor fetch behind a call takes five seconds at most. */
const PATIENCE = 8_000

/** Answers the calls that arrive for one service. */
export function serve(channel: Channel, service: string, handlers: Handlers): void {
  channel.on('message', (message) => {
    const call = readCall(message, service)
    if (call !== undefined) void answer(handlers, call).then((reply) => post(channel, { assay: service, reply: call.id, ...reply }))
  })
}

type CallMessage = { readonly id: number; readonly op: string; readonly args: readonly unknown[] }
type Reply =
  { readonly value: unknown } | { readonly failure: { readonly code: string; readonly detail: string; readonly retryAfter?: number } }

async function answer(handlers: Handlers, call: CallMessage): Promise<Reply> {
  const handler = Object.hasOwn(handlers, call.op) ? handlers[call.op] : undefined
  try {
    if (handler === undefined) throw new Error(`unknown operation ${call.op}`)
    return { value: await handler(...call.args) }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

function failureOf(error: unknown): { code: string; detail: string; retryAfter?: number } {
  const detail = error instanceof Error ? error.message : 'the call failed'
  if (!(error instanceof AttestationError)) return { code: 'not-ready', detail }
  return { code: error.code, detail, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) }
}

/** A channel may close at any moment between the question whether it is open and the sending. */
function post(channel: Channel, message: unknown): boolean {
  try {
    channel.send?.(message)
    return channel.send !== undefined && channel.connected
  } catch {
    return false
  }
}

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void; readonly timer: NodeJS.Timeout }

/** Calls the service on the other side. Rejects with `not-ready` when it is gone, silent or overloaded: no answer is never a yes. */
export function caller(channel: Channel, service: string): Call {
  const pending = new Map<number, Pending>()
  let last = 0
  channel.on('message', (message) => settle(pending, readReply(message, service)))
  channel.on('disconnect', () => {
    for (const id of pending.keys()) settle(pending, { id, failure: gone() })
  })
  return async (op, ...args) => {
    if (pending.size >= MOST_PENDING) throw new AttestationError('overloaded', 'too many calls to the parent process', { retryAfter: 1 })
    last += 1
    const id = last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(pending, { id, failure: gone() }), PATIENCE)
      pending.set(id, { resolve, reject, timer })
      if (!channel.connected || !post(channel, { assay: service, call: id, op, args })) settle(pending, { id, failure: gone() })
    })
  }
}

const gone = (): Error => new AttestationError('not-ready', 'the parent process, which owns the stores, does not answer', { retryAfter: 5 })

type Settled = { readonly id: number } & ({ readonly value: unknown } | { readonly failure: Error })

function settle(pending: Map<number, Pending>, settled: Settled | undefined): void {
  const waiting = settled === undefined ? undefined : pending.get(settled.id)
  if (settled === undefined || waiting === undefined) return
  pending.delete(settled.id)
  clearTimeout(waiting.timer)
  if ('failure' in settled) waiting.reject(settled.failure)
  else waiting.resolve(settled.value)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

function readCall(message: unknown, service: string): CallMessage | undefined {
  if (!isObject(message) || message['assay'] !== service) return undefined
  const { call, op, args } = message
  return typeof call === 'number' && typeof op === 'string' && Array.isArray(args) ? { id: call, op, args } : undefined
}

function readReply(message: unknown, service: string): Settled | undefined {
  if (!isObject(message) || message['assay'] !== service) return undefined
  const { reply, value, failure } = message
  if (typeof reply !== 'number') return undefined
  return isObject(failure) ? { id: reply, failure: readFailure(failure) } : { id: reply, value }
}

function readFailure(failure: Readonly<Record<string, unknown>>): Error {
  const { code, detail, retryAfter } = failure
  const known = typeof code === 'string' && isProblemCode(code) ? code : 'not-ready'
  return new AttestationError(known, String(detail), typeof retryAfter === 'number' ? { retryAfter } : {})
}
