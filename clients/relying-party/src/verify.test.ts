import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { tokenKey } from '../../../test/token-keys.ts'
import {
  ACCEPT,
  AUDIENCE,
  changed,
  claimsOf,
  compactOf,
  DEMO_ISSUER,
  IAT,
  ISSUER,
  jwksOf,
  minted,
  NOW,
  options,
  outcome,
  policy,
  refusal,
  resigned,
  verify,
  WEAKENINGS,
} from '../test/lab.ts'
import { ALGORITHMS } from './jwk.ts'
import { verifyAttestation, type VerifyOptions } from './verify.ts'

const { token } = minted()
const key = tokenKey('ES256')
const header = { alg: 'ES256', typ: 'JWT', kid: key.kid }
const later = (seconds: number): Partial<VerifyOptions> => ({ now: () => new Date((IAT + seconds) * 1000) })
const withOptions = (overrides: object) => verifyAttestation(token, { ...options(), ...overrides })

describe('a token of the service', () => {
  it('gives its claims, typed', async () => {
    const { claims, items, profile, confirmed, header: read } = await verify(token)
    expect({ profile, confirmed, read }).toEqual({ profile: 'lean', confirmed: 'bearer', read: header })
    expect(claims).toEqual(claimsOf(token))
    expect(items).toMatchObject([{ label: 'cpu0', status: 'affirming', fresh: true, policy: policy.reference }])
    expect(items[0]?.assay.snp?.measurement).toBe('3e'.repeat(48))
  })

  it.each(ALGORITHMS)('is taken with %s, and refused where another algorithm is named', async (alg) => {
    const one = minted({ alg })
    expect(await outcome(verify(one.token, { jwks: one.jwks }))).toBe('accepted')
    expect(await outcome(verify(one.token, { jwks: one.jwks, algorithms: [alg] }))).toBe('accepted')
    const others = ALGORITHMS.filter((other) => other !== alg)
    expect(await outcome(verify(one.token, { jwks: one.jwks, algorithms: others }))).toBe('algorithm-not-allowed')
  })

  it.each(['ear', 'ear-veraison'] as const)('of profile %s says the same, where it is asked for', async (profile) => {
    const one = minted({ profile }).token
    const { items, profile: read } = await verify(one, { accept: { ...ACCEPT, profiles: [profile] } })
    const lean = await verify(token)
    expect(read).toBe(profile)
    expect(items[0]).toMatchObject({
      label: 'cpu0',
      status: 'affirming',
      fresh: true,
      weakenings: WEAKENINGS,
      trustworthiness: { hardware: 2 },
    })
    expect(items[0]?.assay.snp).toEqual(lean.items[0]?.assay.snp)
    expect(items[0]?.policy).toEqual(lean.items[0]?.policy)
    expect(await outcome(verify(one))).toBe('type-not-allowed')
  })
})

describe('the header', () => {
  it.each([
    ['jku', { jku: 'https://evil.example/jwks' }],
    ['jwk', { jwk: key.publicJwk }],
    ['x5u', { x5u: 'https://evil.example/chain' }],
    ['x5c', { x5c: ['AAAA'] }],
    ['cty', { cty: 'JWT' }],
  ])('may not hold %s', async (name, more) => {
    const error = await refusal(changed({}, more).then((one) => verify(one)))
    expect([error.code, error.facts]).toEqual(['header-not-allowed', { foreign: [name] }])
  })

  it.each([
    ['an unknown crit', { ...header, crit: ['x'], x: 1 }, 'header-not-allowed'],
    ['an empty crit', { ...header, crit: [] }, 'header-not-allowed'],
    ['b64: false', { ...header, b64: false, crit: ['b64'] }, 'header-not-allowed'],
    ['alg none', { ...header, alg: 'none' }, 'algorithm-not-allowed'],
    ['alg None', { ...header, alg: 'None' }, 'algorithm-not-allowed'],
    ['no alg', { typ: 'JWT', kid: key.kid }, 'algorithm-not-allowed'],
    ['alg as a list', { ...header, alg: ['ES256'] }, 'algorithm-not-allowed'],
    ['an algorithm that Assay does not sign with', { ...header, alg: 'ES512' }, 'algorithm-not-allowed'],
    ['an algorithm of another key', { ...header, alg: 'ES384' }, 'key-unusable'],
    ['no typ', { alg: 'ES256', kid: key.kid }, 'type-not-allowed'],
    ['no kid', { alg: 'ES256', typ: 'JWT' }, 'key-unknown'],
    ['a type that is no text', { ...header, typ: ['JWT'] }, 'type-not-allowed'],
    ['typ jwt', { ...header, typ: 'jwt' }, 'type-not-allowed'],
    ['typ at+jwt', { ...header, typ: 'at+jwt' }, 'type-not-allowed'],
    ['typ of the EAR profiles', { ...header, typ: 'eat+jwt' }, 'type-not-allowed'],
    ['an unknown kid', { ...header, kid: 'another' }, 'key-unknown'],
    ['a kid with a name of objects', { ...header, kid: 'constructor' }, 'key-unknown'],
  ])('is refused with %s', async (_, wrong, code) => {
    expect(await outcome(verify(compactOf(wrong, JSON.stringify(claimsOf(token)))))).toBe(code)
  })

  it('cannot make the public key a shared secret', async () => {
    for (const secret of [JSON.stringify(key.publicJwk), Buffer.from(key.publicJwk.kty)]) {
      const input = `${Buffer.from(JSON.stringify({ ...header, alg: 'HS256' })).toString('base64url')}.${token.split('.')[1] ?? ''}`
      const forged = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      expect(await outcome(verify(forged))).toBe('algorithm-not-allowed')
    }
  })
})

