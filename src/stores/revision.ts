import { AttestationError } from '../verifiers/problems.ts'
import type { DocumentStore } from './stores.ts'

/** Resolves while documents can be read; rejects with `not-ready` when their head is not to be believed, and with the reason when there is no answer. */
export async function pingDocuments(documents: DocumentStore): Promise<void> {
  if ((await documents.revision('policies')) !== undefined) return
  throw new AttestationError('not-ready', 'the head of operators’ documents is not to be believed', { retryAfter: 30 })
}
