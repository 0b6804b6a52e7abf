import { createHmac, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { appraisalUnder, hexOf, itemWith } from '../../test/appraisals.ts'
import { tokenKey } from '../../test/token-keys.ts'
import { TOKEN_ALGORITHMS, type Audience, type TokenAlgorithm } from '../access/audiences.ts'
import { readCnfJwk, type CnfKey } from '../access/cnf.ts'
import type { Appraisal } from '../appraisal/appraisal.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { createTokenIssuer, type IssuerParts, type TokenRequest } from './issuer.ts'
import { fixedTokenKeys } from './key-ring.ts'
import { temporaryTokenKey } from './keys.ts'

const NOW = new Date('2026-11-24T08:00:00.900Z')
const IAT = Math.floor(NOW.getTime() / 1000)
const ISSUER: Readonly<Record<Mode, string>> = {
  production: 'https://attest.example',
  demo: 'https://attest.demo.invalid',
  test: 'https://attest.test.invalid',
}
const subject = createSecretKey(randomBytes(32))
const policyWith = (rest: object = {}, name = 'eu') => readPolicy(JSON.stringify({ name, ...rest }), 'test')
const policy = policyWith()
const nonce = Uint8Array.from({ length: 32 }, (_, i) => i)
const audience = (name = 'https://rp.example', alg: TokenAlgorithm = 'ES256'): Audience => ({
  name,
  policies: ['eu'],
  profile: 'lean',
  alg,
  relyingPartyNonce: 'refuse',
})
const cnfOf = (kind: 'ec' | 'rsa'): CnfKey =>
  // Of an RSA key only the size matters here.
  kind === 'rsa'
    ? readCnfJwk({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(512, 0xc1).toString('base64url') })
    : readCnfJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }))

const issuerWith = (overrides: Partial<IssuerParts> = {}) => {
  const mode = overrides.mode ?? 'production'
  return createTokenIssuer({
    tokenKeys: fixedTokenKeys([temporaryTokenKey('ES256')]),
    keys: { subject },
    issuer: ISSUER[mode],
    mode,
    now: () => NOW,
    ...overrides,
  })
}
const request = (overrides: Partial<TokenRequest> = {}): TokenRequest => ({
  appraisal: appraisalUnder(policy.reference),
  policy,
  audience: audience(),
  nonce,
  ...overrides,
})
const claimsOf = (token: string): JWTPayload & Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as JWTPayload
const issued = (overrides: Partial<TokenRequest> = {}) => claimsOf(issuerWith().issue(request(overrides)).token)
const appraisal = (overrides: Partial<Appraisal>): Appraisal => appraisalUnder(policy.reference, overrides)
const code = (expected: string) => expect.objectContaining({ code: expected })
/** The formula of design section 4, written down a second time. */
const pseudonym = (kind: string, value: Uint8Array, aud = 'https://rp.example'): string =>
  `urn:assay:${kind}:${createHmac('sha256', subject).update(`${aud}\0${kind}\0`).update(value).digest('hex').slice(0, 32)}`

