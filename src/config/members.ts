import { isIP } from 'node:net'
import { z } from 'zod'
import { EAR_DRAFT, TOKEN_ALGORITHMS, TOKEN_PROFILES } from '../access/audiences.ts'
import { OIDC_ALGORITHMS, isProviderUrl } from '../access/oidc-discovery.ts'
import { ROLES } from '../access/roles.ts'
import { LIFTS } from '../appraisal/floor.ts'
import { parseListen } from './listen.ts'
import { integer, path } from './schemas.ts'
import { tpmMembers } from './tpm.ts'

/** Names of audiences, policies and credentials as they appear in tokens, logs and problem texts: short printable ASCII without blanks. */
const NAME = /^[\x21-\x7e]{1,200}$/

const name = z.string().regex(NAME, '1 to 200 printable ASCII characters without blanks')
/** There are no wildcards, so a name that looks like one is refused rather than taken literally. */
const audienceName = name.refine((text) => !text.includes('*'), 'the whole name of one audience; there are no wildcards')

const listen = z.string().transform((text, context) => {
  const parsed = parseListen(text)
  if (parsed !== undefined) return parsed
  context.addIssue('an address and a port such as 127.0.0.1:8080 or [::1]:8080')
  return z.NEVER
})

const url = (...schemes: readonly string[]) =>
  z.string().refine((text) => isPlainUrl(text, schemes), `a URL (${schemes.join(' or ')}) without query, fragment and trailing slash`)

