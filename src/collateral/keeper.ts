import type { CollateralStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { Anchors } from '../verifiers/verifier.ts'
import type { CollateralService } from './service.ts'
import type { Vendor } from './source.ts'

export type CollateralDeps = {
  readonly anchors: Anchors
  readonly store: CollateralStore
  readonly vendor: Vendor
  readonly now: () => Date
  readonly log: Telemetry
  /** `required`: without a valid list of each endpoint the service is not ready (some policy says `require`). */
  readonly lists: 'required' | 'wanted'
  /** Products whose lists are kept fresh; all by default. */
  readonly products?: readonly SnpProduct[]
}

/** Vendor documents from memory, the store or the vendor. */
export function createCollateralService(_deps: CollateralDeps): CollateralService {
  throw new Error('not yet')
}