describe('a token', () => {
  it('is verified by jose with nothing but the JWKS', async () => {
    const issuer = issuerWith()
    const cnf = cnfOf('ec')
    const { token, jti, expiresAt } = issuer.issue(request({ cnf }))
    const jwks = createLocalJWKSet(JSON.parse(JSON.stringify(issuer.jwks())) as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer: ISSUER.production,
      audience: 'https://rp.example',
      typ: 'JWT',
      algorithms: [...issuer.algorithms],
      currentDate: NOW,
      requiredClaims: ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti'],
    })
    expect(Object.keys(protectedHeader)).toEqual(['alg', 'typ', 'kid'])
    expect(payload.jti).toBe(jti)
    expect(payload.exp).toBe(expiresAt.getTime() / 1000)
  })

  it('says what design section 4 lists, and no more', () => {
    const cnf = cnfOf('ec')
    const claims = issued({ cnf })
    expect(Object.keys(claims).toSorted()).toEqual(
      [
        'aud',
        'cnf',
        'collateral',
        'dbgstat',
        'eat_nonce',
        'eat_profile',
        'evidence_digest',
        'exp',
        'freshness',
        'host_id',
        'hwmodel',
        'iat',
      ]
        .concat(['iss', 'jti', 'nbf', 'sub', 'submods', 'tcb'])
        .toSorted(),
    )
    expect(claims).toMatchObject({
      iss: 'https://attest.example',
      aud: 'https://rp.example',
      iat: IAT,
      nbf: IAT - 30,
      exp: IAT + 300,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      eat_profile: 'urn:assay:token:lean:1',
      eat_nonce: Buffer.from(nonce).toString('base64url'),
      freshness: 'challenge',
      cnf: { jwk: cnf.jwk },
      tcb: { hw: 'snp', vtpm: 'none' },
      dbgstat: 'disabled-since-boot',
      hwmodel: 'AMD-SEV-SNP-Genoa',
      evidence_digest: hexOf(0xed, 32),
    })
  })

  it('carries status, vector, policy and named claims of each item, and nothing that names chip or guest', () => {
    const claims = issued()
    const text = JSON.stringify(claims)
    expect(claims).toMatchObject({
      submods: {
        cpu0: {
          status: 'affirming',
          trustworthiness: { 'instance-identity': 2, configuration: 2, executables: 2, hardware: 2, 'runtime-opaque': 2 },
          policy: { ...policy.reference },
          fresh: true,
          assay: {
            snp: {
              measurement: hexOf(0x3e, 48),
              host_data: hexOf(0x4d, 32),
              policy: { debug_allowed: false },
              reported_tcb: { microcode: 219 },
              signing_key: 'vcek',
              revocation: 'not-checked',
              advisories: ['amd-milan-vcek-seed-extraction'],
            },
          },
        },
      },
    })
    expect([hexOf(0xc1, 8), hexOf(0x5b, 32), hexOf(0x9e, 32)].filter((secret) => text.includes(secret))).toEqual([])
  })

  it('leaves out what was never there: an ID block of zeros, an advisory that does not apply', () => {
    const none = { family_id: hexOf(0, 16), image_id: hexOf(0, 16), id_key_digest: hexOf(0, 48), author_key_digest: hexOf(0, 48) }
    const item = { ...itemWith(none), advisories: [{ id: 'x', mode: 'report', applies: false, url: 'https://x.example' } as const] }
    const text = JSON.stringify(issued({ appraisal: appraisal({ evidence: [item] }) }))
    expect(text).not.toMatch(/family_id|image_id|id_key_digest|author_key_digest/)
    expect(text).toContain('"advisories":[]')
  })

  it('says that a guest can be debugged, where a policy lets it', () => {
    const item = itemWith()
    const snp = item.claims.snp
    const debugged = { ...item, claims: snp === undefined ? {} : { snp: { ...snp, policy: { ...snp.policy, debug_allowed: true } } } }
    expect(issued({ appraisal: appraisal({ evidence: [debugged] }) })['dbgstat']).toBe('enabled')
  })

  it('is never the same twice', () => {
    expect(issued()['jti']).not.toBe(issued()['jti'])
  })
})

describe('sub and host_id', () => {
  it('name the key if there is one, else the guest, else the token', () => {
    const cnf = cnfOf('ec')
    expect(issued({ cnf }).sub).toBe(pseudonym('cnf', cnf.thumbprint))
    expect(issued().sub).toBe(pseudonym('snp', Buffer.from(hexOf(0x9e, 32), 'hex')))
    const nameless = appraisal({ evidence: [itemWith({ report_id: hexOf(0, 32) })] })
    const once = issued({ appraisal: nameless })
    expect(once.sub).toBe(pseudonym('once', Buffer.from(String(once.jti))))
  })

  it('name the chip in a claim of its own, absent if it is masked or zero', () => {
    expect(issued()['host_id']).toBe(pseudonym('host', Buffer.from(hexOf(0xc1, 64), 'hex')))
    expect(issued({ appraisal: appraisal({ evidence: [itemWith({ chip_id: null })] }) })).not.toHaveProperty('host_id')
    expect(issued({ appraisal: appraisal({ evidence: [itemWith({ chip_id: hexOf(0, 8) })] }) })).not.toHaveProperty('host_id')
  })

  it('differ for every audience', () => {
    const other = issued({ audience: audience('https://other.example') })
    expect(other.sub).toBe(pseudonym('snp', Buffer.from(hexOf(0x9e, 32), 'hex'), 'https://other.example'))
    expect(other['host_id']).not.toBe(issued()['host_id'])
  })
})

