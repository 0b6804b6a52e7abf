import type { PlatformClaims, QeClaims, TcbClaims, TdxClaims } from '../../verifiers/tdx/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Question } from '../check.ts'
import type { SgxPolicy, TdxPolicy } from '../policy.ts'

/** Verified claims and what the policy says of them: all that a rule may look at. */
export type TdxCase = { readonly claims: TdxClaims; readonly policy: TdxPolicy }

/** A rule answers its questions about any TD, also when the policy does not ask: the answer is then a skipped check. */
export type TdxRule = (subject: TdxCase) => readonly Check[]

/** What a TD and an enclave have in common: the platform, its TCB, and the enclave that quotes. */
export type IntelCase = {
  readonly claims: { readonly tcb: TcbClaims; readonly platform: PlatformClaims; readonly qe: QeClaims }
  readonly policy: TdxPolicy | SgxPolicy
}

/** A rule about what TDs and enclaves have in common. */
export type IntelRule = (subject: IntelCase) => readonly Check[]

/** A question of specification tdx.md section 9 to which the operator gives the answer. */
export const asked = (id: string, title: string, code: ProblemCode): Question => ({ id, title, code, origin: 'policy' })
