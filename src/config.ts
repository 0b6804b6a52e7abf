import { members, type MemberName, type Members } from './config/members.ts'
import { RULES } from './config/rules.ts'
import { listenText, type Listen } from './config/listen.ts'
import { FILE_VARIABLE, mergeSources, parseFile, unknownVariables, type Environment, type Flag, type Sources } from './config/sources.ts'
import type { Audience } from './access/audiences.ts'
import type { Credential } from './access/credentials.ts'
import type { OidcSettings } from './access/oidc-discovery.ts'
import type { Lift } from './appraisal/floor.ts'
import { base64Length } from './base64.ts'
import type { Transport } from './collateral/http.ts'
import { intelOf, type IntelSources } from './config/intel.ts'
import { tokenKeysOf, type TokenKeySettings } from './config/token-keys.ts'
import { tpmOf, type TpmSettings } from './config/tpm.ts'
import type { Limits } from './routes/services.ts'
import type { Mode } from './verifiers/verifier.ts'

/** Everything that an operator decides, checked as a whole. Plain data: it can be printed and handed to another process. */
export type Config = {
  readonly mode: Mode
  readonly listen: Listen
  /** Where operators' credentials are looked at, and then nowhere else; undefined: on the one listener. */
  readonly adminListen: Listen | undefined
  /** Without a trailing slash. */
  readonly issuer: string
  readonly dataDir: string
  readonly secretFile: string | undefined
  readonly tokenKeys: TokenKeySettings
  readonly akCaKeyFile: string | undefined
  readonly policyDir: string | undefined
  readonly referenceDir: string | undefined
  readonly auditFile: string | undefined
  /** Bytes at which the audit log is moved aside; undefined: only by somebody else. */
  readonly auditRotateBytes: number | undefined
  readonly processes: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Addresses and CIDR ranges whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[]
  readonly redis: { readonly url: string; readonly prefix: string } | undefined
  readonly amdKds: { readonly url: string; readonly transport: Transport }
  readonly intel: IntelSources
  readonly tpm: TpmSettings
  readonly audiences: readonly Audience[]
  readonly credentials: readonly Credential[]
  /** The identity provider whose tokens count as credentials, too. */
  readonly oidc: OidcSettings | undefined
  /** What policies may do that none may without it. */
  readonly lift: readonly Lift[]
  /** Whether nobody may bring into force what he wrote himself. */
  readonly separateAuthorAndActivator: boolean
  readonly rateLimit: { readonly requests: number; readonly perSeconds: number }
  readonly limits: Limits
  readonly challengeLifetimeSeconds: number
  readonly tokenLifetimeSeconds: number
  readonly earProfile: string
  /** RFC 3339; the time stands still there (mode test only). */
  readonly clock: string | undefined
  /** Files of roots that replace those of their vendors (never in production). */
  readonly insecureTestRoots: readonly string[]
  readonly collateralBundles: readonly string[]
}

/** One thing that is wrong: where it was written, and what should be there. */
export type ConfigProblem = { readonly path: string; readonly origin: string; readonly message: string; readonly expected?: string }

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(problemText).join('\n'))
    this.problems = problems
  }
}

/** One problem as one line. */
export const problemText = ({ path, origin, message, expected }: ConfigProblem): string =>
  `${path} (${origin}): ${message}${expected === undefined ? '' : `; expected: ${expected}`}`

/** Where configuration comes from. `readText` is given so that tests and other callers decide what a file is. */
export type ConfigInput = {
  readonly environment: Environment
  readonly readText: (path: string) => string
  readonly flags?: readonly Flag[]
}

/** A configuration, what is odd about it, and where each of its members was written. */
export type Loaded = {
  readonly config: Config
  readonly warnings: readonly string[]
  readonly originOf: (member: MemberName) => string
}

/** Environment, file and flags as one checked and frozen configuration. Throws {@link ConfigError} that lists all problems. */
export function loadConfig(input: ConfigInput): Loaded {
  const { sources, problems: fileProblems } = readSources(input)
  const { value, problems } = check(sources)
  const all = [...fileProblems, ...problems]
  if (value === undefined || all.length > 0) throw new ConfigError(all)
  return {
    config: deepFreeze(configOf(value)),
    warnings: unknownVariables(input.environment).map((name) => `${name} is not a setting of Assay and is ignored`),
    originOf: (member) => sources.originOf([member]),
  }
}

function readSources({ environment, readText, flags = [] }: ConfigInput): { sources: Sources; problems: ConfigProblem[] } {
  const name = environment[FILE_VARIABLE]
  if (name === undefined || name === '') return { sources: mergeSources(environment, undefined, flags), problems: [] }
  const text = attempt(() => readText(name))
  if (text instanceof Error) {
    const problem = {
      path: 'config',
      origin: FILE_VARIABLE,
      message: `cannot read ${name}: ${text.message}`,
      expected: 'a readable YAML file',
    }
    return { sources: mergeSources(environment, undefined, flags), problems: [problem] }
  }
  const file = parseFile(text, name)
  if ('originOf' in file) return { sources: mergeSources(environment, file, flags), problems: [] }
  const problems = file.map(({ line, message }) => ({ path: 'config', origin: `${name}:${line}`, message, expected: 'one YAML mapping' }))
  return { sources: mergeSources(environment, undefined, flags), problems }
}

