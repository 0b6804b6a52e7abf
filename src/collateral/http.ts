import { request as plain, type IncomingMessage } from 'node:http'
import { request as secure } from 'node:https'
import { readCapped } from './capped.ts'
import type { Fetched } from './source.ts'

/** How a vendor's host is reached; plain http only by that name. */
export type Transport = 'https' | 'DANGEROUSLY_PLAIN_HTTP'

/** One request to a vendor. */
export type Asking = {
  /** Largest body, in bytes. */
  readonly most: number
  /** Milliseconds for the whole answer, body included. */
  readonly timeout: number
  /** PEM of the authorities to trust instead of the well-known ones. */
  readonly ca?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a host answered. `header` gives the value of a header that was sent exactly once; names in lower case. */
export type Asked =
  | { readonly outcome: 'found'; readonly bytes: Uint8Array; readonly header: (name: string) => string | undefined }
  | Exclude<Fetched, { outcome: 'found' }>

/** Largest header section, in bytes: issuer chains of Intel's travel in a header. */
const MOST_HEADERS = 64 * 1024
/** Longest pause, in seconds, that a vendor can ask for: an answer must not silence a host for days. */
const LONGEST_PAUSE = 3600
/** Statuses that say that there is no such document: Intel says 410 for one that is no longer offered. */
const ABSENT: readonly number[] = [404, 410]

/** Asks once: no redirect is followed, nothing is unpacked. Never throws. */
export async function ask(url: URL, asking: Asking): Promise<Asked> {
  const signal = AbortSignal.timeout(asking.timeout)
  try {
    return await answerOf(await send(url, asking, signal), asking.most)
  } catch (error) {
    return { outcome: 'unavailable', reason: signal.aborted ? 'the vendor did not answer in time' : reasonOf(error) }
  }
}

/**
 * The origin and path in front of every document of a vendor, without a slash at its end. `name` says in errors whose URL it is.
 * Throws when the URL is not one that may be asked.
 */
export function baseOf(url: string, transport: Transport, name: string): string {
  if (!URL.canParse(url)) throw new Error(`the URL of the ${name} is not a URL`)
  const { protocol, origin, pathname, href } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && transport === 'DANGEROUSLY_PLAIN_HTTP'))
    throw new Error(`the ${name} is asked over https only, unless DANGEROUSLY_PLAIN_HTTP is set`)
  // No user name, no query, no fragment: they would be sent with every request, or lost.
  if (href !== `${origin}${pathname}`) throw new Error(`the URL of the ${name} may hold a host and a path only`)
  return href.replace(/\/+$/, '')
}

const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'assay' } as const

function send(url: URL, { ca, headers }: Asking, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = url.protocol === 'https:' ? secure : plain
  // A connection of its own: vendors are asked too rarely for one that is kept open to be still good.
  const options = { agent: false, signal, maxHeaderSize: MOST_HEADERS, headers: { ...HEADERS, ...headers } }
  request(url, ca === undefined ? options : { ...options, ca }, resolve)
    .on('error', reject)
    .end()
  return promise
}

async function answerOf(response: IncomingMessage, most: number): Promise<Asked> {
  if (response.statusCode !== 200) {
    response.destroy()
    return refused(response)
  }
  // Some servers compress without being asked; what a few bytes unpack to could be anything.
  if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') {
    response.destroy()
    return { outcome: 'unavailable', reason: 'the answer is compressed' }
  }
  const bytes = await readCapped(response, most)
  if (bytes === 'too-large') return { outcome: 'unavailable', reason: `the answer has more than ${most} bytes` }
  if (bytes.length === 0) return { outcome: 'unavailable', reason: 'the answer is empty' }
  return { outcome: 'found', bytes, header: (name) => once(response.headersDistinct[name]) }
}

const once = (values: readonly string[] | undefined): string | undefined => (values?.length === 1 ? values[0] : undefined)

function refused({ statusCode = 0, headers }: IncomingMessage): Exclude<Fetched, { outcome: 'found' }> {
  if (ABSENT.includes(statusCode)) return { outcome: 'not-found' }
  const retryAfter = [429, 503].includes(statusCode) ? secondsOf(headers['retry-after']) : undefined
  const reason = `the vendor answered ${statusCode}`
  return { outcome: 'unavailable', reason, ...(retryAfter === undefined ? {} : { retryAfter }) }
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
function secondsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_PAUSE, Math.max(1, Math.ceil(seconds)))
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : 'the vendor could not be reached'
