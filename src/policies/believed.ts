import { AttestationError } from '../verifiers/problems.ts'
import type { Collection, DocumentStore } from '../stores/stores.ts'

/** The store shows an older state, or one that somebody else made: from now on nothing counts that it says, or said before. */
export class NotBelieved extends AttestationError {}

/** What changes with every change of the collection. Throws {@link NotBelieved}; rejects otherwise when the store gives no answer. */
export async function revisionOf(store: DocumentStore, collection: Collection): Promise<string> {
  const revision = await store.revision(collection)
  if (revision !== undefined) return revision
  throw new NotBelieved('not-ready', 'the store of operators’ documents was changed by somebody else, or put back', { retryAfter: 30 })
}
