import type { Trustworthiness } from '../appraisal/appraisal.ts'
import { claimsOfAll, fitting, judgementOf, namedClaims, submodsOf, type TokenParts } from './claims.ts'

/** Names the profile `lean` (specification tokens.md C7). */
const LEAN_PROFILE = 'urn:assay:token:lean:1'

/** The claims of profile `lean` as JSON (design section 4, tokens.md C7). */
export const leanClaims = (parts: TokenParts): string =>
  fitting(parts.room, (detail) => ({
    ...claimsOfAll(parts, LEAN_PROFILE),
    submods: submodsOf(parts, (item) => ({
      status: item.status,
      trustworthiness: claimed(item.trustworthiness),
      ...judgementOf(parts, item),
      assay: namedClaims(item, detail),
    })),
  }))

/** AR4SI: 0 is "no claim is made", which is what absence says, too. */
const claimed = (vector: Trustworthiness): object => Object.fromEntries(Object.entries(vector).filter(([, value]) => value !== 0))
