import type { TokenProfile } from '../access/audiences.ts'
import type { TokenParts } from './claims.ts'
import { earClaims, earVeraisonClaims, type EarIdentity } from './ear.ts'
import { leanClaims } from './lean.ts'

/** How an appraisal is told. */
type Profile = {
  /** In the header, in production (design section 4). */
  readonly typ: 'JWT' | 'eat+jwt'
  /** Characters that a token may have. */
  readonly maxToken: number
  /** The claims as JSON, all of one appraisal. */
  readonly render: (parts: TokenParts, identity: EarIdentity) => string
}

/** Under 4 KiB, so that a token fits into a header everywhere (tokens.md C5). */
const LEAN = 4095

/** Under the 8 KiB that one line of headers may have in most servers, with `Authorization: Bearer ` in front (tokens.md C5). */
const EAR = 8000

/** Every profile. All are rendered from one appraisal, so none can disagree with another. */
export const PROFILES = {
  lean: { typ: 'JWT', maxToken: LEAN, render: leanClaims },
  ear: { typ: 'eat+jwt', maxToken: EAR, render: earClaims },
  'ear-veraison': { typ: 'eat+jwt', maxToken: EAR, render: earVeraisonClaims },
} as const satisfies Record<TokenProfile, Profile>
