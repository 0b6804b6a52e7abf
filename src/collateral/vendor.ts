import { LRUCache } from 'lru-cache'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { type Budget, createBudget } from './budget.ts'
import type { Fetched, FetchRequest, Vendor, VendorClient } from './source.ts'

export type VendorOptions = {
  readonly client: VendorClient
  /** Tokens at once and milliseconds for one more; 4 and 10,000 by default. */
  readonly burst?: number
  readonly refillMs?: number
  /** Documents that the service may fetch on its own at once, when it starts; no caller can spend these. */
  readonly backgroundBurst?: number
  /** Monotonic milliseconds. */
  readonly clock?: () => number
}

/** How long an address that the vendor does not know is not asked for again, and how many such addresses are remembered (design section 7). */
const NOT_FOUND = { ttl: 600_000, max: 10_000 } as const
/** How long a failed address is left alone, in milliseconds. */
const FAILED = { ttl: 10_000, max: 10_000 } as const
/** The revocation lists of three products of AMD's at two endpoints. */
const BACKGROUND_BURST = 6
/** A vendor that may not be asked is looked at again after this many seconds: somebody may have imported what it would give. */
const OFFLINE_PAUSE = 3600

type State = {
  readonly client: VendorClient
  readonly callers: Budget
  readonly background: Budget
  readonly notFound: LRUCache<CollateralAddress, true>
  readonly failed: LRUCache<CollateralAddress, Fetched>
  readonly underWay: Map<CollateralAddress, Promise<Fetched>>
  readonly busyPrefixes: Set<string>
}

/**
 * Stands between requests and one vendor host: a budget, one request for concurrent misses of an address, one fetch at a time for
 * each caller prefix, and a memory of what the vendor does not have. Answers at once when a fetch cannot be made now.
 */
export function createVendor(options: VendorOptions): Vendor {
  const { client, burst = 4, refillMs = 10_000, backgroundBurst = BACKGROUND_BURST, clock = () => performance.now() } = options
  const perf = { now: clock }
  const state: State = {
    client,
    callers: createBudget({ burst, refillMs, clock }),
    background: createBudget({ burst: backgroundBurst, refillMs, clock }),
    notFound: new LRUCache({ ...NOT_FOUND, perf, ttlResolution: 0 }),
    failed: new LRUCache({ ...FAILED, perf, ttlResolution: 0 }),
    underWay: new Map(),
    busyPrefixes: new Set(),
  }
  return {
    fetch: async (request) => remembered(state, request) ?? state.underWay.get(request.address) ?? admitted(state, request),
  }
}

/** No network: whatever is not kept is unavailable. */
export const offlineVendor: Vendor = {
  fetch: async ({ caller }) => ({
    outcome: 'unavailable',
    reason: 'no vendor may be asked',
    quiet: true,
    ...(caller === 'background' ? { retryAfter: OFFLINE_PAUSE } : {}),
  }),
}

function remembered(state: State, { address, caller }: FetchRequest): Fetched | undefined {
  if (state.notFound.get(address) === true) return { outcome: 'not-found' }
  const failed = caller === 'background' ? undefined : state.failed.get(address)
  if (failed?.outcome !== 'unavailable') return undefined
  const left = Math.max(1, Math.ceil(state.failed.getRemainingTTL(address) / 1000))
  return { ...failed, retryAfter: Math.max(left, failed.retryAfter ?? 0) }
}

/** Starts a fetch if prefix and budget allow one; nothing here waits. */
function admitted(state: State, request: FetchRequest): Fetched | Promise<Fetched> {
  const held = request.caller === 'background' ? undefined : request.prefix
  if (held !== undefined && state.busyPrefixes.has(held))
    return { outcome: 'unavailable', reason: 'another fetch for this address prefix is under way', retryAfter: 2 }
  const grant = request.caller === 'background' ? state.background.take('authenticated') : state.callers.take(request.caller)
  if (grant.granted === 'no') return { outcome: 'unavailable', reason: 'the budget of this vendor is spent', retryAfter: grant.retryAfter }
  if (held !== undefined) state.busyPrefixes.add(held)
  const answer = fetched(state, request.address).finally(() => {
    state.underWay.delete(request.address)
    if (held !== undefined) state.busyPrefixes.delete(held)
  })
  state.underWay.set(request.address, answer)
  return answer
}

async function fetched(state: State, address: CollateralAddress): Promise<Fetched> {
  const answer = await state.client.fetch(address)
  if (answer.outcome === 'not-found') state.notFound.set(address, true)
  if (answer.outcome !== 'unavailable') return answer
  state.failed.set(address, answer)
  if (answer.retryAfter !== undefined) {
    state.callers.pause(answer.retryAfter)
    state.background.pause(answer.retryAfter)
  }
  return answer
}
