import { z } from 'zod'
import { PROBLEM_CODES } from '../../verifiers/problems.ts'
import type { EvidenceType } from '../../verifiers/verifier.ts'
import { time } from './fields.ts'
import { sgxClaims } from './sgx-claims.ts'
import { tpmClaims } from './tpm-claims.ts'
import { snpClaims } from './snp-claims.ts'
import { tdxClaims } from './tdx-claims.ts'

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256, lower-case hex' })
/** The closed list of codes, in rank order. */
export const code = z.enum(PROBLEM_CODES).meta({ id: 'ProblemCode', description: 'Public API: codes are added, never renamed' })
const kind = z.enum(['caller', 'malformed', 'not-genuine', 'not-acceptable', 'undecided', 'internal'])

/** One numbered check. */
export const check = z
  .strictObject({
    id: z.string().meta({ description: 'Number of the check in the specification' }),
    title: z.string(),
    outcome: z.enum(['pass', 'fail', 'warn', 'skip']),
    code: code.optional(),
    actual: z.string().optional(),
    expected: z.string().optional().meta({ description: 'Hidden from anonymous callers where the operator wrote it' }),
    origin: z.enum(['specification', 'policy']).optional(),
    rule: z.string().optional().meta({ description: 'The policy’s path to the rule; hidden like `expected`' }),
    remedy: z.string().optional(),
  })
  .meta({ id: 'Check' })

/** RFC 9457 with our members. */
export const problem = z
  .strictObject({
    type: z.url(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    instance: z.string().meta({ description: 'urn:uuid of the request; the same id as in X-Request-Id' }),
    code,
    kind,
    at: z.string().optional().meta({ description: 'The member, header or field that failed' }),
    remedy: z.string(),
    checks: z.array(check).optional(),
  })
  .meta({ id: 'Problem', description: 'A refusal; never carries a token (RFC 9457)' })

const tier = z.int().min(-128).max(127)
const trustworthiness = z
  .strictObject({
    'instance-identity': tier,
    configuration: tier,
    executables: tier,
    'file-system': tier,
    hardware: tier,
    'runtime-opaque': tier,
    'storage-opaque': tier,
    'sourced-data': tier,
  })
  .meta({ id: 'Trustworthiness', description: 'AR4SI trustworthiness vector' })
/** How good evidence is. */
export const statusWord = z.enum(['none', 'affirming', 'warning', 'contraindicated'])

const evidenceType = z.enum(['snp', 'tdx', 'sgx', 'tpm', 'tsm'] as const satisfies readonly EvidenceType[])

const item = z.strictObject({
  label: z.string(),
  type: evidenceType,
  status: statusWord,
  trustworthiness,
  fresh: z.boolean(),
  checks: z.array(check),
  claims: z.strictObject({
    snp: snpClaims.optional(),
    tdx: tdxClaims.optional(),
    sgx: sgxClaims.optional(),
    tpm: tpmClaims.optional(),
  }),
  advisories: z.array(
    z.strictObject({
      id: z.string(),
      mode: z.enum(['refuse', 'warn', 'report']).optional().meta({ description: 'For those who may read the policy' }),
      applies: z.boolean(),
      url: z.url(),
    }),
  ),
})

const reference = z.strictObject({ name: z.string(), version: z.int(), sha256 })

/** The attestation result before it becomes a token. */
export const appraisal = z
  .strictObject({
    id: z.string(),
    mode: z.enum(['production', 'demo', 'test']),
    status: statusWord,
    policy: reference.nullable(),
    reference_values: z
      .array(reference)
      .optional()
      .meta({ description: 'Versions of sets of reference values that gave the policy values; hidden like `expected`' }),
    freshness: z.enum(['challenge', 'time-boxed', 'relying-party', 'none']),
    evidence: z.array(item),
    valid_until: time,
    evidence_digest: sha256,
    collateral: z.strictObject({ digest: sha256, oldest_fetch: time.nullable(), earliest_expiry: time.nullable() }),
  })
  .meta({ id: 'Appraisal' })

/** POST /v1/challenges. */
export const challengeAnswer = z
  .strictObject({
    nonce: z.string().meta({ description: '32 bytes, standard base64 with padding', contentEncoding: 'base64' }),
    expires_at: time,
  })
  .meta({ id: 'Challenge' })
/** POST /v1/appraisals. */
export const appraisalAnswer = z
  .strictObject({
    token: z.string().meta({ description: 'JWT (RFC 7519)' }),
    appraisal,
    ima_state: z.base64().optional().meta({
      description: 'Of a TPM host whose IMA list was judged: sent with the next request, it lets the list hold only what follows',
    }),
  })
  .meta({ id: 'AppraisalAnswer' })
/** POST /v1/inspections. */
export const inspectionAnswer = z
  .strictObject({ verified: z.literal(false), inspections: z.array(z.looseObject({ type: evidenceType })) })
  .meta({ id: 'Inspection', description: 'Decoded fields; nothing of it is verified' })

const collateralObject = z.strictObject({
  address: z.string(),
  kind: z.enum(['vcek', 'crl', 'tcb-info', 'qe-identity', 'pck-crl', 'root-ca-crl', 'tpm-crl']),
  fetched_at: time,
  expires_at: time,
  next_refresh: time.nullable(),
  state: z.enum(['fresh', 'expired']),
})
const tpmAuthority = z.strictObject({
  sha256,
  authority: z.string().nullable().meta({ description: 'Whose it is; null: it only completes chains' }),
  roles: z.array(z.enum(['ak', 'ek'])),
  subject: z.string().nullable().meta({ description: 'null: only the fingerprint is known; the certificate comes with the evidence' }),
  not_after: time.nullable(),
  state: z.enum(['valid', 'ends-soon', 'ended', 'not-at-hand']),
})
/** GET /v1/collateral. */
export const collateralAnswer = z
  .strictObject({
    collateral: z.array(collateralObject),
    tpm_authorities: z.array(tpmAuthority).meta({ description: 'The configured authorities of TPM keys' }),
    withheld: z.int().meta({ description: 'Objects that name a chip, hidden from anonymous callers' }),
  })
  .meta({ id: 'CollateralList' })
/** GET /.well-known/jwks.json. */
export const jwksAnswer = z
  .strictObject({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })) })
  .meta({ id: 'Jwks', description: 'RFC 7517 key set' })
/** GET /.well-known/openid-configuration. */
export const discoveryAnswer = z
  .strictObject({
    issuer: z.url(),
    jwks_uri: z.url(),
    id_token_signing_alg_values_supported: z.array(z.string()),
    subject_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
    attestation_endpoint: z.url(),
    nonce_endpoint: z.url(),
    token_profiles_supported: z.array(z.string()),
    evidence_types_supported: z.array(z.string()),
  })
  .meta({ id: 'Discovery' })
/** GET /livez. */
export const aliveAnswer = z.strictObject({ status: z.literal('alive') }).meta({ id: 'Alive' })
/** GET /readyz. */
export const readyAnswer = z
  .strictObject({
    status: z.literal('ready'),
    mode: z.enum(['production', 'demo', 'test']),
    version: z.string(),
    alarms: z.array(z.string()).meta({ description: 'What an operator should look into; verdicts are given all the same' }),
  })
  .meta({ id: 'Ready' })
/** GET /problems/{code} as JSON. */
export const problemPageAnswer = z
  .strictObject({ type: z.url(), code, title: z.string(), kind, status: z.int(), meaning: z.string(), remedy: z.string() })
  .meta({ id: 'ProblemPage' })
