import type { Vendor, VendorClient } from './source.ts'

export type VendorOptions = {
  readonly client: VendorClient
  /** Tokens at once and milliseconds for one more; 4 and 10,000 by default. */
  readonly burst?: number
  readonly refillMs?: number
  /** Monotonic milliseconds. */
  readonly clock?: () => number
}

/** Budget per vendor host, single flight per address, one fetch per caller prefix, 404 remembered for ten minutes. */
export function createVendor(_options: VendorOptions): Vendor {
  throw new Error('not yet')
}

/** No network: whatever is not kept is unavailable. */
export const offlineVendor: Vendor = { fetch: async () => ({ outcome: 'unavailable', reason: 'no vendor may be asked' }) }
