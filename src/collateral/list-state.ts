import { higherMark, isOlder, type KnownMark } from '../stores/marks.ts'
import type { StoredDocument } from '../stores/stores.ts'
import type { CollateralAddress, RollbackMark } from '../verifiers/verifier.ts'

/** All that is known of one revocation list; changed only by what looks after it. */
export type List = {
  readonly address: CollateralAddress
  /** The newest genuine list. */
  document: StoredDocument | undefined
  /** What the vendor last answered, if it was refused; untrusted. */
  rejected: Uint8Array | undefined
  /** The mark of the list in `document`, which is the highest that was used here. */
  seen: KnownMark | undefined
  /** What the store said; undefined while it has never answered. */
  stored: { readonly mark: RollbackMark | undefined } | undefined
  next: Date
  failures: number
  trouble: string | undefined
}

/** A list of which nothing is known, due at once. */
export const createList = (address: CollateralAddress): List => ({
  address,
  document: undefined,
  rejected: undefined,
  seen: undefined,
  stored: undefined,
  next: new Date(0),
  failures: 0,
  trouble: undefined,
})

/** The mark that counts: the higher of what was used here and what the store knows. A store that has never answered may know anything. */
export function markOf({ seen, stored }: List): RollbackMark | undefined {
  if (stored === undefined || stored.mark === 'strictest') return 'strictest'
  if (seen === undefined || stored.mark === undefined) return seen ?? stored.mark
  return higherMark(seen, stored.mark)
}

/** Whether a list is held that is older than one which was seen anywhere: it would be refused as rolled back. */
export function isBehind(list: List): boolean {
  const mark = markOf(list)
  return list.seen !== undefined && mark !== undefined && mark !== 'strictest' && isOlder(list.seen, mark)
}

/** Whether the store has answered, but does not know the mark of the list that is used here. */
export function isUnsaved({ seen, stored }: List): boolean {
  if (seen === undefined || stored === undefined || stored.mark === 'strictest') return false
  return stored.mark === undefined || isOlder(stored.mark, seen)
}
