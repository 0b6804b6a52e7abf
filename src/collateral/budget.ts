/** Whether a fetch may be made now; otherwise the seconds after which one may. */
type Grant = { readonly granted: 'yes' } | { readonly granted: 'no'; readonly retryAfter: number }

/** What one vendor host may be asked. */
export type Budget = {
  /** Takes a token. Anonymous callers leave half of the tokens to authenticated ones (design section 7). */
  readonly take: (caller: 'anonymous' | 'authenticated') => Grant
  /** The vendor asked for a pause (429 or 503 with Retry-After): no fetch before it is over. */
  readonly pause: (seconds: number) => void
}

export type BudgetOptions = {
  /** Tokens that can be saved up. */
  readonly burst: number
  /** Milliseconds for one more token. */
  readonly refillMs: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** A token bucket. It starts full. */
export function createBudget({ burst, refillMs, clock }: BudgetOptions): Budget {
  let tokens = burst
  let at = clock()
  let pausedUntil = -Infinity
  const refill = (): void => {
    const now = clock()
    tokens = Math.min(burst, tokens + (now - at) / refillMs)
    at = now
  }
  return {
    take: (caller) => {
      refill()
      const needed = caller === 'authenticated' ? 1 : 1 + Math.floor(burst / 2)
      const wait = Math.max((needed - tokens) * refillMs, pausedUntil - at)
      if (wait > 0) return { granted: 'no', retryAfter: Math.max(1, Math.ceil(wait / 1000)) }
      tokens -= 1
      return { granted: 'yes' }
    },
    pause: (seconds) => {
      pausedUntil = Math.max(pausedUntil, clock() + seconds * 1000)
    },
  }
}
