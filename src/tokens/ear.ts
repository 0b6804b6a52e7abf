import { createPublicKey } from 'node:crypto'
import type { PublicJwk } from '../access/cnf.ts'
import type { ItemAppraisal, PolicyReference, Status, Trustworthiness } from '../appraisal/appraisal.ts'
import { worstStatus } from '../appraisal/verdict.ts'
import { claimsOfAll, fitting, judgementOf, namedClaims, submodsOf, type TokenParts } from './claims.ts'

/** What the EAR profiles say of the program that judged. */
export type EarIdentity = {
  /** `eat_profile` of profile `ear`; it changes with each draft of draft-ietf-rats-ear. */
  readonly profile: string
  /** Names the build of this program. */
  readonly build: string
}

/** What deployed libraries look for (tokens.md C2). */
const VERAISON_PROFILE = 'tag:github.com,2023:veraison/ear'

/** Who is responsible for the build (draft-ietf-rats-ar4si section 2.2.2). */
const DEVELOPER = 'urn:assay'

/** The claims of profile `ear` as JSON: the member names of draft-ietf-rats-ear, and our own claims in one map `assay` (tokens.md C2). */
export const earClaims = (parts: TokenParts, identity: EarIdentity): string =>
  fitting(parts.room, (detail) => ({
    ...claimsOfAll(parts, identity.profile),
    ear_verifier_id: verifierId(identity),
    ear_status: worstStatus(parts.appraisal.evidence.map(earStatus)),
    submods: submodsOf(parts, (item) => ({
      ear_status: earStatus(item),
      ear_trustworthiness_vector: item.trustworthiness,
      ear_appraisal_policy_ids: policyIds(parts),
      assay: { ...judgementOf(parts, item), ...namedClaims(item, detail) },
    })),
  }))

/**
 * The claims of profile `ear-veraison` as JSON: the member names that the libraries in use parse (tokens.md C2). A submod has none but
 * theirs, because some of them refuse others.
 */
export const earVeraisonClaims = (parts: TokenParts, identity: EarIdentity): string =>
  fitting(parts.room, (detail) => ({
    ...claimsOfAll(parts, VERAISON_PROFILE),
    'ear.verifier-id': verifierId(identity),
    submods: submodsOf(parts, (item) => ({
      'ear.status': earStatus(item),
      'ear.trustworthiness-vector': item.trustworthiness,
      'ear.appraisal-policy-id': policyIds(parts)?.[0],
      'ear.veraison.annotated-evidence': namedClaims(item, detail),
      'ear.veraison.policy-claims': judgementOf(parts, item),
      'ear.veraison.key-attestation': item.fresh && parts.cnf !== undefined ? keyAttestation(parts.cnf) : undefined,
    })),
  }))

const verifierId = ({ build }: EarIdentity): object => ({ developer: DEVELOPER, build })

/** Never an empty list, which the draft forbids. */
const policyIds = ({ appraisal: { policy } }: TokenParts): readonly [string] | undefined =>
  policy === null ? undefined : [policyId(policy)]

/** A policy by name, version and content; none of the three can hold a colon. */
const policyId = ({ name, version, sha256 }: PolicyReference): string => `urn:assay:policy:${name}:${version}:${sha256}`

/** SubjectPublicKeyInfo in DER, base64url without padding. */
const keyAttestation = (jwk: PublicJwk): object => ({
  akpub: createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'der' })
    .toString('base64url'),
})

/**
 * `ear_status` may be no better than the worst claim of the vector (draft-ietf-rats-ear section 3.2). Ours can be: a policy may accept hardware
 * that needs an update, of which the vector still says 32. Then EAR says `warning`, in a token that was issued all the same.
 */
const earStatus = ({ status, trustworthiness }: ItemAppraisal): Status => worstStatus([status, tierOf(trustworthiness)])

/** From which value on a tier begins (tokens.md C3); negative values are never ours. */
function tierOf(vector: Trustworthiness): Status {
  const worst = Math.max(...Object.values(vector))
  if (worst >= 96) return 'contraindicated'
  return worst >= 32 ? 'warning' : 'affirming'
}
