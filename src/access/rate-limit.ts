import { LRUCache } from 'lru-cache'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { AttestationError } from '../verifiers/problems.ts'

/** Counts requests by whoever has one allowance: an address prefix (/24 for IPv4, /56 for IPv6), or a caller who is known. */
export type RateLimits = {
  /** Takes one request from an allowance. Throws `rate-limited` with the seconds to wait. */
  readonly take: (from: string) => Promise<void>
  /** Throws the same where nothing is left of an allowance, and takes nothing. */
  readonly check: (of: string) => Promise<void>
}

/** So many requests in so many seconds, for each. */
export type Allowance = {
  readonly requests: number
  readonly seconds: number
  /** Allowances that are remembered at once; the one longest unused is forgotten first. */
  readonly known?: number
}

/** About 30 MB when all are in use; whoever has more networks than this is not held by a limit per network. */
const DEFAULT_KNOWN = 100_000

/** Allowances in the memory of this process: with several processes or replicas each has its own. */
export function createRateLimits(allowance: Allowance): RateLimits {
  const limiter = new RateLimiterMemory({ points: allowance.requests, duration: allowance.seconds })
  const known = new LRUCache<string, true>({
    max: allowance.known ?? DEFAULT_KNOWN,
    dispose: (_, name, reason) => {
      if (reason === 'evict') void limiter.delete(name)
    },
  })
  return {
    take: async (from) => {
      known.set(from, true)
      try {
        await limiter.consume(from)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        throw limited(error)
      }
    },
    check: async (of) => {
      const used = await limiter.get(of)
      if (used !== null && used.consumedPoints >= allowance.requests) throw limited(used)
    },
  }
}

const limited = ({ msBeforeNext }: RateLimiterRes): AttestationError =>
  new AttestationError('rate-limited', 'too many requests from this network or caller', {
    retryAfter: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  })
