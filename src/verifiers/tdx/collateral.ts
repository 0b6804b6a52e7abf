import type { CollateralInput, CollateralJudgement } from './collateral-input.ts'

/**
 * Judges the collateral and the TCB of a quote that is proven (specification tdx.md section 5, steps 4 to 9). Never throws AttestationError.
 * Compares only, where these documents were seen before.
 */
export function judgeCollateral(_input: CollateralInput): CollateralJudgement {
  return { checks: [], undecided: 'collateral-unavailable' }
}