describe('the signature', () => {
  it('must be of the published key', async () => {
    const other = { ...tokenKey('ES256', 1), kid: key.kid }
    expect(await outcome(resigned(claimsOf(token), {}, other).then((one) => verify(one)))).toBe('signature-invalid')
    const [head, payload, signature = ''] = token.split('.')
    const [, otherPayload] = (await changed({ sub: 'another' })).split('.')
    expect(await outcome(verify([head, otherPayload, signature].join('.')))).toBe('signature-invalid')
    expect(await outcome(verify([head, payload, signature.slice(0, -2)].join('.')))).toBe('signature-invalid')
  })
})

describe('the claims', () => {
  it.each([
    ['another issuer', { iss: 'https://attest.example/' }, 'issuer-mismatch'],
    ['another audience', { aud: 'https://rp.example/' }, 'audience-mismatch'],
    ['a list of audiences', { aud: [AUDIENCE] }, 'claims-malformed'],
    ['a list of audiences, ours among them', { aud: [AUDIENCE, 'https://other.example'] }, 'claims-malformed'],
    ['another profile', { eat_profile: 'urn:assay:token:lean:2' }, 'profile-not-accepted'],
    ['a profile of another type', { eat_profile: 'tag:ietf.org,2026:rats/ear#03' }, 'profile-not-accepted'],
    ['the mark of a demonstration', { demo: true }, 'demo-not-accepted'],
    ['demo: false', { demo: false }, 'claims-malformed'],
    ['exp as a text', { exp: String(IAT + 300) }, 'claims-malformed'],
    ['exp with a fraction', { exp: IAT + 300.5 }, 'claims-malformed'],
    ['no exp', { exp: undefined }, 'claims-malformed'],
    ['no nbf', { nbf: undefined }, 'claims-malformed'],
    ['no iat', { iat: undefined }, 'claims-malformed'],
    ['no sub', { sub: undefined }, 'claims-malformed'],
    ['no submods', { submods: undefined }, 'claims-malformed'],
    ['empty submods', { submods: {} }, 'claims-malformed'],
    ['a submod that is none', { submods: { cpu0: {} } }, 'claims-malformed'],
    ['a cnf that is none', { cnf: 'key' }, 'claims-malformed'],
    ['a life of more than 15 minutes', { exp: IAT + 901 }, 'lifetime-too-long'],
    ['an end before its beginning', { exp: IAT }, 'lifetime-too-long'],
    ['nbf behind iat', { nbf: IAT + 1 }, 'lifetime-too-long'],
    ['a life of 15 minutes', { exp: IAT + 900 }, 'accepted'],
    ['a claim that nobody knows', { more: { than: 'known' } }, 'accepted'],
  ])('with %s: %s', async (_, claims, code) => {
    expect(await outcome(changed(claims).then((one) => verify(one)))).toBe(code)
  })

  it.each([
    ['a list', '[]'],
    ['no JSON', '{'],
    ['a member twice', `{"iss":"https://evil.example",${JSON.stringify(claimsOf(token)).slice(1)}`],
    ['a member twice, deep inside', JSON.stringify(claimsOf(token)).replace('"status":', '"status":"affirming","status":')],
    ['a member twice, spelled otherwise', `{"\\u0069ss":"x",${JSON.stringify(claimsOf(token)).slice(1)}`],
    ['nesting without end', `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`],
    ['a byte order mark', `\ufeff${JSON.stringify(claimsOf(token))}`],
    ['no UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])],
  ])('are refused as %s', async (_, payload) => {
    expect(await outcome(verify(compactOf(header, payload)))).toBe('claims-malformed')
  })

  it('name what is wrong for the log', async () => {
    const error = await refusal(changed({ aud: [AUDIENCE] }).then((one) => verify(one)))
    expect([error.facts, error.status, error.name]).toEqual([{ claim: 'aud' }, 401, 'AttestationRefused'])
    const submod = await refusal(changed({ submods: { tpm0: {} } }).then((one) => verify(one)))
    expect(submod.facts).toEqual({ claim: 'submods.tpm0' })
  })
})

describe('the time', () => {
  const exp = Number(claimsOf(token)['exp']) - IAT
  it.each([
    { when: 'a moment before its end', seconds: exp - 0.001, toleranceSeconds: 0, code: 'accepted' },
    { when: 'at its end', seconds: exp, toleranceSeconds: 0, code: 'token-expired' },
    { when: 'one second after', seconds: exp + 1, toleranceSeconds: 0, code: 'token-expired' },
    { when: 'one second after, with two of tolerance', seconds: exp + 1, toleranceSeconds: 2, code: 'accepted' },
    { when: 'as far behind as the tolerance', seconds: exp + 2, toleranceSeconds: 2, code: 'token-expired' },
    { when: 'when the clock is 30 s behind', seconds: -30, toleranceSeconds: 0, code: 'accepted' },
    { when: 'when it is more behind', seconds: -30.001, toleranceSeconds: 0, code: 'token-not-yet-valid' },
    { when: 'when tolerance helps', seconds: -32, toleranceSeconds: 2, code: 'accepted' },
    { when: 'when tolerance does not', seconds: -32.001, toleranceSeconds: 2, code: 'token-not-yet-valid' },
  ])('$when: $seconds s after iat, tolerance $toleranceSeconds: $code', async ({ seconds, toleranceSeconds, code }) => {
    expect(await outcome(verify(token, { ...later(seconds), toleranceSeconds }))).toBe(code)
  })

  it('does not let an early nbf stand for a late iat', async () => {
    const future = await changed({ nbf: IAT - 3600, iat: IAT + 31, exp: IAT + 300 })
    expect(await outcome(verify(future, later(0)))).toBe('token-not-yet-valid')
    expect(await outcome(verify(future, later(1)))).toBe('accepted')
  })

  it('is bounded by nbf, too, where that is later', async () => {
    const bounded = await changed({ nbf: IAT })
    expect(await outcome(verify(bounded, later(0)))).toBe('accepted')
    const error = await refusal(verify(bounded, later(-10)))
    expect([error.code, error.facts]).toEqual([
      'token-not-yet-valid',
      { iat: IAT, nbf: IAT, exp: IAT + 300, now: new Date((IAT - 10) * 1000).toISOString(), tolerance: 0 },
    ])
  })

  it('is that of this machine where nobody says more', async () => {
    const { now: _, ...rest } = options()
    expect(await outcome(verifyAttestation(minted({ now: new Date() }).token, rest))).toBe('accepted')
    expect(await outcome(verifyAttestation(minted({ now: new Date(Date.now() - 3_600_000) }).token, rest))).toBe('token-expired')
  })
})

describe('mode', () => {
  const demo = minted({ mode: 'demo' }).token
  const accept = { ...ACCEPT, demo: 'DANGEROUSLY_ACCEPT_DEMO' as const }
  it('demo is refused unless asked for, and then nothing else is taken', async () => {
    expect(await outcome(verify(demo))).toBe('demo-not-accepted')
    expect(await outcome(verify(demo, { issuer: DEMO_ISSUER, accept }))).toBe('accepted')
    const unmarked = await resigned({ ...claimsOf(demo), demo: undefined }, { typ: 'demo+JWT' })
    expect(await outcome(verify(unmarked, { issuer: DEMO_ISSUER, accept }))).toBe('demo-not-accepted')
    const production = await resigned({ ...claimsOf(token), iss: DEMO_ISSUER })
    expect(await outcome(verify(production, { issuer: DEMO_ISSUER, accept }))).toBe('type-not-allowed')
  })

  it('and issuer must agree, whatever is asked for', async () => {
    expect(await outcome(verify(demo, { issuer: DEMO_ISSUER }))).toBe('options-invalid')
    expect(await outcome(verify(token, { accept }))).toBe('options-invalid')
  })

  it('test is like demo', async () => {
    const test = minted({ mode: 'test' }).token
    expect(await outcome(verify(test))).toBe('demo-not-accepted')
    expect(await outcome(verify(test, { issuer: DEMO_ISSUER, accept }))).toBe('issuer-mismatch')
  })
})

describe('freshness', () => {
  const nonce = Buffer.from('a nonce of the relying party')
  const own = minted({ nonce, appraisal: { freshness: 'relying-party' } }).token
  const text = nonce.toString('base64url')
  it('of a nonce of the relying party demands that nonce', async () => {
    expect(await outcome(verify(own))).toBe('nonce-mismatch')
    expect((await refusal(verify(own, { nonce: 'another' }))).facts).toEqual({ actual: text, expected: 'another' })
    expect(await outcome(verify(own, { nonce: text }))).toBe('accepted')
    expect(await outcome(verify(token, { nonce: text }))).toBe('nonce-mismatch')
    expect(await outcome(verify(own, { nonce: text, accept: { ...ACCEPT, freshness: ['challenge'] } }))).toBe('freshness-not-accepted')
  })

  it('time-boxed is taken by name only', async () => {
    const boxed = minted({ appraisal: { freshness: 'time-boxed' } }).token
    expect((await refusal(verify(boxed))).facts).toEqual({ actual: 'time-boxed', accepted: ['challenge', 'relying-party'] })
    expect(await outcome(verify(boxed, { accept: { ...ACCEPT, freshness: ['time-boxed'] } }))).toBe('accepted')
  })

  it('needs evidence that carries the nonce', async () => {
    const { cpu0 } = claimsOf(token)['submods'] as { cpu0: object }
    const stale = await changed({ submods: { cpu0: { ...cpu0, fresh: false } } })
    expect((await refusal(verify(stale))).facts).toEqual({ why: 'no evidence carries the nonce' })
    expect(await outcome(changed({ submods: { cpu0, tpm0: { ...cpu0, fresh: false } } }).then((one) => verify(one)))).toBe('accepted')
  })
})

describe('options', () => {
  it.each([
    ['no issuer', { issuer: undefined }],
    ['an issuer that is no URL', { issuer: 'attest' }],
    ['no audience', { audience: undefined }],
    ['an empty audience', { audience: '' }],
    ['no confirm', { confirm: undefined }],
    ['another confirm', { confirm: 'bearer' }],
    ['two confirms', { confirm: { dpop: {}, tls: {} } }],
    ['an empty confirm', { confirm: {} }],
    ['a confirm without a request', { confirm: { dpop: undefined } }],
    ['a confirm without a peer', { confirm: { tls: 'certificate' } }],
    ['a list of confirms', { confirm: ['DANGEROUSLY_BEARER'] }],
    ['no accept', { accept: undefined }],
    ['a negative tolerance', { toleranceSeconds: -1 }],
    ['a tolerance of more than a minute', { toleranceSeconds: 61 }],
    ['a tolerance that is no number', { toleranceSeconds: Number.NaN }],
    ['an unknown algorithm', { algorithms: ['HS256'] }],
    ['one unknown algorithm', { algorithms: ['ES256', 'HS256'] }],
    ['two sources of keys', { jwksUri: 'https://attest.example/jwks' }],
  ])('refuse %s', async (_, wrong) => {
    const error = await refusal(withOptions(wrong))
    expect([error.code, error.status]).toEqual(['options-invalid', 500])
    expect(error.facts['option'] ?? 'none').not.toBe('')
    expect(Object.keys(wrong)).toContain(String(error.facts['option']).replace(/^keys$/, 'jwksUri'))
  })

  it('take the bounds of tolerance', async () => {
    expect(await outcome(withOptions({ toleranceSeconds: 0 }))).toBe('accepted')
    expect(await outcome(withOptions({ toleranceSeconds: 60 }))).toBe('accepted')
  })

  it('may hold a set of keys that is not one, which is told', async () => {
    expect(await outcome(verify(token, { jwks: { keys: 'none' } }))).toBe('keys-invalid')
    expect(await outcome(verify(token, { jwks: { keys: [] } }))).toBe('key-unknown')
    expect(await outcome(verify(token, { jwks: jwksOf(tokenKey('ES256', 1)) }))).toBe('key-unknown')
  })
})

describe('the issuer and the audience', () => {
  it('are compared as they are written', async () => {
    expect(await outcome(verify(token, { issuer: `${ISSUER}/` }))).toBe('issuer-mismatch')
    expect(await outcome(verify(token, { audience: 'https://RP.example' }))).toBe('audience-mismatch')
    expect(NOW.getTime()).toBeGreaterThan(IAT * 1000)
  })
})

const factsOf = async (one: string | Promise<string>, overrides: Partial<VerifyOptions> = {}): Promise<unknown> => {
  const { code, facts } = await refusal(verify(await one, overrides))
  return { code, ...facts }
}

describe('why a token is refused', () => {
  const payload = JSON.stringify(claimsOf(token))

  it('is told to the relying party', async () => {
    expect(await factsOf(changed({ iss: 'x' }))).toEqual({ code: 'issuer-mismatch', actual: 'x', expected: ISSUER })
    expect(await factsOf(changed({ aud: 'x' }))).toEqual({ code: 'audience-mismatch', actual: 'x', expected: AUDIENCE })
    expect(await factsOf(changed({ eat_profile: 'x' }))).toEqual({
      code: 'profile-not-accepted',
      actual: 'x',
      accepted: ['urn:assay:token:lean:1'],
    })
    expect(await factsOf(changed({ demo: true }))).toEqual({ code: 'demo-not-accepted', demo: true })
    expect(await factsOf(minted({ mode: 'demo' }).token)).toEqual({ code: 'demo-not-accepted', typ: 'demo+JWT' })
    expect(await factsOf(changed({}, { typ: 'x' }))).toEqual({ code: 'type-not-allowed', typ: 'x', accepted: ['JWT'] })
    const both = { accept: { ...ACCEPT, profiles: ['lean', 'ear'] } } as const
    expect(await factsOf(changed({}, { typ: 'eat+jwt' }), both)).toEqual({ code: 'type-not-allowed', typ: 'eat+jwt', profile: 'lean' })
    expect(await factsOf(token, { algorithms: ['EdDSA'] })).toEqual({ code: 'algorithm-not-allowed', alg: 'ES256', algorithms: ['EdDSA'] })
    expect(await factsOf(compactOf({ ...header, kid: 1 }, payload))).toEqual({ code: 'key-unknown', kid: 1 })
    expect(await factsOf(compactOf({ ...header, kid: 'k' }, payload))).toEqual({ code: 'key-unknown', kid: 'k' })
    expect(await factsOf(compactOf({ ...header, alg: 'ES384' }, payload))).toEqual({
      code: 'key-unusable',
      kid: key.kid,
      why: 'it is for ES256',
    })
    const unusable = { keys: [{ ...jwksOf(key).keys[0], use: 'enc' }] }
    expect(await factsOf(token, { jwks: unusable })).toEqual({ code: 'key-unusable', kid: key.kid, why: 'its use is not sig' })
  })

  it('is told of options, too', async () => {
    const accept = { ...ACCEPT, demo: 'DANGEROUSLY_ACCEPT_DEMO' } as const
    expect(await factsOf(token, { accept })).toEqual({
      code: 'options-invalid',
      option: 'accept.demo',
      why: 'demo issuers end in .invalid',
    })
    expect(await factsOf(token, { jwks: {}, jwksUri: 'https://x.example' })).toEqual({
      code: 'options-invalid',
      option: 'keys',
      why: 'one of keys, jwksUri, jwks',
    })
    expect(await factsOf(token, { issuer: 'https://attest.invalid.example', jwks: jwksOf(key) })).toMatchObject({ code: 'issuer-mismatch' })
  })

  it('keeps what jose said', async () => {
    const error = await refusal(verify(`${token.slice(0, -86)}${'A'.repeat(86)}`))
    expect([error.code, (error.cause as Error).name]).toEqual(['signature-invalid', 'JWSSignatureVerificationFailed'])
    expect('cause' in (await refusal(verify('')))).toBe(false)
  })
})
