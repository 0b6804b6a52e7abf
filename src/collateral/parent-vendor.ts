import { type Channel, caller, serve } from '../stores/ipc.ts'
import { isAddress } from '../stores/marks.ts'
import type { Fetched, FetchCaller, Vendor } from './source.ts'

/** The name of the vendor on the channel between processes. */
const SERVICE = 'vendor'
const CALLERS: readonly FetchCaller[] = ['anonymous', 'authenticated', 'background']

/** Fetches for a child in the parent, so that all processes of a machine share one budget. */
export function serveVendor(vendor: Vendor, child: Channel): void {
  serve(child, SERVICE, {
    fetch: async (address, by, prefix) => {
      const who = CALLERS.find((c) => c === by)
      if (!isAddress(address) || who === undefined || typeof prefix !== 'string') throw new Error('not a fetch')
      return vendor.fetch({ address, caller: who, prefix })
    },
  })
}

/** The parent's vendor as a forked child sees it. Rejects with `not-ready` when the parent is gone. */
export function parentVendor(channel: Channel): Vendor {
  const call = caller(channel, SERVICE)
  return { fetch: async ({ address, caller: by, prefix }) => fetchedIn(await call('fetch', address, by, prefix)) }
}

/** Anything that is not an answer counts as none. */
function fetchedIn(value: unknown): Fetched {
  const answer = membersOf(value)
  const { outcome, bytes } = answer
  if (outcome === 'found' && bytes instanceof Uint8Array) return { outcome, bytes: new Uint8Array(bytes) }
  return outcome === 'not-found' ? { outcome } : unavailableIn(answer)
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {})

const unavailableIn = ({ reason, retryAfter, quiet }: Readonly<Record<string, unknown>>): Fetched => ({
  outcome: 'unavailable',
  reason: typeof reason === 'string' ? reason : 'no answer',
  ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
  ...(quiet === true ? { quiet } : {}),
})
