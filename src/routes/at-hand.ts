import type { Obtained } from '../collateral/service.ts'
import type { CollateralAddress, Rigour } from '../verifiers/verifier.ts'

/** What evidence needs and what was obtained of it. */
export type AtHand = {
  readonly needs: readonly CollateralAddress[]
  readonly obtained: Obtained
  readonly rigour: Rigour
  readonly now: Date
}

/** A token needs 30 s of validity left (design section 4); the rest is for verifying meanwhile. */
const MARGIN_SECONDS = 60

/** Whether the verdict may be `undecided` for want of a usable vendor document: one is missing, about to expire, or its mark is unreadable. */
export function mayBeUndecided({ needs, obtained, rigour, now }: AtHand): boolean {
  const { missing, marks } = obtained.collateral
  const soon = now.getTime() + (MARGIN_SECONDS - rigour.snp.crlGraceSeconds) * 1000
  return needs.some((address) => {
    const expiresAt = obtained.expiresAt.get(address)
    const expiring = expiresAt !== undefined && expiresAt.getTime() < soon
    return missing.get(address) === 'unavailable' || expiring || marks.get(address) === 'strictest'
  })
}
