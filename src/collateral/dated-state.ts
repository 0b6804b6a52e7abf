import { higherMark, isOlder, type KnownMark } from '../stores/marks.ts'
import type { StoredDocument } from '../stores/stores.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'

/** All that is known of one dated document; changed only by what looks after it. */
export type Dated = {
  readonly address: CollateralAddress
  /** The newest genuine document. */
  document: StoredDocument | undefined
  /** What the vendor last answered, if it was refused; untrusted. */
  rejected: Uint8Array | undefined
  /** The mark of `document`, which is the highest that was used here. */
  seen: KnownMark | undefined
  /** What the store said; undefined while it has never answered. */
  stored: { readonly mark: RollbackMark | undefined } | undefined
  /** When the store was last asked. */
  readAt: Date
  next: Date
  failures: number
  trouble: string | undefined
  /** Whether it is refreshed in the background. */
  followed: boolean
}

/** Earlier than any date that counts. */
export const LONG_AGO = new Date(0)

/** A document of which nothing is known, due at once. */
export const createDated = (address: CollateralAddress, followed: boolean): Dated => ({
  address,
  document: undefined,
  rejected: undefined,
  seen: undefined,
  stored: undefined,
  readAt: LONG_AGO,
  next: LONG_AGO,
  failures: 0,
  trouble: undefined,
  followed,
})

/** The mark that counts: the higher of what was used here and what the store knows. A store that has never answered may know anything. */
export function markOf({ seen, stored }: Dated): RollbackMark | undefined {
  if (stored === undefined || stored.mark === 'strictest') return 'strictest'
  if (seen === undefined || stored.mark === undefined) return seen ?? stored.mark
  return higherMark(seen, stored.mark)
}

/** Whether a document is held that is older than one which was seen anywhere: it would be refused as rolled back. */
export function isBehind(dated: Dated): boolean {
  const mark = markOf(dated)
  return dated.seen !== undefined && mark !== undefined && mark !== 'strictest' && isOlder(dated.seen, mark)
}

/** Whether the store has answered, but does not know the mark of the document that is used here. */
export function isUnsaved({ seen, stored }: Dated): boolean {
  if (seen === undefined || stored === undefined || stored.mark === 'strictest') return false
  return stored.mark === undefined || isOlder(stored.mark, seen)
}

/** The document, if it has not ended and no newer one was seen. */
export const validAt = (dated: Dated, now: Date): StoredDocument | undefined =>
  dated.document !== undefined && dated.document.expiresAt > now && !isBehind(dated) ? dated.document : undefined
