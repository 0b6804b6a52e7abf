import type { StoredEntry } from '../stores/stores.ts'
import { parseAddress } from './address.ts'
import type { DatedDocuments } from './dated.ts'
import type { Deps } from './deps.ts'
import type { CollateralStatus } from './service.ts'

/** Milliseconds for which one reading of the store answers everybody who asks: the listing is open to anonymous callers. */
const FRESH = 5_000

/** The listing of GET /v1/collateral, in the order of addresses. */
export function createStatus(deps: Deps, dated: DatedDocuments): () => Promise<readonly CollateralStatus[]> {
  let read: { at: number; entries: Promise<readonly StoredEntry[]> } | undefined
  const entries = (): Promise<readonly StoredEntry[]> => {
    if (read === undefined || performance.now() - read.at > FRESH) {
      const listed = deps.store.list()
      listed.catch(() => (read = undefined))
      read = { at: performance.now(), entries: listed }
    }
    return read.entries
  }
  return async () => {
    const held = new Map(dated.held().map(({ document, nextRefresh }) => [document.address, { ...document, nextRefresh }]))
    const stored = (await entries()).filter(({ address }) => !held.has(address))
    return [...stored, ...held.values()]
      .flatMap((entry) => statusOf(entry, deps.now()))
      .toSorted((a, b) => (a.address < b.address ? -1 : 1))
  }
}

function statusOf(entry: StoredEntry & { nextRefresh?: Date | null }, now: Date): CollateralStatus[] {
  const kind = parseAddress(entry.address)?.kind
  if (kind === undefined) return []
  return [
    {
      address: entry.address,
      kind,
      fetched_at: entry.fetchedAt.toISOString(),
      expires_at: entry.expiresAt.toISOString(),
      next_refresh: entry.nextRefresh?.toISOString() ?? null,
      state: entry.expiresAt > now ? 'fresh' : 'expired',
    },
  ]
}
