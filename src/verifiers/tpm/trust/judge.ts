import { failed } from '../../checks.ts'
import type { Anchors, CollateralAddress, Reading } from '../../verifier.ts'
import type { TrustInput, TrustJudgement } from './input.ts'

/** Does what the policy accepts vouch for the attestation key? (specification tpm.md section 6, TPM-18 to TPM-24, TPM-31). Never throws. */
export function judgeTrust(_input: TrustInput): TrustJudgement {
  const rule = {
    id: 'TPM-18',
    title: 'The attestation key is trusted',
    code: 'tpm-ak-untrusted',
    expected: 'a model that the policy accepts',
  } as const
  return { checks: [failed(rule, 'nothing vouches for it')] }
}

/** The revocation lists of the authorities of a chain, as far as the operator configured where they are had. */
export const trustNeeds = (_certificates: readonly Uint8Array[], _anchors: Anchors, _reading?: Reading): readonly CollateralAddress[] => []