function isPlainUrl(text: string, schemes: readonly string[]): boolean {
  const parsed = URL.parse(text)
  if (parsed === null || text.endsWith('/') || /[\s?#]/.test(text)) return false
  // Only Redis takes a user and a password; anywhere else they would end up in logs and tokens.
  const nobody = parsed.username === '' && parsed.password === ''
  return schemes.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== '' && (nobody || parsed.protocol.startsWith('redis'))
}

/** An address or a range in CIDR notation. */
function isRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

const range = z.string().refine(isRange, 'an IP address or a range such as 10.0.0.0/8')

const audience = z.strictObject({
  policies: z.array(name).min(1, 'at least one policy: the first is the default').readonly(),
  profile: z.enum(TOKEN_PROFILES).default('lean'),
  alg: z.enum(TOKEN_ALGORITHMS).default('ES256'),
  relying_party_nonce: z.enum(['refuse', 'allow']).default('refuse'),
  // An audience is as strong as its weakest policy, so one that is weakened and stands beside others must be named here once more.
  DANGEROUSLY_WEAKENED_BY: z.array(name).readonly().default([]),
})

const role = z.enum(ROLES)
/** One role or several; never none, because whoever is known may read. */
const roles = z.union(
  [role.transform((one): [typeof one] => [one]), z.tuple([role], role)],
  `one of ${ROLES.join(', ')}, or a list of them`,
)

const credential = z.strictObject({
  name,
  role: roles,
  token_sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the bearer token in lower-case hex (64 digits)'),
})

const text = z.string().min(1, 'some text').max(1000)
const providerUrl = z.string().max(4096).refine(isProviderUrl, 'an https URL; http only for this machine')

const oidc = z.strictObject({
  issuer: providerUrl,
  audience: text,
  jwks_uri: providerUrl.optional(),
  algorithms: z.array(z.enum(OIDC_ALGORITHMS)).min(1, 'at least one algorithm').readonly().default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  // One claim, or the way through members to it.
  roles_claim: z.union([text.transform((one) => [one]), z.array(text).min(1)], 'the name of a claim, or a list of names that leads to it'),
  roles: z.record(text, roles).refine((all) => Object.keys(all).length > 0, 'at least one value with its roles'),
})

const transport = z.enum(['https', 'DANGEROUSLY_PLAIN_HTTP']).default('https')

/** AMD's key distribution service. */
export const AMD_KDS = 'https://kdsintf.amd.com'
/** Intel's provisioning certification service. */
export const INTEL_PCS = 'https://api.trustedservices.intel.com'

/** Every member of the configuration, by its name in the file. */
export const members = z.strictObject({
  mode: z.enum(['production', 'demo', 'test']).default('production'),
  listen: listen.default({ host: '127.0.0.1', port: 8080 }),
  /** Where operators' credentials are looked at; then nowhere else. */
  admin_listen: listen.optional(),
  issuer: url('https', 'http').optional(),
  data_dir: path.default('./data'),
  secret_file: path.optional(),
  token_key_file: path.optional(),
  /** Of the other algorithms, each its own. */
  token_key_files: z.partialRecord(z.enum(TOKEN_ALGORITHMS).exclude(['ES256']), path).default({}),
  /** Days after which a key that Assay made gets a successor. */
  token_key_rotation_days: z.union([z.literal('off'), integer(1, 3650)], 'a number of days from 1 to 3650, or off').default(30),
  /** Keys that count no more, whoever has them, by their kid. */
  token_keys_denied: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'the kid of a key: 43 characters of base64url'))
    .readonly()
    .default([]),
  /** How long a cache may keep the key set. A new key is in it for twice as long before it signs. */
  jwks_max_age_seconds: integer(1, 3600).default(300),
  /** The key of the authority for attestation keys, equal on all replicas. */
  ak_ca_key_file: path.optional(),
  policy_dir: path.optional(),
  reference_dir: path.optional(),
  audit_file: path.optional(),
  /** Bytes at which the file is moved aside; without it, only somebody else rotates. */
  audit_rotate_bytes: integer(65_536, Number.MAX_SAFE_INTEGER).optional(),
  processes: integer(1, 256).default(1),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  tls_cert: path.optional(),
  tls_key: path.optional(),
  trusted_proxies: z.array(range).readonly().default([]),
  redis_url: url('redis', 'rediss').optional(),
  redis_prefix: z
    .string()
    .regex(/^[A-Za-z0-9:_-]{1,64}$/, '1 to 64 letters, digits, ":", "_" and "-"')
    .default('assay:'),
  amd_kds_url: url('https', 'http').default(AMD_KDS),
  amd_kds_transport: transport,
  intel_collateral: z.enum(['wanted', 'required', 'off']).default('wanted'),
  intel_pcs_url: url('https', 'http').default(INTEL_PCS),
  // Intel's own by default; of a mirror, the file of that name below its URL.
  intel_root_crl_url: url('https', 'http').optional(),
  // Asked instead of Intel where it is set.
  intel_pccs_url: url('https', 'http').optional(),
  intel_pccs_ca: path.optional(),
  intel_transport: transport,
  intel_pcs_api_key_file: path.optional(),
  tpm: tpmMembers.prefault({}),
  audiences: z
    .record(audienceName, audience)
    .refine((all) => Object.keys(all).length > 0, 'at least one audience')
    .default({
      default: { policies: ['strict'], profile: 'lean', alg: 'ES256', relying_party_nonce: 'refuse', DANGEROUSLY_WEAKENED_BY: [] },
    }),
  credentials: z.array(credential).readonly().default([]),
  oidc: oidc.optional(),
  // What policies may do that none may without it (floor.ts).
  lift: z.array(z.enum(LIFTS)).readonly().default([]),
  separate_author_and_activator: z.boolean('true or false').default(false),
  rate_limit: z
    .strictObject({ requests: integer(1, 10_000_000).default(600), per_seconds: integer(1, 86_400).default(60) })
    .default({ requests: 600, per_seconds: 60 }),
  limits: z
    .strictObject({
      body_bytes: integer(65_536, 8_388_608).default(2_097_152),
      event_log_bytes: integer(65_536, 4_194_304).default(1_048_576),
      ima_bytes: integer(65_536, 67_108_864).default(16_777_216),
      in_flight: integer(1, 100_000).default(256),
    })
    .default({ body_bytes: 2_097_152, event_log_bytes: 1_048_576, ima_bytes: 16_777_216, in_flight: 256 }),
  challenge_lifetime_seconds: integer(30, 900).default(300),
  token_lifetime_seconds: integer(30, 900).default(900),
  /** `eat_profile` of profile `ear`, which changes with each draft. */
  ear_profile: z
    .string()
    .regex(
      /^(?:tag|urn|https):(?!github\.com,2023:veraison|assay:token)[\x21-\x7e]{1,90}$/,
      'a tag, urn or https URI of at most 96 characters that is no other profile’s',
    )
    .default(EAR_DRAFT),
  // Only in the modes that are not production (design section 5).
  clock: z.iso.datetime({ offset: true, error: 'a time such as 2026-01-31T12:00:00Z' }).optional(),
  insecure_test_roots: z.array(path).readonly().default([]),
  collateral_bundles: z.array(path).readonly().default([]),
})

/** What the schema yields; every member that has a default is present. */
export type Members = z.infer<typeof members>
/** The name of one member. */
export type MemberName = keyof Members
