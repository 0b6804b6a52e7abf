import type { CollateralStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { admitCollateral } from '../verifiers/admission.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { Anchors } from '../verifiers/verifier.ts'
import type { Vendor } from './source.ts'

/** What this room is given by whoever assembles it. */
export type CollateralDeps = {
  readonly anchors: Anchors
  readonly store: CollateralStore
  readonly vendor: Vendor
  readonly now: () => Date
  readonly log: Telemetry
  /** `required`: without a valid list of each endpoint the service is not ready (some policy says `require`). */
  readonly lists: 'required' | 'wanted'
  /** Seconds after its end for which a list does not make the service unready: the longest grace of any policy. 0 by default. */
  readonly graceSeconds?: number
  /** Products whose lists are kept fresh; all by default. */
  readonly products?: readonly SnpProduct[]
  /** In [0, 1), for the spread of refreshes. */
  readonly random?: () => number
  /** Proves that a document is what its address names; `admitCollateral` by default. */
  readonly admit?: typeof admitCollateral
}

/** Dependencies with every choice made. */
export type Deps = Required<Pick<CollateralDeps, 'random' | 'admit'>> & CollateralDeps

/** One document, or why there is none. `retryAfter` is in seconds. */
export type Answer =
  | { readonly bytes: Uint8Array; readonly fetchedAt: Date; readonly expiresAt: Date }
  | { readonly missing: 'not-found' | 'unavailable'; readonly retryAfter?: number }

/** What an error says in a log: the code and where, never bytes. */
export const reason = (error: unknown): string => {
  if (error instanceof AttestationError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : 'unknown'
}
