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
  return needs.some((address) => {
    const soon = now.getTime() + (MARGIN_SECONDS - graceSeconds(address, rigour)) * 1000
    const expiresAt = obtained.expiresAt.get(address)
    const expiring = expiresAt !== undefined && expiresAt.getTime() < soon
    return leavesUndecided(address, missing.get(address)) || expiring || marks.get(address) === 'strictest'
  })
}

const isTpms = (address: CollateralAddress): boolean => address.startsWith('tpm/')
const isIntels = (address: CollateralAddress): boolean => address.startsWith('intel/')

/**
 * A chip for which AMD has no certificate is not genuine; without a document of Intel's or a revocation list of a TPM's maker nothing is
 * known, even where they say that there is none (specifications tdx.md TDX-88, tpm.md TPM-23).
 */
const leavesUndecided = (address: CollateralAddress, missing: 'not-found' | 'unavailable' | undefined): boolean =>
  missing === 'unavailable' || (missing === 'not-found' && (isIntels(address) || isTpms(address)))

/** Of the two kinds of Intel's quotes the shorter: to spend a challenge late costs less than to spend it in vain. */
function graceSeconds(address: CollateralAddress, { snp, tdx, sgx, tpm }: Rigour): number {
  if (isIntels(address)) return Math.min(tdx.collateralGraceSeconds, sgx.collateralGraceSeconds)
  return isTpms(address) ? tpm.crlGraceSeconds : snp.crlGraceSeconds
}
