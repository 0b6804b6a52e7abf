import type { Check } from '../../verifiers/verifier.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { SnpPolicy } from '../policy.ts'

/** Verified claims and what the policy says of them: all that a rule may look at. */
export type SnpCase = { readonly claims: SnpClaims; readonly policy: SnpPolicy }

/** A rule answers its questions about any report, also when the policy does not ask: the answer is then a skipped check. */
export type SnpRule = (subject: SnpCase) => readonly Check[]
