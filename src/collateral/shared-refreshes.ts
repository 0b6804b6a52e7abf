import { LRUCache } from 'lru-cache'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { Fetched, Vendor } from './source.ts'

/**
 * How long, in milliseconds, one answer serves all processes of a machine: a process that asks later finds the document in the
 * store, and one that was told of a failure tries again after ten seconds at the earliest (schedule.ts).
 */
const SHARED = { found: 60_000, otherwise: 5_000 } as const

/** Answers that are remembered at once: more than the dated documents that one process follows (dated.ts). */
const MOST_ANSWERS = 1_000

type Answer = { readonly fetched: Promise<Fetched>; until: number }

/**
 * Lets several processes refresh the same dated documents as if they were one: they start together and each wants all of them, which
 * would spend the vendor's budget many times over. Fetches for requests pass untouched.
 */
export function sharingRefreshes(vendor: Vendor, clock: () => number = () => performance.now()): Vendor {
  const answers = new LRUCache<CollateralAddress, Answer>({ max: MOST_ANSWERS })
  const ask = (request: Parameters<Vendor['fetch']>[0]): Promise<Fetched> => {
    const known = answers.get(request.address)
    if (known !== undefined && clock() < known.until) return known.fetched
    const answer: Answer = { fetched: vendor.fetch(request), until: Infinity }
    answers.set(request.address, answer)
    void answer.fetched.then(
      ({ outcome }) => (answer.until = clock() + (outcome === 'found' ? SHARED.found : SHARED.otherwise)),
      () => answers.delete(request.address),
    )
    return answer.fetched
  }
  return { fetch: async (request) => (request.caller === 'background' ? ask(request) : vendor.fetch(request)) }
}
