import type { CollateralStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { admitCollateral } from '../verifiers/admission.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import type { Vendor } from './source.ts'

/** A document that is kept fresh from the start. */
export type Standing = {
  readonly address: CollateralAddress
  /** `required`: without a valid one the service is not ready. */
  readonly needed: 'required' | 'wanted'
  /** Seconds after its end for which it does not make the service unready: the longest grace of any policy in use. */
  readonly graceSeconds: number
}

/** What this room is given by whoever assembles it. */
export type CollateralDeps = {
  readonly anchors: Anchors
  readonly store: CollateralStore
  readonly vendor: Vendor
  readonly now: () => Date
  readonly log: Telemetry
  /**
   * Dated documents that are fetched at the start and kept fresh, whether somebody asks for them or not. Asked again whenever readiness is:
   * which of them are needed, and for how long, follows the policies. One that was not named at the start is not looked after.
   */
  readonly standing: () => readonly Standing[]
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
