import { AttestationError } from '../verifiers/problems.ts'
import { Broken, type Body } from './arriving.ts'
import type { Call } from './call.ts'
import { readStrictJson, refuseLaxJson } from './gate.ts'
import type { Limits } from './services.ts'

/** The JSON value of a request's body. Throws `content-type-unsupported`, `request-too-large`, `request-malformed` or `overloaded`. */
export async function readJsonBody(call: Call, limits: Limits): Promise<unknown> {
  refuseOtherContent(call)
  return readStrictJson(await readBytes(call, limits.bodyBytes))
}

/** The same where the body may be left out, and then needs no Content-Type: undefined. */
export async function readOptionalJsonBody(call: Call, limits: Limits): Promise<unknown> {
  const bytes = await readBytes(call, limits.bodyBytes)
  if (bytes.byteLength === 0) return undefined
  refuseOtherContent(call)
  return readStrictJson(bytes)
}

/** Bytes of one operators' document, which the stores take, too. */
const DOCUMENT_BYTES = 1024 * 1024
const YAML_TYPE = /^application\/yaml\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/**
 * An operators' document as it was written, JSON or YAML. Throws `content-type-unsupported`, `request-too-large`, `overloaded`, or
 * `request-malformed` for JSON that the gate refuses and for bytes that are not UTF-8; YAML is judged by whoever reads it.
 */
export async function readDocumentBody(call: Call): Promise<string> {
  const isYaml = YAML_TYPE.test(call.header('content-type') ?? '')
  if (isYaml) refuseEncoded(call)
  else refuseOtherContent(call, 'application/json or application/yaml')
  const bytes = await readBytes(call, DOCUMENT_BYTES)
  if (!isYaml) refuseLaxJson(bytes)
  return utf8(bytes)
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new AttestationError('request-malformed', 'the body is not UTF-8', { at: 'body', cause: error })
  }
}

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

function refuseOtherContent(call: Call, wanted = 'application/json'): void {
  refuseEncoded(call)
  if (!JSON_TYPE.test(call.header('content-type') ?? ''))
    throw new AttestationError('content-type-unsupported', `the body must be ${wanted}`, { at: 'Content-Type' })
}

function refuseEncoded(call: Call): void {
  const encoding = call.header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new AttestationError('content-type-unsupported', 'compressed requests are not read', { at: 'Content-Encoding' })
}

async function readBytes(call: Call, limit: number): Promise<Uint8Array> {
  const declared = Number(call.header('content-length') ?? 0)
  if (declared > limit) throw tooLarge(limit)
  if (call.body === undefined) return new Uint8Array()
  const held: (() => void)[] = []
  try {
    return await collect(call.body, limit, (bytes) => held.push(call.work.hold(bytes)))
  } finally {
    for (const release of held) release()
  }
}

async function collect(body: Body, limit: number, hold: (bytes: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  await each(body, (chunk) => {
    total += chunk.byteLength
    if (total > limit) throw tooLarge(limit)
    hold(chunk.byteLength)
    chunks.push(chunk)
  })
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, total)
}

/** A connection that breaks half-way is the caller's doing, not a failure of ours. */
async function each(body: Body, take: (portion: Uint8Array) => void): Promise<void> {
  try {
    await (body.each?.(take) ?? iterate(body, take))
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    throw new AttestationError('request-malformed', 'the body ended early', { at: 'body', cause: error.cause })
  }
}

async function iterate(body: Body, take: (portion: Uint8Array) => void): Promise<void> {
  for await (const portion of arriving(body)) take(portion)
}

async function* arriving(body: Body): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw new Broken('the body ended early', { cause })
  }
}

const tooLarge = (limit: number) => new AttestationError('request-too-large', `the body is larger than ${limit} bytes`, { at: 'body' })
