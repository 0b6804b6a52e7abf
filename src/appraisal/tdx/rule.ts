import type { PlatformClaims, QeClaims, TcbClaims, TdxClaims } from '../../verifiers/tdx/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { ProblemCode } from '../../verifiers/problems.ts'
import type { Question } from '../check.ts'
import type { SgxPolicy, TdxPolicy } from '../policy.ts'

/** Verified claims and what the policy says of them: all that a rule may look at. */
export type TdxCase = { readonly of: 'tdx'; readonly claims: TdxClaims; readonly policy: TdxPolicy }

/** A rule answers its questions about any TD, also when the policy does not ask: the answer is then a skipped check. */
export type TdxRule = (subject: TdxCase) => readonly Check[]

/** What a TD and an enclave have in common: the platform, its TCB, and the enclave that quotes. */
export type IntelCase = {
  /** Which section of the policy is asked. */
  readonly of: 'tdx' | 'sgx'
  readonly claims: { readonly tcb: TcbClaims; readonly platform: PlatformClaims; readonly qe: QeClaims }
  readonly policy: TdxPolicy | SgxPolicy
}

/** A rule about what TDs and enclaves have in common. */
export type IntelRule = (subject: IntelCase) => readonly Check[]

/** A question of specification tdx.md section 9 to which the operator gives the answer, under this path of the policy. */
export const asked = (id: string, title: string, [code, rule]: readonly [ProblemCode, string]): Question => ({
  id,
  title,
  code,
  origin: 'policy',
  rule,
})

/** The same question of TDs and enclaves, each with its own path. */
export type IntelQuestion = { readonly [Section in IntelCase['of']]: Question }

/** A question about what TDs and enclaves have in common; `member` is written under `tdx` or under `sgx`. */
export const askedOfBoth = (id: string, title: string, [code, member]: readonly [ProblemCode, string]): IntelQuestion => ({
  tdx: asked(id, title, [code, `tdx.${member}`]),
  sgx: asked(id, title, [code, `sgx.${member}`]),
})
