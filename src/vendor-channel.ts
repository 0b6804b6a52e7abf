import type { Fetched, FetchCaller, FetchRequest, Vendor } from './collateral/source.ts'
import { caller, serve, type Channel } from './stores/ipc.ts'
import { isAddress } from './stores/marks.ts'

/** The name of the vendor on the channel. */
const SERVICE = 'vendor'

/** Lets a child fetch through the parent, which keeps one budget and one flight per address for the whole machine. */
export function serveVendor(vendor: Vendor, child: Channel): void {
  serve(child, SERVICE, { fetch: async (request) => vendor.fetch(requestIn(request)) })
}

/** The parent's vendor as a child sees it: silent or gone means unavailable. */
export function parentVendor(channel: Channel): Vendor {
  const call = caller(channel, SERVICE)
  return {
    fetch: async (request) => {
      try {
        return fetchedIn(await call('fetch', request))
      } catch (error) {
        return { outcome: 'unavailable', reason: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

const CALLERS: readonly FetchCaller[] = ['anonymous', 'authenticated', 'background']

function requestIn(value: unknown): FetchRequest {
  const { address, caller: named, prefix } = objectIn(value)
  const who = CALLERS.find((one) => one === named)
  if (!isAddress(address) || who === undefined || typeof prefix !== 'string') throw new Error('not a request to a vendor')
  return { address, caller: who, prefix }
}

function fetchedIn(value: unknown): Fetched {
  const { outcome, bytes, reason, retryAfter } = objectIn(value)
  if (outcome === 'found' && bytes instanceof Uint8Array) return { outcome, bytes: new Uint8Array(bytes) }
  if (outcome === 'not-found') return { outcome }
  return { outcome: 'unavailable', reason: String(reason), ...(typeof retryAfter === 'number' ? { retryAfter } : {}) }
}

const objectIn = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {})
