import type { AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'

/** One item for AMD; binary decoded. Items of other vendors are kept as they came. */
export type BundleItem =
  | { readonly kind: 'amd-certificate'; readonly der: Uint8Array }
  | { readonly kind: 'amd-crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint; readonly der: Uint8Array }
  | { readonly kind: 'other'; readonly item: Readonly<Record<string, unknown>> }

/** A collateral bundle, `assay-collateral/1` (design section 6). Its items are untrusted. */
export type Bundle = { readonly items: readonly BundleItem[] }

/** What bundles hold, by address for the verifier. */
export type BundledCollateral = {
  readonly documents: ReadonlyMap<CollateralAddress, Uint8Array>
  /** Every `amd-certificate` item in DER: where test anchors find their intermediates. */
  readonly certificates: readonly Uint8Array[]
}

/** Reads the text of a bundle. Throws BundleError with every problem. */
export function readBundle(_text: string): Bundle {
  throw new Error('not yet')
}

/** The documents of bundles by address. */
export async function collateralFromBundles(_bundles: readonly Bundle[], _anchors: Anchors, _now: Date): Promise<BundledCollateral> {
  throw new Error('not yet')
}
