import { hash } from 'node:crypto'
import type { CollateralSummary } from '../appraisal/appraisal.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { Obtained } from './service.ts'

/** Digests of documents by object: a service hands out the same bytes for every appraisal until they are refreshed. */
const digests = new WeakMap<Uint8Array, string>()

function digestOf(bytes: Uint8Array): string {
  const known = digests.get(bytes)
  if (known !== undefined) return known
  const digest = hash('sha256', bytes)
  digests.set(bytes, digest)
  return digest
}

/** What an appraisal relied on, so that it can be replayed: SHA-256 over the sorted lines `address SP sha256(bytes) LF`. */
export function collateralSummary(obtained: Pick<Obtained, 'collateral' | 'fetchedAt' | 'expiresAt'>): CollateralSummary {
  const documents = [...obtained.collateral.documents]
  const lines = documents.map(([address, bytes]) => `${address} ${digestOf(bytes)}\n`)
  return {
    digest: hash('sha256', lines.toSorted().join('')),
    oldest_fetch: earliest(documents, obtained.fetchedAt),
    earliest_expiry: earliest(documents, obtained.expiresAt),
  }
}

function earliest(
  documents: readonly (readonly [CollateralAddress, Uint8Array])[],
  dates: ReadonlyMap<CollateralAddress, Date>,
): string | null {
  const times = documents.flatMap(([address]) => dates.get(address)?.getTime() ?? [])
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString()
}