const lifetime = (overrides: Partial<TokenRequest>, parts: Partial<IssuerParts> = {}): number => {
  const { exp = 0, iat = 0 } = claimsOf(issuerWith(parts).issue(request(overrides)).token)
  return exp - iat
}

const underPolicy = (seconds: number): Partial<TokenRequest> => {
  const other = policyWith({ token: { lifetime_seconds: seconds } })
  return { policy: other, appraisal: appraisalUnder(other.reference) }
}

describe('exp', () => {
  it('is what the policy gives, within what the service gives', () => {
    expect(lifetime(underPolicy(900))).toBe(900)
    expect(lifetime(underPolicy(60))).toBe(60)
    expect(lifetime(underPolicy(900), { lifetimeSeconds: 120 })).toBe(120)
    expect(lifetime({}, { lifetimeSeconds: 86_400 })).toBe(300)
  })

  it('is never past valid_until', () => {
    expect(lifetime({ appraisal: appraisal({ valid_until: '2026-11-24T08:01:00.900Z' }) })).toBe(60)
  })

  it('needs 30 s that are left', () => {
    expect(lifetime({ appraisal: appraisal({ valid_until: '2026-11-24T08:00:30.900Z' }) })).toBe(30)
    const expired = expect.objectContaining({ code: 'collateral-expired', retryAfter: 60 })
    const at = (valid_until: string) => () => lifetime({ appraisal: appraisal({ valid_until }) })
    expect(at('2026-11-24T08:00:30.899Z')).toThrow(expired)
    expect(at('2026-11-23T08:00:00.000Z')).toThrow(expired)
    expect(at('not a time')).toThrow(expired)
  })
})

