import type { ActivePolicy } from '../appraisal/policy-set.ts'

/** Algorithms that a token may be signed with; ES256 is the only one until key life cycles arrive. */
export type TokenAlgorithm = 'ES256'

/** Who tokens are for, as configured; one token has one audience (design section 3, Who decides). */
export type Audience = {
  readonly name: string
  /** Names of the policies that may judge for this audience; the first is the default. */
  readonly policies: readonly string[]
  readonly profile: 'lean'
  readonly alg: TokenAlgorithm
  /** Whether attesters may bring a nonce of the relying party (the policy must allow it, too). */
  readonly relyingPartyNonce: 'refuse' | 'allow'
}

/** The configured audiences. */
export type Audiences = {
  readonly all: readonly Audience[]
  /** Which audience and policy a request means. Throws `audience-not-allowed`. An omitted audience is `default`. */
  readonly resolve: (audience: string | undefined, policy: string | undefined) => { audience: Audience; policy: ActivePolicy }
}
