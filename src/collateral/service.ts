import type { Collateral, CollateralAddress, Unverified } from '../verifiers/verifier.ts'
import type { DocumentKind } from './address.ts'

/** Who asks for collateral, and what pays for a fetch (design section 7). */
export type CollateralRequest = {
  readonly needs: readonly CollateralAddress[]
  /** Documents that are handed out where they are at hand and valid; nothing is fetched for them, and none of them is ever missing. */
  readonly wants?: readonly CollateralAddress[]
  /** Address prefix of the caller; one prefix holds one fetch at a time. */
  readonly prefix: string
  readonly caller: 'anonymous' | 'authenticated'
  /** Asked once before the first fetch: whether the caller's unspent challenge pays for this set (`sha256` hex over the sorted needs). Absent: no fetch. */
  readonly pay?: (needsDigest: string) => Promise<boolean>
}

/** What was obtained; whatever is not there is named in `collateral.missing`. */
export type Obtained = {
  readonly collateral: Collateral
  readonly fetchedAt: ReadonlyMap<CollateralAddress, Date>
  /** When the vendor says that each document ends. */
  readonly expiresAt: ReadonlyMap<CollateralAddress, Date>
  /** Seconds after which a missing document may be there; undefined when nothing is missing. */
  readonly retryAfter: number | undefined
}

/** One object of GET /v1/collateral. Times are RFC 3339. */
export type CollateralStatus = {
  readonly address: CollateralAddress
  readonly kind: DocumentKind
  readonly fetched_at: string
  readonly expires_at: string
  readonly next_refresh: string | null
  readonly state: 'fresh' | 'expired'
}

/** Vendor documents: from memory, the store, or the vendor. Never throws for a document that cannot be had. */
export type CollateralService = {
  readonly obtain: (request: CollateralRequest) => Promise<Obtained>
  /**
   * For evidence whose verification passed: keeps the documents that came with it, each verified for its address first, and from now on
   * keeps fresh the dated documents that such evidence needs and wants.
   */
  readonly remember: (evidence: Pick<Unverified, 'needs' | 'wants' | 'offers'>) => Promise<void>
  readonly status: () => Promise<readonly CollateralStatus[]>
  /** Why the service cannot yet decide, in words, for /readyz. Empty when it can. */
  readonly problems: () => Promise<readonly string[]>
  /** First fetch of the standing documents, and the refresh of dated ones in the background. */
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}