describe('no token', () => {
  it.each(['none', 'warning', 'contraindicated'] as const)('is issued for status %s', (status) => {
    expect(() => issued({ appraisal: appraisal({ status }) })).toThrow(code('policy-denied'))
  })

  it('shows every weakening that the policy names, and what was tolerated', () => {
    const weak = policyWith({ key_binding: 'DANGEROUSLY_OPTIONAL', issue_on: 'warning', snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY' } })
    const judged = appraisalUnder(weak.reference, { status: 'warning' })
    const [first] = judged.evidence
    const warning = { id: 'SNP-36', title: 'x', outcome: 'warn', code: 'snp-crl-unavailable' } as const
    const warned = { ...judged, evidence: judged.evidence.map((each) => ({ ...each, checks: [...(first?.checks ?? []), warning] })) }
    expect(issued({ policy: weak, appraisal: warned })).toMatchObject({
      submods: {
        cpu0: {
          weakenings: ['issue_on: warning', 'key_binding: DANGEROUSLY_OPTIONAL', 'snp.measurements: DANGEROUSLY_ACCEPT_ANY'],
          tolerated: ['snp-crl-unavailable'],
        },
      },
    })
    expect(JSON.stringify(issued())).not.toMatch(/weakenings|tolerated/)
  })

  it('is issued for a warning unless the policy says so', () => {
    const warned = policyWith({ issue_on: 'warning' })
    const under = (status: 'warning' | 'contraindicated') => () =>
      issued({ policy: warned, appraisal: appraisalUnder(warned.reference, { status }) })
    expect(under('warning')()['iss']).toBe('https://attest.example')
    expect(under('contraindicated')).toThrow(code('policy-denied'))
  })

  const failed = { id: 'SNP-50', title: 'x', outcome: 'fail', code: 'snp-signature-invalid' } as const
  it.each<[string, Partial<TokenRequest>, RegExp]>([
    ['another mode', { appraisal: appraisal({ mode: 'demo' }) }, /another mode/],
    ['another policy', { policy: policyWith({}, 'other') }, /another policy/],
    ['no policy', { appraisal: appraisal({ policy: null }) }, /another policy/],
    ['no freshness', { appraisal: appraisal({ freshness: 'none' }) }, /freshness/],
    ['no evidence', { appraisal: appraisal({ evidence: [] }) }, /fresh/],
    ['no fresh evidence', { appraisal: appraisal({ evidence: [{ ...itemWith(), fresh: false }] }) }, /fresh/],
    ['no check', { appraisal: appraisal({ evidence: [{ ...itemWith(), checks: [] }] }) }, /passed no check/],
    [
      'a failed check',
      { appraisal: appraisal({ evidence: [{ ...itemWith(), checks: [...itemWith().checks, failed] }] }) },
      /failed a check/,
    ],
  ])('is issued for an appraisal with %s, whatever its status says', (_, overrides, why) => {
    expect(() => issued(overrides)).toThrow(why)
    expect(() => issued(overrides)).toThrow(code('internal-error'))
  })
})

describe('outside production', () => {
  it.each(['demo', 'test'] as const)('every token of mode %s is marked, in header and claims', async (mode) => {
    const issuer = issuerWith({ mode })
    const { token } = issuer.issue(request({ appraisal: appraisal({ mode }) }))
    const jwks = createLocalJWKSet(JSON.parse(JSON.stringify(issuer.jwks())) as JSONWebKeySet)
    await expect(jwtVerify(token, jwks, { typ: 'demo+JWT', currentDate: NOW })).resolves.toBeDefined()
    await expect(jwtVerify(token, jwks, { typ: 'JWT', currentDate: NOW })).rejects.toThrow('typ')
    expect(claimsOf(token)).toMatchObject({ demo: true, iss: ISSUER[mode] })
  })

  it('and only there: a production token has no mark', () => {
    const { token } = issuerWith().issue(request())
    expect(decodeProtectedHeader(token).typ).toBe('JWT')
    expect(claimsOf(token)).not.toHaveProperty('demo')
  })

  it('the issuer ends in .invalid, and never in production', () => {
    expect(() => issuerWith({ mode: 'demo', issuer: ISSUER.production })).toThrow('.invalid')
    expect(() => issuerWith({ mode: 'test', issuer: 'https://x.invalid.example' })).toThrow('.invalid')
    expect(() => issuerWith({ mode: 'production', issuer: ISSUER.demo })).toThrow('.invalid')
    expect(issuerWith({ issuer: 'http://127.0.0.1:8080' }).algorithms).toEqual(['ES256'])
  })
})

describe('the size of a token', () => {
  it('stays under 4 KiB with the largest claims', () => {
    const guest_policy = { debug: 'DANGEROUSLY_ALLOW', migrate_ma: 'DANGEROUSLY_ALLOW' }
    const weak = { snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY', crl: { mode: 'DANGEROUSLY_OFF' }, guest_policy } }
    const largest = policyWith({ ...weak, issue_on: 'warning', key_binding: 'DANGEROUSLY_OPTIONAL' }, 'p'.repeat(64))
    const issuer = issuerWith({ issuer: `https://${'i'.repeat(92)}` })
    const sizeFor = (overrides: Partial<TokenRequest>): number => issuer.issue(request(overrides)).token.length
    const base = { policy: largest, appraisal: appraisalUnder(largest.reference), nonce: new Uint8Array(64).fill(0xff) }
    expect(sizeFor({ ...base, cnf: cnfOf('rsa'), audience: audience('a'.repeat(200)) })).toBeLessThan(4096)
    expect(sizeFor({ ...base, cnf: cnfOf('ec'), audience: audience('a'.repeat(200)) })).toBeLessThan(4096)
    expect(() => issuerWith({ issuer: `https://${'i'.repeat(93)}` })).toThrow('101 characters')
  })

  it('leaves room for every bit and all four TCBs beside a key of usual size', () => {
    const text = JSON.stringify(issued({ cnf: cnfOf('ec') }))
    for (const name of ['committed_tcb', 'launch_tcb', 'current_tcb', 'single_socket', 'tsme_enabled', 'abi_minor'])
      expect(text).toContain(name)
  })

  it('leaves out the ID block only where it must', () => {
    const cnf = cnfOf('rsa')
    expect(JSON.stringify(issued({ cnf }))).toContain('id_key_digest')
    expect(JSON.stringify(issued({ cnf }))).not.toContain('committed_tcb')
    expect(JSON.stringify(issued({ cnf, audience: audience('a'.repeat(200)) }))).not.toMatch(/id_key_digest|csp_id/)
  })
})

describe('jwks', () => {
  it('shows the public key by its thumbprint and nothing private', async () => {
    const { keys } = issuerWith().jwks()
    expect(keys).toHaveLength(1)
    const [key = {}] = keys
    expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(key).toMatchObject({ alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(key) })
  })
})

describe('several algorithms', () => {
  const signingKeys = TOKEN_ALGORITHMS.map((alg, nth) => tokenKey(alg, nth))
  const issuer = issuerWith({ tokenKeys: fixedTokenKeys(signingKeys) })
  const jwks = createLocalJWKSet(JSON.parse(JSON.stringify(issuer.jwks())) as JSONWebKeySet)

  it.each(TOKEN_ALGORITHMS)('the audience gets tokens that are signed with %s, and jose verifies them with the JWKS', async (alg) => {
    const { token } = issuer.issue(request({ audience: audience('https://rp.example', alg) }))
    const { protectedHeader, payload } = await jwtVerify(token, jwks, { algorithms: [alg], typ: 'JWT', currentDate: NOW })
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: signingKeys.find((key) => key.alg === alg)?.kid })
    expect(payload.aud).toBe('https://rp.example')
  })

  it('are all told, with a key each', () => {
    expect(issuer.algorithms).toEqual(TOKEN_ALGORITHMS)
    expect(issuer.jwks().keys.map(({ alg, kid, use }) => ({ alg, kid, use }))).toEqual(
      signingKeys.map(({ alg, kid }) => ({ alg, kid, use: 'sig' })),
    )
    expect(JSON.stringify(issuer.jwks())).not.toMatch(/"(?:d|p|q|dp|dq|qi)":/)
  })

  it('need a key each: none is issued without, and none with another', () => {
    expect(() => issuerWith().issue(request({ audience: audience('https://rp.example', 'ES384') }))).toThrow(code('not-ready'))
    expect(() => issuerWith().ensureKey('ES384')).toThrow(code('not-ready'))
    expect(() => issuerWith().ensureKey('ES256')).not.toThrow()
  })

  it.each(TOKEN_ALGORITHMS)('leave a token under 4 KiB with the longest names: %s', (alg) => {
    const { token } = issuer.issue(
      request({ audience: audience('a'.repeat(200), alg), cnf: cnfOf('rsa'), nonce: new Uint8Array(64).fill(255) }),
    )
    expect(token.length).toBeLessThan(4096)
  })

  it('leave it under 4 KiB also with the longest signature', () => {
    // A signature of 4096 bits is 341 characters longer than one of 2048; here the header is.
    const longest = { ...tokenKey('PS384'), kid: 'k'.repeat(43 + 256) }
    const service = issuerWith({ tokenKeys: fixedTokenKeys([longest]) })
    const sizeFor = (cnf: CnfKey) => service.issue(request({ audience: audience('a'.repeat(200), 'PS384'), cnf })).token.length
    expect(sizeFor(cnfOf('ec'))).toBeLessThan(4096)
    expect(sizeFor(cnfOf('rsa'))).toBeLessThan(4096)
  })
})
