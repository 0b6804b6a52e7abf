import type { CollateralStore } from '../stores/stores.ts'
import type { Anchors } from '../verifiers/verifier.ts'
import type { Bundle } from './bundle.ts'

/** What became of one item of an imported bundle. */
export type Imported = { readonly name: string; readonly outcome: 'stored' | 'older' | 'refused' | 'ignored'; readonly detail: string }

/** The text of a bundle with every document of a store. */
export async function exportBundle(_store: CollateralStore): Promise<string> {
  throw new Error('not yet')
}

/** Puts the items of a bundle that prove genuine into a store. */
export async function importBundle(
  _bundle: Bundle,
  _to: { store: CollateralStore; anchors: Anchors; now: Date },
): Promise<readonly Imported[]> {
  throw new Error('not yet')
}
