import type { EvidenceType } from '../verifiers/verifier.ts'
import { json, type Handler } from './call.ts'

/** Short enough that a new key is known everywhere soon after it is published (specification tokens.md C5); public, also to browsers. */
const CACHE = { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' }

/** A type without a row here does not compile. */
const EVIDENCE_TYPES = { snp: 'snp', tdx: 'tdx', sgx: 'sgx', tpm: 'tpm', tsm: 'tsm' } as const satisfies Record<EvidenceType, string>

const CLAIMS = ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'eat_profile', 'eat_nonce', 'freshness', 'cnf', 'host_id'] as const
const MORE_CLAIMS = ['submods', 'tcb', 'collateral', 'evidence_digest', 'dbgstat', 'hwmodel'] as const

/** GET /.well-known/jwks.json */
export const jwks: Handler = (_call, services) => json(200, services.tokens.jwks(), CACHE)

/** GET /.well-known/openid-configuration: enough for a relying party that treats us as an OpenID provider (specification tokens.md C5). */
export const openidConfiguration: Handler = (_call, { issuer, tokens }) =>
  json(
    200,
    {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: tokens.algorithms,
      subject_types_supported: ['public'],
      response_types_supported: ['id_token'],
      claims_supported: [...CLAIMS, ...MORE_CLAIMS],
      attestation_endpoint: `${issuer}/v1/appraisals`,
      nonce_endpoint: `${issuer}/v1/challenges`,
      token_profiles_supported: ['lean'],
      evidence_types_supported: Object.values(EVIDENCE_TYPES),
    },
    CACHE,
  )
