import type { JWK } from 'jose'
import type { Audience } from '../access/audiences.ts'
import type { Appraisal } from '../appraisal/appraisal.ts'

/** All that a token says beyond the appraisal. */
export type TokenRequest = {
  readonly appraisal: Appraisal
  readonly audience: Audience
  /** The challenge or the relying party's nonce, as posted. */
  readonly nonce: Uint8Array
  /** The key that the evidence binds: RFC 7638 members only. */
  readonly cnf?: JWK
}

/** Signs attestation results. */
export type TokenIssuer = {
  /** The signed JWT with its jti. Throws `collateral-expired` when less than 30 s of `valid_until` are left. */
  readonly issue: (request: TokenRequest) => { readonly token: string; readonly jti: string; readonly expiresAt: Date }
  /** Public keys, RFC 7517, for /.well-known/jwks.json. */
  readonly jwks: () => { readonly keys: readonly JWK[] }
  readonly algorithms: readonly string[]
}
