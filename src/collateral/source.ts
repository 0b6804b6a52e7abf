import type { CollateralAddress } from '../verifiers/verifier.ts'

/** What a vendor answered for one address. Bytes are untrusted. `retryAfter` is in seconds; `quiet`: nobody was asked, as the operator decided. */
export type Fetched =
  | { readonly outcome: 'found'; readonly bytes: Uint8Array }
  | { readonly outcome: 'not-found' }
  | { readonly outcome: 'unavailable'; readonly reason: string; readonly retryAfter?: number; readonly quiet?: true }

/** Asks a vendor once; never throws, never waits longer than its own limit. */
export type VendorClient = { readonly fetch: (address: CollateralAddress) => Promise<Fetched> }

/** Whose budget a fetch uses: `background` is the service's own refreshing of dated documents. */
export type FetchCaller = 'anonymous' | 'authenticated' | 'background'

/** A fetch with who pays for it. */
export type FetchRequest = { readonly address: CollateralAddress; readonly caller: FetchCaller; readonly prefix: string }

/** A vendor behind budgets, single flight and the memory of what does not exist. */
export type Vendor = { readonly fetch: (request: FetchRequest) => Promise<Fetched> }
