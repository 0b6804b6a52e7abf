import { isOlder } from '../stores/marks.ts'
import type { CollateralStore } from '../stores/stores.ts'
import { type Admitted, admitCollateral } from '../verifiers/admission.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { type Addressed, addressed, itemAt } from './bundle-address.ts'
import { type Bundle, type BundleItem, writeBundle } from './bundle.ts'
import { reason } from './deps.ts'

/** What became of one item of an imported bundle; `older`: genuine, but a newer one is known. */
export type Imported = { readonly name: string; readonly outcome: 'stored' | 'older' | 'refused' | 'ignored'; readonly detail: string }

/** Where a bundle is imported to. `admit` proves an item; `admitCollateral` by default. */
export type ImportTarget = {
  readonly store: CollateralStore
  readonly anchors: Anchors
  readonly now: Date
  readonly admit?: typeof admitCollateral
}

/** The text of a bundle with every document of a store, in the order of addresses. */
export async function exportBundle(store: CollateralStore): Promise<string> {
  const entries = (await store.list()).toSorted((a, b) => (a.address < b.address ? -1 : 1))
  const items: BundleItem[] = []
  for (const { address } of entries) {
    const document = await store.get(address)
    if (document !== undefined) items.push(...itemAt(document))
  }
  return writeBundle({ items })
}

/** Puts the items of a bundle that prove genuine into a store, one after the other, and says of each what became of it. */
export async function importBundle(bundle: Bundle, to: ImportTarget): Promise<readonly Imported[]> {
  const results: Imported[] = []
  for (const item of bundle.items) {
    const [document] = addressed(item, to.anchors)
    results.push(document === undefined ? ignored(item) : await importOne(document, to))
  }
  return results
}

/** The same for documents by address, as vendors hand them out. */
export async function importDocuments(
  documents: ReadonlyMap<CollateralAddress, Uint8Array>,
  to: ImportTarget,
): Promise<readonly Imported[]> {
  const results: Imported[] = []
  for (const [address, bytes] of documents) results.push(await importOne({ address, bytes }, to))
  return results
}

const ignored = (item: BundleItem): Imported => ({
  name: item.kind,
  outcome: 'ignored',
  detail: IGNORED[item.kind],
})

const IGNORED: Readonly<Record<BundleItem['kind'], string>> = {
  'amd-certificate': 'not a VCEK certificate; roots and intermediates are pinned',
  'amd-crl': '',
  'intel-tcb-info': 'its text does not say for which platforms it is',
  'intel-qe-identity': 'not the identity of a quoting enclave',
  'intel-pck-crl': '',
  'intel-root-ca-crl': '',
  'tpm-certificate': 'certificates of TPM authorities are configuration (tpm.roots, tpm.certificates)',
  'tpm-crl': 'no authority for which a list is configured (tpm.crls) signed it',
}

async function importOne(document: Addressed, to: ImportTarget): Promise<Imported> {
  const name = document.address
  try {
    const admitted = await (to.admit ?? admitCollateral)(document, to.anchors, to.now)
    const hindrance = await hindranceOf(document, admitted, to.store)
    if (hindrance !== undefined) return { name, ...hindrance }
    if (admitted.mark !== undefined) await to.store.advanceMark(document.address, admitted.mark)
    await to.store.put({ ...document, fetchedAt: to.now, expiresAt: admitted.expiresAt })
    return { name, outcome: 'stored', detail: `valid until ${admitted.expiresAt.toISOString()}` }
  } catch (error) {
    return { name, outcome: 'refused', detail: reason(error) }
  }
}

/** Why a genuine document is not stored: the mark of a list forbids it, or a certificate is kept that lasts longer. */
async function hindranceOf(
  { address }: Addressed,
  { expiresAt, mark }: Admitted,
  store: CollateralStore,
): Promise<Omit<Imported, 'name'> | undefined> {
  const [seen, kept] = await Promise.all([store.mark(address), store.get(address)])
  if (seen === 'strictest') return { outcome: 'refused', detail: 'the rollback mark of this document cannot be believed' }
  if (mark !== undefined && seen !== undefined && isOlder(mark, seen)) return { outcome: 'older', detail: 'a newer one was seen before' }
  const lasts = mark === undefined && kept !== undefined && kept.expiresAt > expiresAt
  return lasts ? { outcome: 'older', detail: 'a certificate that lasts longer is kept' } : undefined
}
