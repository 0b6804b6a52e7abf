import { readObject, type JsonObject } from './json.ts'
import { AttestationRefused } from './problems.ts'

/** What is asked of a document that a stranger's server sends. */
export type FetchBounds = { readonly fetch: typeof fetch; readonly signal: AbortSignal; readonly maxBytes: number }

/** A document, and for how many seconds its server says that it may be kept. */
export type Fetched = { readonly document: JsonObject; readonly maxAge: number | undefined }

/** An address that cannot be changed under way: TLS, or this machine. Throws `options-invalid` or `keys-invalid`, as told. */
export function safeUrl(text: unknown, code: 'options-invalid' | 'keys-invalid'): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && isSafe(url)) return url
  throw new AttestationRefused(code, { why: 'it is not https (http on loopback) without user and fragment', url: text })
}

const isSafe = ({ protocol, hostname, username, password, hash }: URL): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) && `${username}${password}${hash}` === ''

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Reads one JSON object of bounded size, without following redirects. Throws `keys-unavailable`, or `keys-invalid` if it is no such object. */
export async function fetchObject(url: URL, bounds: FetchBounds): Promise<Fetched> {
  const response = await answerOf(url, bounds)
  const bytes = await bodyOf(response, url, bounds)
  return { document: readObject(bytes, 'keys-invalid'), maxAge: maxAgeOf(response.headers.get('cache-control') ?? '') }
}

async function answerOf(url: URL, { fetch, signal }: FetchBounds): Promise<Response> {
  let response: Response
  try {
    // Manual, because not every runtime knows `error`; a browser shows a redirect as status 0.
    response = await fetch(url.href, { redirect: 'manual', credentials: 'omit', headers: { accept: 'application/json' }, signal })
  } catch (cause) {
    throw unavailable(url, { why: 'no answer' }, cause)
  }
  if (response.status === 200) return response
  await response.body?.cancel()
  throw unavailable(url, { why: 'it did not answer 200', status: response.status })
}

async function bodyOf(response: Response, url: URL, { maxBytes }: FetchBounds): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  try {
    bytes = response.body === null ? undefined : await upTo(maxBytes, response.body.getReader())
  } catch (cause) {
    throw unavailable(url, { why: 'the answer broke off' }, cause)
  }
  if (bytes === undefined) throw unavailable(url, { why: `the answer is empty or has more than ${maxBytes} bytes` })
  return bytes
}

/** Bytes are counted as they come, whatever Content-Length says; undefined if there are more. */
async function upTo(most: number, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let part = await reader.read(); part.value !== undefined && length <= most; part = await reader.read()) {
    length += part.value.length
    chunks.push(part.value)
  }
  if (length <= most) return joined(chunks, length)
  await reader.cancel()
  return undefined
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** RFC 9111 section 5.2.2: what may not be kept has the age 0. */
function maxAgeOf(cacheControl: string): number | undefined {
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/i.test(cacheControl)) return 0
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})(?:$|[\s,"])/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

const unavailable = (url: URL, facts: object, cause?: unknown): AttestationRefused =>
  new AttestationRefused('keys-unavailable', { url: url.href, ...facts }, cause)
