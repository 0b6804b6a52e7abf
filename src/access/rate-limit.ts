import { LRUCache } from 'lru-cache'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { AttestationError } from '../verifiers/problems.ts'

/** Counts requests per address prefix (/24 for IPv4, /56 for IPv6). */
export type RateLimits = {
  /** Takes one request from the prefix's allowance. Throws `rate-limited` with the seconds to wait. */
  readonly take: (prefix: string) => Promise<void>
}

/** So many requests in so many seconds, for each prefix. */
export type Allowance = {
  readonly requests: number
  readonly seconds: number
  /** Prefixes that are remembered at once; the one longest unseen is forgotten first. */
  readonly prefixes?: number
}

/** About 30 MB when all are in use; whoever has more networks than this is not held by a limit per network. */
const DEFAULT_PREFIXES = 100_000

/** Allowances in the memory of this process: with several processes or replicas each has its own. */
export function createRateLimits(allowance: Allowance): RateLimits {
  const limiter = new RateLimiterMemory({ points: allowance.requests, duration: allowance.seconds })
  const known = new LRUCache<string, true>({
    max: allowance.prefixes ?? DEFAULT_PREFIXES,
    dispose: (_, prefix, reason) => {
      if (reason === 'evict') void limiter.delete(prefix)
    },
  })
  return {
    take: async (prefix) => {
      known.set(prefix, true)
      try {
        await limiter.consume(prefix)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        throw new AttestationError('rate-limited', 'too many requests from this network', {
          retryAfter: Math.max(1, Math.ceil(error.msBeforeNext / 1000)),
        })
      }
    },
  }
}
