import type { SgxClaims } from '../../verifiers/tdx/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { SgxPolicy } from '../policy.ts'

/** Verified claims and what the policy says of them: all that a rule may look at. */
export type SgxCase = { readonly of: 'sgx'; readonly claims: SgxClaims; readonly policy: SgxPolicy }

/** A rule answers its questions about any enclave, also when the policy does not ask: the answer is then a skipped check. */
export type SgxRule = (subject: SgxCase) => readonly Check[]
