import { genuineOnly, type IntelRigour, type Rigour } from '../verifiers/verifier.ts'
import type { AppraisalPolicy } from './policy.ts'

/** The choices of a policy that the verifiers need, because they decide whether evidence counts as genuine. */
export const rigourOf = ({ snp, tdx, sgx }: AppraisalPolicy): Rigour => ({
  snp: {
    revocation: snp.crl.mode,
    crlGraceSeconds: snp.crl.grace_seconds,
    skewSeconds: snp.crl.skew_seconds,
    maskedChipId: snp.masked_chip_id,
  },
  tdx: { ...datesOf(tdx), replayedRtmrs: tdx.event_log.replayed_rtmrs },
  sgx: datesOf(sgx),
  tpm: genuineOnly.tpm,
})

type Dates = Pick<AppraisalPolicy['sgx'], 'collateral_grace_seconds' | 'skew_seconds'>

const datesOf = (policy: Dates): IntelRigour => ({
  collateralGraceSeconds: policy.collateral_grace_seconds,
  skewSeconds: policy.skew_seconds,
})
