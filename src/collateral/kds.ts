import { type AmdDocument, type AmdEndpoint, parseAmdAddress } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import { readCapped } from './capped.ts'
import type { Fetched, VendorClient } from './source.ts'

/** Where AMD's key distribution service, or a mirror of it, answers. */
export type KdsOptions = {
  /** `https://kdsintf.amd.com` or a mirror, with a path if it has one. */
  readonly url: string
  readonly transport?: 'https' | 'DANGEROUSLY_PLAIN_HTTP'
  /** Milliseconds for one try, body included; 5,000 by default. */
  readonly timeout?: number
}

/** AMD's key distribution service (specification snp.md section 6.1). */
export type Kds = VendorClient & {
  /** Intermediate and root as PEM, as served; never an anchor. */
  readonly certChain: (product: SnpProduct, endpoint: AmdEndpoint) => Promise<Fetched>
}

/** Largest answers, in bytes (design section 3, Limits); a VCEK has about 1,300 and a chain 4,000. */
const MOST_BYTES = { vcek: 64 * 1024, chain: 64 * 1024, crl: 8 * 1024 * 1024 } as const
/** Longest pause, in seconds, that a vendor can ask for: an answer must not silence a host for days. */
const LONGEST_PAUSE = 3600

/** A client of one host. Throws when the URL is not one that may be asked. */
export function createKds({ url, transport = 'https', timeout = 5_000 }: KdsOptions): Kds {
  const base = baseOf(url, transport)
  const get = async (path: string, most: number): Promise<Fetched> => {
    try {
      return await ask(new URL(base + path), { most, timeout })
    } catch (error) {
      return { outcome: 'unavailable', reason: reasonOf(error) }
    }
  }
  return {
    fetch: async (address) => {
      const document = parseAmdAddress(address)
      if (document === undefined) return { outcome: 'unavailable', reason: 'not an address of AMD' }
      return get(pathOf(document), MOST_BYTES[document.kind])
    },
    certChain: (product, endpoint) => get(`/${endpoint}/v1/${product}/cert_chain`, MOST_BYTES.chain),
  }
}

/** The origin and path in front of every document, without a slash at its end. */
function baseOf(url: string, transport: 'https' | 'DANGEROUSLY_PLAIN_HTTP'): string {
  if (!URL.canParse(url)) throw new Error('the URL of the AMD key distribution service is not a URL')
  const { protocol, origin, pathname, href } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && transport === 'DANGEROUSLY_PLAIN_HTTP'))
    throw new Error('the AMD key distribution service is asked over https only, unless DANGEROUSLY_PLAIN_HTTP is set')
  // No user name, no query, no fragment: they would be sent with every request, or lost.
  if (href !== `${origin}${pathname}`) throw new Error('the URL of the AMD key distribution service may hold a host and a path only')
  return href.replace(/\/+$/, '')
}

/** Path and query of a document. Every part comes from a parsed address, so nothing in it needs escaping. */
function pathOf(document: AmdDocument): string {
  if (document.kind === 'crl') return `/${document.endpoint}/v1/${document.product}/crl`
  const { fmc, bootloader, tee, snp, microcode } = document.tcb
  // Two digits at least, as AMD prints them.
  const spl = Object.entries({ fmcSPL: fmc, blSPL: bootloader, teeSPL: tee, snpSPL: snp, ucodeSPL: microcode })
    .flatMap(([name, value]) => (value === undefined ? [] : `${name}=${String(value).padStart(2, '0')}`))
    .join('&')
  return `/vcek/v1/${document.product}/${document.hwid}?${spl}`
}

async function ask(url: URL, { most, timeout }: { most: number; timeout: number }): Promise<Fetched> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'assay' },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    return refused(response)
  }
  // Some servers compress without being asked; what a few bytes unpack to could be anything.
  if ((response.headers.get('content-encoding') ?? 'identity') !== 'identity') {
    await response.body?.cancel()
    return { outcome: 'unavailable', reason: 'the answer is compressed' }
  }
  const bytes = await readCapped(response.body, most)
  if (bytes === 'too-large') return { outcome: 'unavailable', reason: `the answer has more than ${most} bytes` }
  return bytes.length === 0 ? { outcome: 'unavailable', reason: 'the answer is empty' } : { outcome: 'found', bytes }
}

function refused(response: Response): Fetched {
  if (response.status === 404) return { outcome: 'not-found' }
  const retryAfter = [429, 503].includes(response.status) ? secondsOf(response.headers.get('retry-after')) : undefined
  const reason = `the vendor answered ${response.status}`
  return { outcome: 'unavailable', reason, ...(retryAfter === undefined ? {} : { retryAfter }) }
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_PAUSE, Math.max(1, Math.ceil(seconds)))
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'the vendor did not answer in time'
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : 'the vendor could not be reached'
}
