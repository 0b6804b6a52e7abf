import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../config.ts'
import { printConfig } from './print.ts'

const load = (file: string) => loadConfig({ environment: { ASSAY_CONFIG: 'assay.yaml' }, readText: () => file }).config

function pathsOf(file: string): readonly string[] {
  try {
    load(file)
    return []
  } catch (error) {
    return error instanceof ConfigError ? error.problems.map(({ path }) => path) : [String(error)]
  }
}

describe('the identity provider', () => {
  const file = `
oidc:
  issuer: https://id.example/
  audience: assay
  roles_claim: [realm_access, roles]
  roles: {ops: admin, writers: [policy-author, enroller]}
separate_author_and_activator: true
audit_rotate_bytes: 104857600
`
  it('is read with what it may sign with by default', () => {
    expect(load(file)).toMatchObject({
      oidc: {
        issuer: 'https://id.example/',
        audience: 'assay',
        jwksUri: undefined,
        algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
        rolesClaim: ['realm_access', 'roles'],
        roles: [
          { value: 'ops', roles: ['admin'] },
          { value: 'writers', roles: ['policy-author', 'enroller'] },
        ],
      },
      separateAuthorAndActivator: true,
      auditRotateBytes: 104_857_600,
    })
    expect(load('')).toMatchObject({ oidc: undefined, separateAuthorAndActivator: false, auditRotateBytes: undefined })
  })

  it('is printed so that it is read back the same', () => {
    const config = load(file)
    expect(load(printConfig(config))).toEqual(config)
  })
})

/** A file with an identity provider. */
const oidc = (issuer: string, more?: string) =>
  `oidc: {issuer: "${issuer}", audience: x, roles_claim: g, roles: {o: admin}${more === undefined ? '' : `, ${more}`}}`

describe('refused', () => {
  it.each<[string, path: string, wrong: string, right: string]>([
    [
      'a role that is none',
      'credentials.0.role',
      `credentials: [{name: a, role: root, token_sha256: ${'a1'.repeat(32)}}]`,
      `credentials: [{name: a, role: enroller, token_sha256: ${'a1'.repeat(32)}}]`,
    ],
    [
      'a credential without a role',
      'credentials.0.role',
      `credentials: [{name: a, role: [], token_sha256: ${'a1'.repeat(32)}}]`,
      `credentials: [{name: a, role: [viewer], token_sha256: ${'a1'.repeat(32)}}]`,
    ],
    [
      'a credential that could be a caller of the identity provider',
      'credentials',
      `credentials: [{name: "oidc:a", role: viewer, token_sha256: ${'a1'.repeat(32)}}]`,
      `credentials: [{name: "oidc", role: viewer, token_sha256: ${'a1'.repeat(32)}}]`,
    ],
    ['an identity provider over plain http', 'oidc.issuer', oidc('http://id.example'), oidc('http://localhost:8180/realms/a')],
    [
      'keys over plain http',
      'oidc.jwks_uri',
      oidc('https://a.b', 'jwks_uri: http://a.b/k'),
      oidc('https://a.b', 'jwks_uri: https://a.b/k?v=1'),
    ],
    [
      'an algorithm with a shared key',
      'oidc.algorithms.0',
      oidc('https://a.b', 'algorithms: [HS256]'),
      oidc('https://a.b', 'algorithms: [ES384]'),
    ],
    ['no algorithm', 'oidc.algorithms', oidc('https://a.b', 'algorithms: []'), oidc('https://a.b', 'algorithms: [RS256]')],
    ['a provider without roles', 'oidc.roles', oidc('https://a.b').replace('{o: admin}', '{}'), oidc('https://a.b')],
    [
      'a provider that is this service',
      'oidc',
      `${oidc('https://a.b')}\nissuer: https://a.b`,
      `${oidc('https://a.b')}\nissuer: https://c.b`,
    ],
    ['an audit log that is moved at every line', 'audit_rotate_bytes', 'audit_rotate_bytes: 1', 'audit_rotate_bytes: 65536'],
  ])('%s', (...[, path, wrong, right]) => {
    expect(pathsOf(wrong)).toEqual([path])
    expect(pathsOf(right)).toEqual([])
  })
})
