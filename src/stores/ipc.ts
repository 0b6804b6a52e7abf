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
  const reply = outbox<Reply & { readonly id: number }>((replies) => post(channel, { assay: service, replies }))
  channel.on('message', (message) => {
    for (const call of readCalls(message, service)) void answer(handlers, call).then((answered) => reply({ id: call.id, ...answered }))
  })
}

/**
 * Collects what is to be sent until everything that has arrived by now was read, and sends it in one go: a message to another process and
 * back costs a tenth of an appraisal, however little is in it.
 */
function outbox<T>(send: (items: readonly T[]) => void): (item: T) => void {
  let waiting: T[] = []
  const flush = (): void => {
    const items = waiting
    waiting = []
    send(items)
  }
  return (item) => {
    if (waiting.length === 0) setImmediate(flush)
    waiting.push(item)
  }
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
  const send = outbox<CallMessage>((calls) => {
    if (channel.connected && post(channel, { assay: service, calls })) return
    for (const { id } of calls) settle(pending, { id, failure: gone() })
  })
  channel.on('message', (message) => {
    for (const reply of readReplies(message, service)) settle(pending, reply)
  })
  channel.on('disconnect', () => {
    for (const id of pending.keys()) settle(pending, { id, failure: gone() })
  })
  return async (op, ...args) => {
    if (!channel.connected) throw gone()
    if (pending.size >= MOST_PENDING) throw new AttestationError('overloaded', 'too many calls to the parent process', { retryAfter: 1 })
    last += 1
    const id = last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(pending, { id, failure: gone() }), PATIENCE)
      pending.set(id, { resolve, reject, timer })
      send({ id, op, args })
    })
  }
}

const gone = (): Error => new AttestationError('not-ready', 'the parent process, which owns the stores, does not answer', { retryAfter: 5 })

type Settled = { readonly id: number } & ({ readonly value: unknown } | { readonly failure: Error })

function settle(pending: Map<number, Pending>, settled: Settled): void {
  const waiting = pending.get(settled.id)
  if (waiting === undefined) return
  pending.delete(settled.id)
  clearTimeout(waiting.timer)
  if ('failure' in settled) waiting.reject(settled.failure)
  else waiting.resolve(settled.value)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** The objects that a message for one service lists under a name; none in any other message. */
function listed(message: unknown, service: string, name: 'calls' | 'replies'): readonly Readonly<Record<string, unknown>>[] {
  const items: unknown = isObject(message) && message['assay'] === service ? message[name] : undefined
  return Array.isArray(items) ? items.filter(isObject) : []
}

const readCalls = (message: unknown, service: string): readonly CallMessage[] =>
  listed(message, service, 'calls').flatMap(({ id, op, args }) =>
    typeof id === 'number' && typeof op === 'string' && Array.isArray(args) ? [{ id, op, args }] : [],
  )

const readReplies = (message: unknown, service: string): readonly Settled[] =>
  listed(message, service, 'replies').flatMap(({ id, value, failure }): readonly Settled[] => {
    if (typeof id !== 'number') return []
    return isObject(failure) ? [{ id, failure: readFailure(failure) }] : [{ id, value }]
  })

function readFailure(failure: Readonly<Record<string, unknown>>): Error {
  const { code, detail, retryAfter } = failure
  const known = typeof code === 'string' && isProblemCode(code) ? code : 'not-ready'
  return new AttestationError(known, String(detail), typeof retryAfter === 'number' ? { retryAfter } : {})
}
