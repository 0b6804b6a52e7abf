import type { EvidenceType } from '../verifiers/verifier.ts'
import type { TokenProfile } from '../access/audiences.ts'
import { json, type Handler } from './call.ts'

/** Public, also to browsers. A new key is published for twice as long as this allows before it signs (specification tokens.md C5). */
const cacheable = (seconds: number) => ({ 'cache-control': `public, max-age=${seconds}`, 'access-control-allow-origin': '*' })

/** What may lack a key that another replica has published must not outlive the moment. */
const UNCACHED = { 'cache-control': 'no-store', 'access-control-allow-origin': '*' }

/** A type without a row here does not compile. */
const EVIDENCE_TYPES = { snp: 'snp', tdx: 'tdx', sgx: 'sgx', tpm: 'tpm', tsm: 'tsm' } as const satisfies Record<EvidenceType, string>

const CLAIMS = ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'eat_profile', 'eat_nonce', 'freshness', 'cnf', 'host_id'] as const
const MORE_CLAIMS = ['groups', 'submods', 'tcb', 'collateral', 'evidence_digest', 'dbgstat', 'hwmodel', 'demo'] as const
const COMMON_CLAIMS = [...CLAIMS, ...MORE_CLAIMS] as const

/** GET /.well-known/jwks.json */
export const jwks: Handler = (_call, { tokens, jwksMaxAgeSeconds }) => {
  const { keys, areCurrent } = tokens.jwks()
  return json(200, { keys }, areCurrent ? cacheable(jwksMaxAgeSeconds) : UNCACHED)
}

/** Claims of the EAR profiles alone. */
const EAR_CLAIMS = ['ear_verifier_id', 'ear_status'] as const
const VERAISON_CLAIMS = ['ear.verifier-id'] as const

/** A profile without a row here does not compile. */
const CLAIMS_OF = {
  lean: COMMON_CLAIMS,
  ear: [...COMMON_CLAIMS, ...EAR_CLAIMS],
  'ear-veraison': [...COMMON_CLAIMS, ...VERAISON_CLAIMS],
} as const satisfies Record<TokenProfile, readonly string[]>

/** GET /.well-known/openid-configuration: enough for a relying party that treats us as an OpenID provider (specification tokens.md C5). */
export const openidConfiguration: Handler = (_call, { issuer, tokens, audiences, jwksMaxAgeSeconds }) => {
  const profiles = [...new Set(audiences.all.map(({ profile }) => profile))]
  return json(
    200,
    {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: tokens.algorithms,
      subject_types_supported: ['public'],
      response_types_supported: ['id_token'],
      claims_supported: [...new Set(profiles.flatMap((profile) => CLAIMS_OF[profile]))],
      attestation_endpoint: `${issuer}/v1/appraisals`,
      nonce_endpoint: `${issuer}/v1/challenges`,
      token_profiles_supported: profiles,
      evidence_types_supported: Object.values(EVIDENCE_TYPES),
    },
    cacheable(jwksMaxAgeSeconds),
  )
}
