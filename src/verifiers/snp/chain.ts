import type { Anchors, Check, Collateral, Context } from '../verifier.ts'
import type { SnpProduct } from './claims.ts'
import type { VekFact } from './facts.ts'
import type { Report } from './report.ts'

/** What verifyEndorsement looks at. `certificates`: DER, shipped with the evidence; a fetched VCEK is taken from `collateral`. */
export type EndorsementInput = {
  readonly certificates: readonly Uint8Array[]
  readonly report: Report
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly context: Context
}

/** The outcome of SNP-22 to SNP-47: `fact` is there only when every check passed (or was allowed). */
export type Endorsement = {
  readonly checks: readonly Check[]
  readonly fact?: VekFact
  readonly product?: SnpProduct
  readonly validUntil: Date
  readonly undecided?: 'collateral-unavailable'
}

/** stub */
export function verifyEndorsement(input: EndorsementInput): Promise<Endorsement> {
  throw new Error(`not yet ${input.certificates.length}`)
}
