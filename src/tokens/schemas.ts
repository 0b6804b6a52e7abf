import { z } from 'zod'
import type { TokenProfile } from '../access/audiences.ts'

/** Claims of every profile in words and kinds (design section 4, specification tokens.md C7). */
const text = z.string().min(1)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const seconds = z.int().min(0)
const time = z.iso.datetime()
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const status = z.enum(['none', 'affirming', 'warning', 'contraindicated'])
const tier = z.int().min(-128).max(127)

const DIMENSIONS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const

/** AR4SI (tokens.md C3); what is absent claims nothing. */
const vector = z
  .partialRecord(z.enum(DIMENSIONS), tier)
  .meta({ description: 'AR4SI trustworthiness vector; absent or 0: no claim is made' })

const policy = z
  .strictObject({ name: text, version: z.int().min(0), sha256: digest })
  .meta({ description: 'The policy that judged; sha256 is over its canonical JSON' })

const judgement = {
  policy,
  weakenings: z.array(text).min(1).optional().meta({ description: 'What the policy weakens by name' }),
  tolerated: z.array(text).min(1).optional().meta({ description: 'Codes of checks that failed and were tolerated' }),
  fresh: z.boolean().meta({ description: 'Whether this item itself carries the nonce' }),
}

const named = z.looseObject({}).optional()
const TECHNOLOGIES = { snp: named, tdx: named, sgx: named, tpm: named }
/** Technology first; the members of each are those of the appraisal in openapi.yaml, as many as there is room for. */
const technologies = z
  .strictObject(TECHNOLOGIES)
  .meta({ description: 'Claims of the evidence, technology first, by the names of the appraisal; fewer where a token would be too long' })

const publicKey = z.union([
  z.strictObject({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384']), x: base64url, y: base64url }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url }),
  z.strictObject({ kty: z.literal('RSA'), n: base64url, e: base64url }),
])

const COMMON = {
  iss: z.url().max(100).meta({ description: 'The service' }),
  sub: text.max(128).meta({ description: 'The attested instance, never its host' }),
  groups: z.array(text).optional().meta({ description: 'What the policy lets the holder be a member of' }),
  aud: text.max(200).meta({ description: 'Exactly one relying party' }),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  jti: base64url.length(22).meta({ description: '128 random bits' }),
  // RFC 9711 section 4.1.
  eat_nonce: base64url.min(10).max(88).meta({ description: 'The challenge, or the nonce of the relying party' }),
  freshness: z.enum(['challenge', 'time-boxed', 'relying-party']),
  cnf: z.strictObject({ jwk: publicKey }).optional().meta({ description: 'The key that the fresh evidence binds (RFC 7800)' }),
  host_id: z
    .string()
    .regex(/^urn:assay:host:[0-9a-f]{32}$/)
    .optional()
    .meta({ description: 'The host, pseudonymised for this audience' }),
  tcb: z.strictObject({
    hw: z.enum(['snp', 'tdx', 'sgx', 'none']),
    vtpm: z.enum(['hypervisor', 'paravisor', 'in-guest', 'discrete', 'none']),
  }),
  dbgstat: z.enum(['enabled', 'disabled-since-boot']).optional(),
  hwmodel: text.optional(),
  collateral: z.strictObject({ digest, oldest_fetch: time.nullable(), earliest_expiry: time.nullable() }),
  evidence_digest: digest,
  demo: z.literal(true).optional().meta({ description: 'Outside production, and only there' }),
}

/** By label: `cpu0`, `tpm0`. At least one. */
const submods = <S extends z.ZodType>(submod: S) =>
  z
    .record(z.string().regex(/^[a-z]+\d$/), submod)
    .refine((all) => Object.keys(all).length > 0, 'at least one')
    .meta({ minProperties: 1, description: 'By label: cpu0, tpm0' })

const verifierId = z.strictObject({ developer: text, build: text })
const policyId = z
  .string()
  .regex(/^urn:assay:policy:[A-Za-z0-9._-]+:\d+:[0-9a-f]{64}$/)
  .meta({ description: 'Name, version and SHA-256 of the policy' })

const leanSubmod = z.strictObject({ status, trustworthiness: vector, ...judgement, assay: technologies })

const earSubmod = z.strictObject({
  ear_status: status,
  ear_trustworthiness_vector: vector,
  ear_appraisal_policy_ids: z.array(policyId).min(1),
  assay: z.strictObject({ ...judgement, ...TECHNOLOGIES }),
})

const veraisonSubmod = z.strictObject({
  'ear.status': status,
  'ear.trustworthiness-vector': vector,
  'ear.appraisal-policy-id': policyId,
  'ear.veraison.annotated-evidence': technologies,
  'ear.veraison.policy-claims': z.strictObject(judgement),
  'ear.veraison.key-attestation': z
    .strictObject({ akpub: base64url })
    .optional()
    .meta({ description: 'The key of `cnf` as SubjectPublicKeyInfo' }),
})

/** The claims of each profile. Nothing else is in a token: unknown members are refused. */
export const TOKEN_SCHEMAS = {
  lean: z.strictObject({ ...COMMON, eat_profile: z.literal('urn:assay:token:lean:1'), submods: submods(leanSubmod) }),
  ear: z.strictObject({
    ...COMMON,
    // The draft’s tag by default; the operator may name a later one.
    eat_profile: z.string().regex(/^(?:tag|urn|https):(?!github\.com,2023:veraison|assay:token)/),
    ear_verifier_id: verifierId,
    ear_status: status,
    submods: submods(earSubmod),
  }),
  'ear-veraison': z.strictObject({
    ...COMMON,
    eat_profile: z.literal('tag:github.com,2023:veraison/ear'),
    'ear.verifier-id': verifierId,
    submods: submods(veraisonSubmod),
  }),
} as const satisfies Record<TokenProfile, z.ZodType>

/** JSON Schema (2020-12) of the claims of a profile, as a file. */
export const tokenSchemaText = (profile: TokenProfile): string =>
  `${JSON.stringify({ title: `Claims of Assay’s tokens, profile ${profile}`, ...z.toJSONSchema(TOKEN_SCHEMAS[profile]) }, undefined, 2)}\n`