function attempt(read: () => string): string | Error {
  try {
    return read()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Members first, then the rules between those that could be read: one run shows everything that is wrong. */
function check(sources: Sources): { value: Members | undefined; problems: ConfigProblem[] } {
  const whole = members.safeParse(sources.values)
  if (whole.success) return { value: whole.data, problems: brokenRules(whole.data, sources, new Set()) }
  const problems = whole.error.issues.flatMap((issue) => problemsOf(issue, sources))
  const bad = new Set(whole.error.issues.flatMap((issue) => (issue.path.length > 0 ? [String(issue.path[0])] : [])))
  const known = Object.entries(sources.values).filter(([name]) => Object.hasOwn(members.shape, name) && !bad.has(name))
  const rest = members.safeParse(Object.fromEntries(known))
  return { value: undefined, problems: [...problems, ...(rest.success ? brokenRules(rest.data, sources, bad) : [])] }
}

type Issue = NonNullable<ReturnType<typeof members.safeParse>['error']>['issues'][number]

function problemsOf(issue: Issue, sources: Sources): ConfigProblem[] {
  const at = (path: readonly PropertyKey[]) => ({ path: path.map(String).join('.'), origin: sources.originOf(path) })
  if (issue.code !== 'unrecognized_keys')
    return [{ ...at(issue.path), message: 'this value is not accepted', expected: wanted(issue.message) }]
  return issue.keys.map((key) => ({
    ...at([...issue.path, key]),
    message: 'there is no such setting',
    expected: 'a name from the documentation',
  }))
}

/** The library's own texts name what was expected behind a colon; ours are nothing else. */
const wanted = (text: string): string => /: expected (.*)$/.exec(text)?.[1] ?? text

function brokenRules(config: Members, sources: Sources, bad: ReadonlySet<string>): ConfigProblem[] {
  const due = RULES.filter((rule) => !rule.members.some((member) => bad.has(member)) && rule.broken(config))
  return due.map(({ members: [first], message, expected }) => ({ path: first, origin: sources.originOf([first]), message, expected }))
}

/** The name of the issuer when the operator gave none: never one that somebody could own. */
function defaultIssuer({ mode, listen }: Members): string {
  return mode === 'production' ? `http://${listenText(listen)}` : `https://${mode}.assay.invalid`
}

function configOf(m: Members): Config {
  return {
    mode: m.mode,
    listen: m.listen,
    adminListen: m.admin_listen,
    issuer: m.issuer ?? defaultIssuer(m),
    dataDir: m.data_dir,
    secretFile: m.secret_file,
    tokenKeys: tokenKeysOf(m),
    akCaKeyFile: m.ak_ca_key_file,
    policyDir: m.policy_dir,
    referenceDir: m.reference_dir,
    auditFile: m.audit_file,
    auditRotateBytes: m.audit_rotate_bytes,
    processes: m.processes,
    logLevel: m.log_level,
    tls: m.tls_cert === undefined || m.tls_key === undefined ? undefined : { certFile: m.tls_cert, keyFile: m.tls_key },
    trustedProxies: m.trusted_proxies,
    redis: m.redis_url === undefined ? undefined : { url: m.redis_url, prefix: m.redis_prefix },
    amdKds: { url: m.amd_kds_url, transport: m.amd_kds_transport },
    intel: intelOf(m),
    tpm: tpmOf(m.tpm),
    audiences: Object.entries(m.audiences).map(([name, row]) => audienceOf(name, row)),
    credentials: m.credentials.map((row) => ({ name: row.name, roles: row.role, tokenSha256: row.token_sha256 })),
    oidc: m.oidc === undefined ? undefined : oidcOf(m.oidc),
    lift: m.lift,
    separateAuthorAndActivator: m.separate_author_and_activator,
    rateLimit: { requests: m.rate_limit.requests, perSeconds: m.rate_limit.per_seconds },
    limits: limitsOf(m.limits),
    challengeLifetimeSeconds: m.challenge_lifetime_seconds,
    tokenLifetimeSeconds: m.token_lifetime_seconds,
    earProfile: m.ear_profile,
    clock: m.clock,
    insecureTestRoots: m.insecure_test_roots,
    collateralBundles: m.collateral_bundles,
  }
}

/** What event logs of the default length leave of the default body is room enough for all else. */
const DEFAULT_LOG_BYTES = 1_048_576

/** A longer log raises the limit of the body by what it takes more in base64 (design section 3, Limits). */
const limitsOf = ({ body_bytes: body, event_log_bytes: eventLogBytes, ...limits }: Members['limits']): Limits => ({
  bodyBytes: body + base64Length(Math.max(0, eventLogBytes - DEFAULT_LOG_BYTES)),
  eventLogBytes,
  imaBytes: limits.ima_bytes,
  inFlight: limits.in_flight,
})

const oidcOf = (row: NonNullable<Members['oidc']>): OidcSettings => ({
  issuer: row.issuer,
  audience: row.audience,
  jwksUri: row.jwks_uri,
  algorithms: row.algorithms,
  rolesClaim: row.roles_claim,
  roles: Object.entries(row.roles).map(([value, roles]) => ({ value, roles })),
})

const audienceOf = (name: string, row: Members['audiences'][string]): Audience => ({
  name,
  policies: row.policies,
  profile: row.profile,
  alg: row.alg,
  relyingPartyNonce: row.relying_party_nonce,
  DANGEROUSLY_WEAKENED_BY: row.DANGEROUSLY_WEAKENED_BY,
})

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
