import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { Fetched, Vendor } from './source.ts'

/**
 * How long, in milliseconds, one answer about a list serves all processes of a machine: a process that asks later finds the list in the
 * store, and one that was told of a failure tries again after ten seconds at the earliest (schedule.ts).
 */
const SHARED = { found: 60_000, otherwise: 5_000 } as const

type Answer = { readonly fetched: Promise<Fetched>; until: number }

/**
 * Lets several processes refresh the same revocation lists as if they were one: they start together and each wants all lists, which
 * would spend the vendor's budget many times over. Fetches for requests pass untouched.
 */
export function sharingLists(vendor: Vendor, clock: () => number = () => performance.now()): Vendor {
  // Only the service's own refreshing comes here, so there are as many entries as there are lists.
  const answers = new Map<CollateralAddress, Answer>()
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
