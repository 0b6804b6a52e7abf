import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { AttestationError } from '../verifiers/problems.ts'
import type { Body } from './arriving.ts'
import type { Call } from './call.ts'
import { paced } from './pace.ts'
import type { Limits } from './services.ts'

/** The list of a request, on its way. It is read once, by whoever judges it; `finish` reads what nobody wanted. */
export type ListPart = AsyncIterable<Uint8Array> & {
  /** Reads to the end. Rejects where the list is too long, or the body does not end as it must. */
  readonly finish: () => Promise<void>
  /** SHA-256 of what was read of it so far. */
  readonly sha256: () => Buffer
}

/** The parts of a streamed request. */
export type Parts = {
  readonly request: Uint8Array
  readonly list: ListPart
  /** Stops reading, wherever it is. */
  readonly close: () => void
}

/** Names of the parts, in their order. */
const NAMES = ['request', 'ima_log'] as const
/** Headers of parts, boundaries, and what may stand before and behind the parts. */
const FRAME_BYTES = 16 * 1024
const FORM_TYPE = /^multipart\/form-data\s*;/i

/**
 * Takes a multipart body apart: part `request`, whole, then part `ima_log`, which is left on its way. Resolves where the second begins, so
 * that nothing was done for a request without it. The body has a pace of its own. Throws `content-type-unsupported`, `request-too-large`,
 * `request-malformed`, `request-timeout` or `overloaded`.
 */
export async function readParts(call: Call, limits: Limits): Promise<Parts> {
  const form = new Form(call, limits)
  try {
    const request = await collect(await form.part(0), limits.bodyBytes, call)
    const list = listPart(await form.part(1), limits.imaBytes, form.ended)
    return { request, list, close: () => form.close() }
  } catch (error) {
    form.close()
    throw error instanceof AttestationError ? error : endedEarly(error)
  }
}

const malformed = (why: string, cause?: unknown) => new AttestationError('request-malformed', why, { at: 'body', cause })
const endedEarly = (cause: unknown) => malformed('the body is not multipart/form-data to its end', cause)
const tooLarge = (what: string, limit: number) =>
  new AttestationError('request-too-large', `${what} is larger than ${limit} bytes`, { at: 'body' })

/** One body, written into the parser as fast as its parts are read. */
class Form {
  readonly #parts = NAMES.map(() => Promise.withResolvers<Readable>())
  readonly #ended = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #parser: ReturnType<typeof parserFor>
  readonly #streams: Readable[] = []

  constructor(call: Call, limits: Limits) {
    this.#parser = parserFor(call)
    // Whoever waits for one of them hears of a failure; the others must not be failures that nobody handles.
    for (const { promise } of [...this.#parts, this.#ended]) promise.catch(() => {})
    this.#parser.on('file', (name: string, stream: Readable) => this.#take(name, stream))
    this.#parser.on('error', (error: unknown) => this.#fail(endedEarly(error)))
    this.#parser.on('finish', () => this.#finish())
    this.#pump(call, limits.bodyBytes + limits.imaBytes + FRAME_BYTES).catch((error: unknown) => {
      this.#fail(error instanceof AttestationError ? error : endedEarly(error))
    })
  }

  /** The part of this place, when it begins. */
  part(at: 0 | 1): Promise<Readable> {
    const { promise } = this.#parts[at] ?? Promise.withResolvers<Readable>()
    return promise
  }
  /** Resolves when the body has ended as it must. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }
  close(): void {
    this.#closed.resolve()
  }

  #take(name: string, stream: Readable): void {
    // A part that fails says so to its reader, and to nobody where there is none.
    stream.on('error', () => {})
    const at = this.#streams.push(stream) - 1
    if (name === NAMES[at]) return this.#parts[at]?.resolve(stream)
    this.#fail(malformed(`the parts must be ${NAMES.join(' and then ')}`))
  }

  #finish(): void {
    if (this.#streams.length < NAMES.length) this.#fail(malformed(`the part ${NAMES[this.#streams.length]} is missing`))
    else this.#ended.resolve()
  }

  #fail(problem: AttestationError): void {
    for (const { reject } of this.#parts) reject(problem)
    for (const stream of this.#streams) stream.destroy(problem)
    this.#ended.reject(problem)
    this.close()
  }

  async #pump({ body, header }: Call, limit: number): Promise<void> {
    // Whoever says so beforehand need not send it.
    if (Number(header('content-length') ?? 0) > limit) throw tooLarge('the body', limit)
    const done = body?.keepTime?.()
    try {
      if (body === undefined || (await this.#feed(body, limit)) === 'whole') this.#parser.end()
    } finally {
      done?.()
    }
  }

  async #feed(body: Body, limit: number): Promise<'whole' | 'closed'> {
    let total = 0
    for await (const chunk of paced(body)) {
      total += chunk.byteLength
      if (total > limit) throw tooLarge('the body', limit)
      if ((await Promise.race([this.#write(chunk), this.#closed.promise.then(() => 'closed')])) === 'closed') return 'closed'
    }
    return 'whole'
  }

  /** Resolves when the parser has room for more, which it has when its parts are read. */
  #write(chunk: Uint8Array): Promise<unknown> {
    return new Promise((resolve) => void this.#parser.write(chunk, resolve))
  }
}

function parserFor(call: Call) {
  const type = call.header('content-type') ?? ''
  const encoding = call.header('content-encoding') ?? 'identity'
  if (!FORM_TYPE.test(type) || encoding.toLowerCase() !== 'identity')
    throw new AttestationError('content-type-unsupported', 'the body must be multipart/form-data, not compressed', { at: 'Content-Type' })
  try {
    return new Busboy({
      headers: { 'content-type': type },
      // Bytes as they are: no part is text in whatever character set it names.
      isPartAFile: () => true,
      limits: { headerPairs: 16, headerSize: 4096 },
    })
  } catch (error) {
    throw new AttestationError('content-type-unsupported', 'multipart/form-data needs a boundary', { at: 'Content-Type', cause: error })
  }
}

async function collect(stream: Readable, limit: number, { work }: Call): Promise<Uint8Array> {
  const held: (() => void)[] = []
  const take = (chunk: Uint8Array, total: number): void => {
    if (total > limit) throw tooLarge('the part request', limit)
    held.push(work.hold(chunk.byteLength))
  }
  try {
    return await taken(stream, take)
  } finally {
    for (const release of held) release()
  }
}

async function taken(stream: Readable, take: (chunk: Uint8Array, total: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of bytesOf(stream)) {
    total += chunk.byteLength
    take(chunk, total)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, total)
}

async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk
}

function listPart(stream: Readable, limit: number, ended: Promise<void>): ListPart {
  const portions = bytesOf(stream)
  const digest = createHash('sha256')
  let total = 0
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const { done, value } = await portions.next().catch(rethrown)
    if (done === true) {
      // What follows the list is part of the request: only a body that ends as it must has one.
      await ended
      return { done, value: undefined }
    }
    total += value.byteLength
    if (total > limit) throw tooLarge('the part ima_log', limit)
    digest.update(value)
    return { done: false, value }
  }
  return {
    // Without `return`: whoever stops early leaves the rest to `finish`.
    [Symbol.asyncIterator]: () => ({ next }),
    finish: async () => {
      while ((await next()).done !== true);
    },
    sha256: () => digest.copy().digest(),
  }
}

function rethrown(error: unknown): never {
  throw error instanceof AttestationError ? error : endedEarly(error)
}
