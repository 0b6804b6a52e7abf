import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, type ConfigProblem, type Loaded } from './config.ts'
import { printConfig } from './config/print.ts'

type Given = { env?: Record<string, string>; file?: string; flags?: Parameters<typeof loadConfig>[0]['flags'] }

const FILE = '/etc/assay.yaml'

const load = ({ env = {}, file, flags = [] }: Given = {}): Loaded =>
  loadConfig({
    environment: file === undefined ? env : { ASSAY_CONFIG: FILE, ...env },
    readText: (path) => {
      if (path !== FILE || file === undefined) throw new Error('ENOENT')
      return file
    },
    flags,
  })

function problemsOf(given: Given): readonly ConfigProblem[] {
  try {
    load(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('the default configuration', () => {
  it('is production on the loopback interface with one strict audience', () => {
    const { config, warnings } = load()
    expect(config).toMatchObject({
      mode: 'production',
      listen: { host: '127.0.0.1', port: 8080 },
      issuer: 'http://127.0.0.1:8080',
      dataDir: './data',
      processes: 1,
      amdKds: { url: 'https://kdsintf.amd.com', transport: 'https' },
      intel: {
        collateral: 'wanted',
        pcsUrl: 'https://api.trustedservices.intel.com',
        rootCrlUrl: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
        pccsUrl: undefined,
        transport: 'https',
      },
      challengeLifetimeSeconds: 300,
      insecureTestRoots: [],
      clock: undefined,
    })
    expect(config.audiences).toEqual([
      { name: 'default', policies: ['strict'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse', DANGEROUSLY_WEAKENED_BY: [] },
    ])
    expect(warnings).toEqual([])
  })

  it('cannot be changed afterwards', () => {
    const { config } = load()
    expect(() => Object.assign(config, { mode: 'test' })).toThrow(TypeError)
    expect(() => Object.assign(config.limits, { inFlight: 1 })).toThrow(TypeError)
  })

  it('makes room in the body for the longer event logs that it allows', () => {
    expect(load().config.limits).toEqual({ bodyBytes: 2_097_152, eventLogBytes: 1_048_576, imaBytes: 16_777_216, inFlight: 256 })
    expect(load({ file: 'limits: {event_log_bytes: 4194304}\n' }).config.limits).toMatchObject({
      bodyBytes: 2_097_152 + 4_194_304,
      eventLogBytes: 4_194_304,
    })
    expect(load({ file: 'limits: {event_log_bytes: 65536}\n' }).config.limits.bodyBytes).toBe(2_097_152)
    expect(problemsOf({ file: 'limits: {event_log_bytes: 4194305}\n' })).toMatchObject([{ path: 'limits.event_log_bytes' }])
  })

  it.each(['demo', 'test'])('names an issuer that nobody can own in mode %s', (mode) => {
    expect(load({ env: { ASSAY_MODE: mode } }).config.issuer).toBe(`https://${mode}.assay.invalid`)
  })
})

describe('sources', () => {
  it('lets a flag override a variable, and a variable the file', () => {
    const file = 'listen: 127.0.0.1:1\ndata_dir: /from-file\nmode: test\n'
    const flags = [{ member: 'clock', value: '2026-01-31T12:00:00Z', flag: '--clock' }] as const
    const { config, originOf } = load({ file, env: { ASSAY_LISTEN: '127.0.0.1:2', ASSAY_PROCESSES: '3' }, flags })
    expect(config).toMatchObject({ listen: { port: 2 }, dataDir: '/from-file', processes: 3, clock: '2026-01-31T12:00:00Z' })
    expect([originOf('listen'), originOf('data_dir'), originOf('mode'), originOf('clock'), originOf('issuer')]).toEqual([
      'ASSAY_LISTEN',
      `${FILE}:2`,
      `${FILE}:3`,
      '--clock',
      'default',
    ])
  })

  it('takes lists from variables, and an empty variable as absent', () => {
    const { config } = load({ env: { ASSAY_TRUSTED_PROXIES: '10.0.0.0/8, ::1', ASSAY_ISSUER: '' } })
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(config.issuer).toBe('http://127.0.0.1:8080')
  })

  it('reads audiences and credentials from the file', () => {
    const file = `
audiences:
  https://cluster-a.example:
    policies: [strict-eu, strict]
    relying_party_nonce: allow
credentials:
  - {name: ops, role: viewer, token_sha256: ${'ab'.repeat(32)}}
  - {name: ci, role: [policy-author, enroller], token_sha256: ${'cd'.repeat(32)}}
`
    const { config } = load({ file })
    expect(config.audiences).toMatchObject([
      { name: 'https://cluster-a.example', policies: ['strict-eu', 'strict'], relyingPartyNonce: 'allow' },
    ])
    expect(config.credentials).toEqual([
      { name: 'ops', roles: ['viewer'], tokenSha256: 'ab'.repeat(32) },
      { name: 'ci', roles: ['policy-author', 'enroller'], tokenSha256: 'cd'.repeat(32) },
    ])
  })

  it('warns of variables that only look like ours', () => {
    expect(load({ env: { ASSAY_TRUSTED_PROXYS: '10.0.0.1', ASSAY_SERVICE_HOST: '10.0.0.2' } }).warnings).toEqual([
      'ASSAY_TRUSTED_PROXYS is not a setting of Assay and is ignored',
      'ASSAY_SERVICE_HOST is not a setting of Assay and is ignored',
    ])
  })
})

describe('problems', () => {
  it('come all at once, each with its path, its origin and what is expected', () => {
    const file = 'log_level: loud\nlimits:\n  in_flight: 0\n  bodybytes: 1\nsecret: x\n'
    const problems = problemsOf({ file, env: { ASSAY_LISTEN: '0.0.0.0:80800', ASSAY_PROCESSES: 'many', ASSAY_TLS_CERT: 'cert.pem' } })
    expect(Object.fromEntries(problems.map(({ path, origin }) => [path, origin]))).toEqual({
      'limits.bodybytes': `${FILE}:4`,
      'limits.in_flight': `${FILE}:3`,
      listen: 'ASSAY_LISTEN',
      log_level: `${FILE}:1`,
      processes: 'ASSAY_PROCESSES',
      secret: `${FILE}:5`,
      tls_key: 'default',
    })
    expect(problems).toHaveLength(7)
    for (const problem of problems) expect(problem.expected).toMatch(/\w/)
    expect(problems.find(({ path }) => path === 'listen')?.expected).toBe('an address and a port such as 127.0.0.1:8080 or [::1]:8080')
    expect(problems.find(({ path }) => path === 'log_level')?.expected).toContain('debug')
  })

  it('point at the parent of what is missing', () => {
    const [problem] = problemsOf({ file: 'mode: production\naudiences:\n  a:\n    profile: lean\n' })
    expect(problem).toMatchObject({ path: 'audiences.a.policies', origin: `${FILE}:3` })
  })

  it.each([
    ['a key that is written twice', 'mode: test\nmode: production\n', 2],
    ['text that is no YAML', 'mode: [\n', 2],
    ['a list', '- mode\n', 1],
    ['an alias', 'issuer: &a https://a.example\nsecret_file: *a\n', 1],
    ['a second document', 'mode: test\n---\nmode: production\n', 2],
    ['a tag', 'mode: !secret test\n', 1],
    ['a key that is a list', '[a]: b\n', 1],
    ['a number and a text that are one key', 'x:\n  1: a\n  "1": b\n', 3],
    ['too many levels', `mode: ${'['.repeat(100_000)}`, 1],
    ['too much text', `# ${'x'.repeat(5_000_000)}\n`, 1],
  ])('name the line of %s', (_, file, line) => {
    expect(problemsOf({ file })).toMatchObject([{ path: 'config', origin: `${FILE}:${line}` }])
  })

  it('do not repeat what the file says, which may be a secret', () => {
    const [problem] = problemsOf({ file: 'redis_url: "redis://:hunter2@x\n' })
    expect(JSON.stringify(problem)).not.toContain('hunter2')
  })

  it('name a file that cannot be read, beside the others', () => {
    const problems = problemsOf({ env: { ASSAY_CONFIG: '/nowhere', ASSAY_MODE: 'prod' } })
    expect(problems.map(({ path, origin }) => [path, origin])).toEqual([
      ['config', 'ASSAY_CONFIG'],
      ['mode', 'ASSAY_MODE'],
    ])
  })

  it('hold every line of the error text', () => {
    expect(() => load({ env: { ASSAY_MODE: 'prod' } })).toThrow(/^mode \(ASSAY_MODE\): .*expected: .*production/)
  })
})

const outside = { ASSAY_LISTEN: '0.0.0.0:8080', ASSAY_ISSUER: 'https://attest.example' }
const test = { ASSAY_MODE: 'test' }

/** Each: what is refused, the member that is blamed, and the same configuration made right. */
const RULES: readonly (readonly [what: string, path: string, wrong: Given, right: Given])[] = [
  ['a listener for others without an issuer', 'issuer', { env: { ASSAY_LISTEN: '0.0.0.0:8080' } }, { env: outside }],
  [
    'a port to be chosen without an issuer',
    'issuer',
    { env: { ASSAY_LISTEN: '127.0.0.1:0' } },
    { env: { ...test, ASSAY_LISTEN: '[::1]:0' } },
  ],
  ['an http issuer', 'issuer', { env: { ASSAY_ISSUER: 'http://attest.example' } }, { env: { ASSAY_ISSUER: 'http://[::1]:8080' } }],
  [
    'an http issuer of this machine with a listener for others',
    'issuer',
    { env: { ...outside, ASSAY_ISSUER: 'http://localhost' } },
    { env: { ASSAY_ISSUER: 'http://localhost' } },
  ],
  [
    'an issuer with a trailing slash',
    'issuer',
    { env: { ASSAY_ISSUER: 'https://a.example/' } },
    { env: { ASSAY_ISSUER: 'https://a.example' } },
  ],
  ['an issuer with a user', 'issuer', { env: { ASSAY_ISSUER: 'https://u:p@a.example' } }, { env: { ASSAY_ISSUER: 'https://a.example/x' } }],
  [
    'an issuer that nobody can own in production',
    'issuer',
    { env: { ASSAY_ISSUER: 'https://attest.invalid' } },
    { env: { ASSAY_ISSUER: 'https://attest.example' } },
  ],
  [
    'a real issuer outside production',
    'issuer',
    { env: { ...test, ASSAY_ISSUER: 'https://attest.example' } },
    { env: { ...test, ASSAY_ISSUER: 'https://attest.invalid' } },
  ],
  [
    'test mode for other machines',
    'listen',
    { env: { ...test, ASSAY_LISTEN: '0.0.0.0:1' } },
    { env: { ...test, ASSAY_LISTEN: '127.9.9.9:1' } },
  ],
  ['demo mode for other machines', 'listen', { env: { ASSAY_MODE: 'demo', ASSAY_LISTEN: '[::]:1' } }, { env: { ASSAY_MODE: 'demo' } }],
  [
    'an admin listener for other machines outside production',
    'admin_listen',
    { env: { ...test, ASSAY_ADMIN_LISTEN: '0.0.0.0:9' } },
    { env: { ...test, ASSAY_ADMIN_LISTEN: '[::1]:9' } },
  ],
  [
    'one port for both listeners',
    'admin_listen',
    { env: { ASSAY_ADMIN_LISTEN: '127.0.0.2:8080' } },
    { env: { ASSAY_ADMIN_LISTEN: '127.0.0.1:8081' } },
  ],
  [
    'an admin port to be chosen with several processes',
    'admin_listen',
    { env: { ASSAY_ADMIN_LISTEN: '127.0.0.1:0', ASSAY_PROCESSES: '2' } },
    { env: { ASSAY_ADMIN_LISTEN: '127.0.0.1:0' } },
  ],
  [
    'a test root in production',
    'insecure_test_roots',
    { file: 'insecure_test_roots: [ark.der]' },
    { file: 'insecure_test_roots: [ark.der]', env: test },
  ],
  [
    'a bundle in production',
    'collateral_bundles',
    { file: 'collateral_bundles: [b.json]' },
    { file: 'collateral_bundles: [b.json]', env: test },
  ],
  [
    'a stopped clock in production',
    'clock',
    { file: 'clock: "2026-01-31T12:00:00Z"' },
    { file: 'clock: "2026-01-31T12:00:00Z"', env: test },
  ],
  [
    'a stopped clock in the demo',
    'clock',
    { file: 'clock: "2026-01-31T12:00:00Z"', env: { ASSAY_MODE: 'demo' } },
    { file: 'clock: "2026-01-31T12:00:00+01:00"', env: test },
  ],
  [
    'Redis without a secret of its own',
    'secret_file',
    { env: { ASSAY_REDIS_URL: 'redis://r:6379' } },
    { env: { ASSAY_REDIS_URL: 'redis://r:6379', ASSAY_SECRET_FILE: 's' } },
  ],
  ['half of TLS', 'tls_key', { env: { ASSAY_TLS_CERT: 'c' } }, { env: { ASSAY_TLS_CERT: 'c', ASSAY_TLS_KEY: 'k' } }],
  [
    'a plain mirror',
    'amd_kds_url',
    { env: { ASSAY_AMD_KDS_URL: 'http://kds.example' } },
    { env: { ASSAY_AMD_KDS_URL: 'http://kds.example', ASSAY_AMD_KDS_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP' } },
  ],
  [
    'a plain service of Intel’s',
    'intel_pcs_url',
    { env: { ASSAY_INTEL_PCS_URL: 'http://pcs.example' } },
    { env: { ASSAY_INTEL_PCS_URL: 'http://pcs.example', ASSAY_INTEL_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP' } },
  ],
  [
    'a plain caching service',
    'intel_pcs_url',
    { env: { ASSAY_INTEL_PCCS_URL: 'http://pccs.example:8081' } },
    { env: { ASSAY_INTEL_PCCS_URL: 'https://pccs.example:8081' } },
  ],
  [
    'a plain list of Intel’s root',
    'intel_pcs_url',
    { env: { ASSAY_INTEL_ROOT_CRL_URL: 'http://pcs.example/root.der' } },
    { env: { ASSAY_INTEL_ROOT_CRL_URL: 'https://pcs.example/root.der' } },
  ],
  [
    'an authority of no caching service',
    'intel_pccs_ca',
    { env: { ASSAY_INTEL_PCCS_CA: 'ca.pem' } },
    { env: { ASSAY_INTEL_PCCS_CA: 'ca.pem', ASSAY_INTEL_PCCS_URL: 'https://pccs.example:8081' } },
  ],
  ['a switch that is none', 'intel_collateral', { env: { ASSAY_INTEL_COLLATERAL: 'no' } }, { env: { ASSAY_INTEL_COLLATERAL: 'off' } }],
  [
    'one token for two credentials',
    'credentials',
    {
      file: `credentials: [{name: a, role: admin, token_sha256: ${'a1'.repeat(32)}}, {name: b, role: viewer, token_sha256: ${'a1'.repeat(32)}}]`,
    },
    {
      file: `credentials: [{name: a, role: admin, token_sha256: ${'a1'.repeat(32)}}, {name: b, role: viewer, token_sha256: ${'a2'.repeat(32)}}]`,
    },
  ],
  ['no audience', 'audiences', { file: 'audiences: {}' }, { file: 'audiences: {a: {policies: [strict]}}' }],
  [
    'an audience without policy',
    'audiences.a.policies',
    { file: 'audiences: {a: {policies: []}}' },
    { file: 'audiences: {a: {policies: [p]}}' },
  ],
  ['a wildcard', 'audiences.*', { file: 'audiences: {"*": {policies: [p]}}' }, { file: 'audiences: {"a-b": {policies: [p]}}' }],
  ['an audience without a name', 'audiences.', { file: 'audiences: {"": {policies: [p]}}' }, { file: 'audiences: {a: {policies: [p]}}' }],
  [
    'a proxy that is no range',
    'trusted_proxies.0',
    { env: { ASSAY_TRUSTED_PROXIES: '10.0.0.0/33' } },
    { env: { ASSAY_TRUSTED_PROXIES: '::/0' } },
  ],
  [
    'a token life above 15 minutes',
    'token_lifetime_seconds',
    { file: 'token_lifetime_seconds: 901' },
    { file: 'token_lifetime_seconds: 900' },
  ],
  ['a host name as listener', 'listen', { env: { ASSAY_LISTEN: 'example.org:1' } }, { env: { ASSAY_LISTEN: 'localhost:1' } }],
]

describe('refused', () => {
  it.each(RULES)('%s', (...[, path, wrong, right]) => {
    expect(problemsOf(wrong).map((problem) => problem.path)).toEqual([path])
    expect(load(right).config).toBeDefined()
  })
})

describe('printConfig', () => {
  it('shows what is in force and nothing that opens a door', () => {
    const file = `credentials: [{name: ops, role: admin, token_sha256: ${'cd'.repeat(32)}}]`
    const env = { ASSAY_REDIS_URL: 'redis://user:hunter2@r:6379/1', ASSAY_SECRET_FILE: '/run/secret' }
    const text = printConfig(load({ file, env }).config)
    expect(text).toContain('redis_url: redis://user:redacted@r:6379/1')
    expect(text).toContain('secret_file: /run/secret')
    expect(text).toContain('token_sha256: (redacted)')
    expect(text).not.toMatch(/hunter2|cdcd/)
  })

  it('prints a file that is read back as the same configuration', () => {
    const { config } = load({ env: { ASSAY_TRUSTED_PROXIES: '10.0.0.0/8', ...outside } })
    expect(load({ file: printConfig(config) }).config).toEqual(config)
  })
})
