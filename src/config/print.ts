import { stringify } from 'yaml'
import type { Config } from '../config.ts'
import { listenText } from './listen.ts'
import { printTokenKeys } from './token-keys.ts'
import { printTpm } from './tpm.ts'

const HIDDEN = '(redacted)'

/** A URL without its password. */
function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password !== '') url.password = 'redacted'
  return url.href
}

/** The configuration as it is in force, as YAML by the names of the file, without anything that opens a door. */
export function printConfig(config: Config): string {
  return stringify({
    mode: config.mode,
    listen: listenText(config.listen),
    admin_listen: config.adminListen === undefined ? undefined : listenText(config.adminListen),
    issuer: config.issuer,
    data_dir: config.dataDir,
    secret_file: config.secretFile,
    ...printTokenKeys(config.tokenKeys),
    ak_ca_key_file: config.akCaKeyFile,
    policy_dir: config.policyDir,
    reference_dir: config.referenceDir,
    audit_file: config.auditFile,
    audit_rotate_bytes: config.auditRotateBytes,
    processes: config.processes,
    log_level: config.logLevel,
    tls_cert: config.tls?.certFile,
    tls_key: config.tls?.keyFile,
    trusted_proxies: config.trustedProxies,
    redis_url: config.redis === undefined ? undefined : withoutPassword(config.redis.url),
    redis_prefix: config.redis?.prefix,
    ...vendors(config),
    audiences: Object.fromEntries(config.audiences.map((row) => [row.name, audience(row)])),
    // The hash of a good token opens nothing, but that of a guessable one does.
    credentials: config.credentials.map(({ name, roles }) => ({ name, role: roles, token_sha256: HIDDEN })),
    oidc: config.oidc === undefined ? undefined : oidc(config.oidc),
    separate_author_and_activator: config.separateAuthorAndActivator,
    lift: config.lift,
    rate_limit: { requests: config.rateLimit.requests, per_seconds: config.rateLimit.perSeconds },
    limits: limits(config.limits),
    challenge_lifetime_seconds: config.challengeLifetimeSeconds,
    token_lifetime_seconds: config.tokenLifetimeSeconds,
    ear_profile: config.earProfile,
    clock: config.clock,
    insecure_test_roots: config.insecureTestRoots,
    collateral_bundles: config.collateralBundles,
  })
}

const limits = ({ bodyBytes, eventLogBytes, imaBytes, inFlight }: Config['limits']) => ({
  body_bytes: bodyBytes,
  event_log_bytes: eventLogBytes,
  ima_bytes: imaBytes,
  in_flight: inFlight,
})

const vendors = ({ amdKds, intel, tpm }: Config) => ({
  amd_kds_url: amdKds.url,
  amd_kds_transport: amdKds.transport,
  intel_collateral: intel.collateral,
  intel_pcs_url: intel.pcsUrl,
  intel_root_crl_url: intel.rootCrlUrl,
  intel_pccs_url: intel.pccsUrl,
  intel_pccs_ca: intel.pccsCaFile,
  intel_transport: intel.transport,
  intel_pcs_api_key_file: intel.apiKeyFile,
  tpm: printTpm(tpm),
})

const oidc = (row: NonNullable<Config['oidc']>) => ({
  issuer: row.issuer,
  audience: row.audience,
  jwks_uri: row.jwksUri,
  algorithms: row.algorithms,
  roles_claim: row.rolesClaim,
  roles: Object.fromEntries(row.roles.map(({ value, roles }) => [value, roles])),
})

const audience = (row: Config['audiences'][number]) => ({
  policies: row.policies,
  profile: row.profile,
  alg: row.alg,
  relying_party_nonce: row.relyingPartyNonce,
  DANGEROUSLY_WEAKENED_BY: row.DANGEROUSLY_WEAKENED_BY,
})
