import type { Rigour } from '../verifiers/verifier.ts'
import type { AppraisalPolicy } from './policy.ts'

/** The choices of a policy that the verifiers need, because they decide whether evidence counts as genuine. */
export const rigourOf = ({ snp }: AppraisalPolicy): Rigour => ({
  snp: {
    revocation: snp.crl.mode,
    crlGraceSeconds: snp.crl.grace_seconds,
    skewSeconds: snp.crl.skew_seconds,
    maskedChipId: snp.masked_chip_id,
  },
  tdx: { collateralGraceSeconds: 0, skewSeconds: 0, replayedRtmrs: [0, 1, 2, 3] },
  sgx: { collateralGraceSeconds: 0, skewSeconds: 0 },
})
