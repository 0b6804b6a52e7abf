/** Shortest time between two fetches of one document, in milliseconds: most are valid for weeks, and one that is not must not become a loop. */
const SHORTEST = 60_000
/** First and longest pause after failures, in milliseconds. */
const BACKOFF = { first: 10_000, longest: 600_000 } as const

/** What decides when a document is fetched again. `random` is in [0, 1); `longest`: milliseconds of its validity that count. */
type Spread = { readonly random: number; readonly longest: number }

/** When a document is fetched again: at half of its validity from the fetch on, up to a tenth earlier, so that replicas do not ask together. */
export function nextRefresh(document: { fetchedAt: Date; expiresAt: Date }, { random, longest }: Spread): Date {
  const half = Math.min(longest, document.expiresAt.getTime() - document.fetchedAt.getTime()) / 2
  return new Date(document.fetchedAt.getTime() + Math.max(SHORTEST, half * (1 - random / 10)))
}

/** When a failed fetch is tried again: doubling pauses with a spread of a tenth, never before the vendor allows it. `failures` counts from 1. */
export function nextTry(now: Date, failures: number, { random, retryAfter = 0 }: { random: number; retryAfter?: number }): Date {
  const pause = Math.min(BACKOFF.longest, BACKOFF.first * 2 ** Math.min(failures - 1, 20))
  return new Date(now.getTime() + Math.max(pause * (1 + random / 10), retryAfter * 1000))
}
