import type { Anchors, Collateral, Mode } from '../../verifier.ts'
import type { TrustFacts } from './facts.ts'

/** How certificates are judged: the part of a policy that both attestation keys and endorsement keys have. */
export type ChainRigour = {
  /** Tolerance for clocks, in seconds, 0 to 300. */
  readonly skewSeconds: number
  readonly revocation: 'require' | 'prefer' | 'DANGEROUSLY_OFF'
  /** Seconds for which a revocation list is still good after its nextUpdate. */
  readonly crlGraceSeconds: number
}

/** By what, beside its bytes, a chain is judged. */
export type Grounds = {
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly now: Date
  readonly mode: Mode
  readonly memo: TrustFacts
  readonly rigour: ChainRigour
}

/** Clocks may differ by five minutes at most. */
export const skewMs = ({ skewSeconds }: ChainRigour): number => Math.min(Math.max(skewSeconds, 0), 300) * 1000
