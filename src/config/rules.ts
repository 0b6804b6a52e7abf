import { OIDC_NAME_PREFIX } from '../access/oidc-discovery.ts'
import { isLoopback } from './listen.ts'
import type { MemberName, Members } from './members.ts'

/** A rule over several members: what is wrong, and what is expected instead. `members` are what it looks at; the first is where it is reported. */
type Rule = {
  readonly members: readonly [MemberName, ...MemberName[]]
  readonly broken: (config: Members) => boolean
  readonly message: string
  readonly expected: string
}

const outside = (config: Members): boolean => !isLoopback(config.listen.host)
const production = (config: Members): boolean => config.mode === 'production'
const scheme = (url: string): string => new URL(url).protocol

const askedOfIntel = (c: Members): readonly string[] =>
  [c.intel_pcs_url, c.intel_root_crl_url, c.intel_pccs_url].filter((url) => url !== undefined)

/** An issuer without TLS is for trying things out on one machine, by that machine's own name. */
function plainIssuer(config: Members): boolean {
  if (config.issuer === undefined || scheme(config.issuer) === 'https:') return false
  return outside(config) || !isLoopback(new URL(config.issuer).hostname.replaceAll(/[[\]]/g, ''))
}

const duplicated = (values: readonly string[]): boolean => new Set(values).size < values.length

/** What must hold between members (design sections 5 and 8). */
export const RULES: readonly Rule[] = [
  {
    members: ['issuer', 'mode', 'listen'],
    broken: (c) => production(c) && c.issuer === undefined && (outside(c) || c.listen.port === 0),
    message: 'the service can be reached from other machines, but has no name for relying parties',
    expected: 'ASSAY_ISSUER with the https URL by which relying parties know this service',
  },
  {
    members: ['issuer', 'listen'],
    broken: plainIssuer,
    message: 'the issuer is not an https URL',
    expected: 'an https URL; http only for localhost with a listener on the loopback interface',
  },
  {
    members: ['issuer', 'mode'],
    broken: (c) => !production(c) && c.issuer !== undefined && !new URL(c.issuer).hostname.endsWith('.invalid'),
    message: 'outside production the issuer must be a name that nobody can own',
    expected: 'an https URL whose host ends in .invalid, or no issuer',
  },
  {
    members: ['issuer', 'mode'],
    broken: (c) => production(c) && c.issuer !== undefined && new URL(c.issuer).hostname.endsWith('.invalid'),
    message: 'names under .invalid mark what is not production',
    expected: 'the https URL by which relying parties know this service',
  },
  {
    members: ['listen', 'mode'],
    broken: (c) => !production(c) && outside(c),
    message: 'modes other than production listen on the loopback interface only',
    expected: 'a listener on 127.0.0.1, [::1] or localhost, or mode production',
  },
  {
    members: ['admin_listen', 'mode'],
    broken: (c) => !production(c) && c.admin_listen !== undefined && !isLoopback(c.admin_listen.host),
    message: 'modes other than production listen on the loopback interface only',
    expected: 'a listener on 127.0.0.1, [::1] or localhost, or mode production',
  },
  {
    members: ['admin_listen', 'listen'],
    broken: (c) => c.admin_listen !== undefined && c.admin_listen.port === c.listen.port && c.listen.port !== 0,
    message: 'both listeners have one port',
    expected: 'a port of its own for each',
  },
  {
    members: ['admin_listen', 'processes'],
    broken: (c) => c.processes > 1 && c.admin_listen?.port === 0,
    message: 'several processes cannot agree on a port that is chosen later',
    expected: 'a port, or one process',
  },
  {
    members: ['insecure_test_roots', 'mode'],
    broken: (c) => production(c) && c.insecure_test_roots.length > 0,
    message: 'a production process never trusts a test root',
    expected: 'no test root, or mode test',
  },
  {
    members: ['collateral_bundles', 'mode'],
    broken: (c) => production(c) && c.collateral_bundles.length > 0,
    message: 'a production process takes collateral from its store and from the vendor',
    expected: 'no bundle (use `assay collateral import`), or mode test',
  },
  {
    members: ['clock', 'mode'],
    broken: (c) => c.mode !== 'test' && c.clock !== undefined,
    message: 'only mode test may stop the clock',
    expected: 'no clock, or mode test',
  },
  {
    members: ['secret_file', 'redis_url'],
    broken: (c) => c.redis_url !== undefined && c.secret_file === undefined,
    message: 'replicas that share Redis must share one secret',
    expected: 'ASSAY_SECRET_FILE: a file (mode 0600) of at least 32 random bytes, equal on all replicas',
  },
  {
    members: ['ak_ca_key_file', 'redis_url', 'tpm'],
    broken: (c) => c.redis_url !== undefined && c.tpm.enrolment !== undefined && c.ak_ca_key_file === undefined,
    message: 'replicas that share Redis must share the authority for attestation keys',
    expected: 'ASSAY_AK_CA_KEY_FILE: a file (mode 0600) with one private key, equal on all replicas',
  },
  {
    members: ['tls_key', 'tls_cert'],
    broken: (c) => (c.tls_key === undefined) !== (c.tls_cert === undefined),
    message: 'TLS needs a certificate and its key',
    expected: 'both of ASSAY_TLS_CERT and ASSAY_TLS_KEY, or neither',
  },
  {
    members: ['amd_kds_url', 'amd_kds_transport'],
    broken: (c) => scheme(c.amd_kds_url) !== 'https:' && c.amd_kds_transport === 'https',
    message: 'the key distribution service is not asked over https',
    expected: 'an https URL, or amd_kds_transport: DANGEROUSLY_PLAIN_HTTP',
  },
  {
    members: ['intel_pcs_url', 'intel_root_crl_url', 'intel_pccs_url', 'intel_transport'],
    broken: (c) => c.intel_transport === 'https' && askedOfIntel(c).some((url) => scheme(url) !== 'https:'),
    message: 'documents of Intel’s are not asked for over https',
    expected: 'https URLs, or intel_transport: DANGEROUSLY_PLAIN_HTTP',
  },
  {
    members: ['intel_pccs_ca', 'intel_pccs_url'],
    broken: (c) => c.intel_pccs_ca !== undefined && c.intel_pccs_url === undefined,
    message: 'an authority is named for a caching service that is not',
    expected: 'ASSAY_INTEL_PCCS_URL, or no ASSAY_INTEL_PCCS_CA',
  },
  {
    members: ['credentials'],
    broken: (c) => c.credentials.some(({ name }) => name.startsWith(OIDC_NAME_PREFIX)),
    message: `a credential has a name that begins like those of the identity provider's callers`,
    expected: `names that do not begin with ${OIDC_NAME_PREFIX}`,
  },
  {
    members: ['oidc', 'issuer'],
    broken: (c) => c.oidc !== undefined && c.oidc.issuer === c.issuer,
    message: 'tokens of this service would count as credentials for it',
    expected: 'the issuer of an identity provider that says who operators are',
  },
  {
    members: ['credentials'],
    broken: (c) => duplicated(c.credentials.map(({ name }) => name)) || duplicated(c.credentials.map((row) => row.token_sha256)),
    message: 'two credentials share a name or a token',
    expected: 'a name and a token of its own for each credential',
  },
]
