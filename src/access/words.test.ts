import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { policySetOf } from '../appraisal/policy-set.ts'
import { strict } from '../appraisal/strict.ts'
import { memoryChallenges } from '../stores/memory.ts'
import type { ChallengeStore } from '../stores/stores.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { audienceProblems, createAudiences, type Audience } from './audiences.ts'
import { bindingInput, nonceBinding } from './binding.ts'
import { createChallenges, type ChallengeParts, type Challenges } from './challenge.ts'
import { readCnfJwk, verifyCnfProof } from './cnf.ts'
import { createCredentials } from './credentials.ts'
import { requireSecondPerson } from './roles.ts'

/** What is told to whoever is refused: code, words, the place in the request, and when to come back. */
async function refusal(act: () => unknown): Promise<readonly unknown[]> {
  try {
    await act()
  } catch (error) {
    if (error instanceof AttestationError) return [error.code, error.message, error.at ?? error.retryAfter]
    throw error
  }
  return ['nothing was refused']
}

const policies = policySetOf([strict])
const audience = (overrides: Partial<Audience>): Audience => ({
  name: 'default',
  policies: ['strict'],
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce: 'refuse',
  ...overrides,
})
const expectedOf = (...all: readonly Audience[]): readonly unknown[] =>
  audienceProblems(all, policies).map(({ path, expected }) => [path, expected])

const resolve = (asked: { audience?: string; policy?: string }) => () => createAudiences([audience({})]).resolve(asked, policies)

describe('refusals of audiences', () => {
  it('tell whether it was the audience or the policy', async () => {
    expect(await refusal(resolve({ audience: 'x' }))).toEqual([
      'audience-not-allowed',
      'the audience is not one of this service',
      'audience',
    ])
    expect(await refusal(resolve({ policy: 'x' }))).toEqual(['audience-not-allowed', 'the audience may not use this policy', 'policy'])
  })

  it('of a configuration tell what is expected', () => {
    expect(expectedOf()).toEqual([['audiences', 'at least one audience']])
    expect(expectedOf(audience({}), audience({ name: 'b' }), audience({ name: 'b' }))).toEqual([['audiences.b', 'each name once']])
    expect(expectedOf(audience({ name: 'a b' }))).toEqual([
      ['audiences.a b', '1 to 255 printable ASCII characters without blanks, quotes and wildcards'],
    ])
    expect(expectedOf(audience({ name: 'a'.repeat(255) }))).toEqual([])
    expect(expectedOf(audience({ policies: [] }))).toEqual([['audiences.default.policies', 'at least one policy']])
    expect(expectedOf(audience({ policies: ['gone'] }))).toEqual([['audiences.default.policies', 'policies that are loaded: strict']])
  })
})

describe('bindings', () => {
  it('are refused to a thumbprint or a nonce of another length', () => {
    expect(() => bindingInput({ nonce: new Uint8Array(32), thumbprint: new Uint8Array(31), audience: 'a' })).toThrow(
      'a thumbprint has 32 bytes',
    )
    expect(() => nonceBinding(new Uint8Array(65))).toThrow('a nonce has at most 64 bytes')
    expect(nonceBinding(new Uint8Array(64).fill(7))).toEqual(new Uint8Array(64).fill(7))
  })
})

const NOW = Date.parse('2026-11-24T08:00:00.000Z')

function challenges(overrides: Partial<ChallengeParts> = {}): Challenges {
  const key = createSecretKey(new Uint8Array(32).fill(7))
  return createChallenges({
    key,
    mode: 'production',
    store: memoryChallenges(),
    now: () => new Date(NOW),
    lifetimeSeconds: 300,
    ...overrides,
  })
}

const storeWith = (overrides: Partial<ChallengeStore>): ChallengeStore => ({ ...memoryChallenges(), ...overrides })

/** What is told of a challenge that was issued that many milliseconds from now. */
async function checkedAfter(milliseconds: number): Promise<readonly unknown[]> {
  const store = memoryChallenges()
  const { nonce } = await challenges({ store, now: () => new Date(NOW + milliseconds) }).issue()
  return refusal(() => challenges({ store }).check(nonce))
}

describe('refusals of challenges', () => {
  it('tell whether it is unknown, of the future, expired or spent', async () => {
    const unknown = 'the nonce is not a challenge of this service, or of an earlier start of it'
    expect(await refusal(() => challenges().check(new Uint8Array(32)))).toEqual(['challenge-unknown', unknown, 'nonce'])
    expect(await checkedAfter(31_000)).toEqual(['challenge-expired', 'the challenge was issued in the future', 'nonce'])
    expect(await checkedAfter(30_000)).toEqual(['nothing was refused'])
    expect(await checkedAfter(-300_000)).toEqual(['challenge-expired', 'the challenge expired at 2026-11-24T08:00:00.000Z', 'nonce'])
    const ours = challenges()
    const checked = await ours.check((await ours.issue()).nonce)
    await ours.spend(checked)
    expect(await refusal(() => ours.spend(checked))).toEqual(['challenge-spent', 'the challenge has been used before', 'nonce'])
  })

  it.each<readonly [string, Partial<ChallengeParts>]>([
    ['the store gave an epoch of 3 bytes', { store: storeWith({ epoch: () => Promise.resolve(new Uint8Array(3)) }) }],
    ['the store of challenges does not answer', { store: storeWith({ epoch: () => Promise.reject(new Error('gone')) }) }],
    ['the clock is too far from the store’s', { store: storeWith({ clockOffset: () => Promise.resolve(-30_001) }) }],
    ['the clock is behind a date that a vendor signed', { newestSignedDate: () => new Date(NOW + 1) }],
  ])('tell that nothing can be decided: %s', async (why, parts) => {
    expect(await refusal(() => challenges(parts).issue())).toEqual(['not-ready', why, 5])
  })

  it.each<Partial<ChallengeParts>>([
    { store: storeWith({ clockOffset: () => Promise.resolve(-30_000) }) },
    { newestSignedDate: () => new Date(NOW) },
    { newestSignedDate: () => undefined },
  ])('are none at the edge of what is tolerated: %o', async (parts) => {
    expect(await refusal(() => challenges(parts).issue())).toEqual(['nothing was refused'])
  })

  it('pass on what a store says itself', async () => {
    const store = storeWith({ spend: () => Promise.reject(new AttestationError('overloaded', 'too many', { retryAfter: 2 })) })
    const ours = challenges({ store })
    const checked = await ours.check((await ours.issue()).nonce)
    expect(await refusal(() => ours.spend(checked))).toEqual(['overloaded', 'too many', 2])
  })
})

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
/** An odd modulus of so many bits, with which nothing can be done but to read it. */
const modulus = (bits: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
  bytes[0] = 0xff >> (bytes.length * 8 - bits)
  return bytes
}
const rsa = (n: Uint8Array, e: Uint8Array): object => ({ e: b64(e), kty: 'RSA', n: b64(n) })
const F4 = Uint8Array.of(1, 0, 1)

describe('refusals of keys', () => {
  it.each<readonly [string, unknown]>([
    ['it is not an EC P-256, EC P-384, Ed25519 or RSA key', { kty: 'EC', crv: 'P-521' }],
    ['it has other members than crv, kty, x, y', { ...P256, d: 'AA' }],
    ['it has other members than e, kty, n', { kty: 'RSA', n: 'AQ' }],
    ['it is not an object', null],
    ['it is not an object', []],
    ['a member is not a string', { ...P256, x: 7 }],
    ['x has not 32 bytes', { ...P256, x: 'AA' }],
    ['y has not 48 bytes', { ...P256, crv: 'P-384', x: b64(new Uint8Array(48)) }],
    ['x is not a canonical Ed25519 key, or one of small order', { kty: 'OKP', crv: 'Ed25519', x: b64(new Uint8Array(32)) }],
    ['n has not 2048 to 4096 bits', rsa(modulus(2047), F4)],
    ['n has not 2048 to 4096 bits', rsa(modulus(4097), F4)],
    ['e is not a number from 65537 in at most 4 bytes', rsa(modulus(2048), Uint8Array.of(3))],
    ['e is not a number from 65537 in at most 4 bytes', rsa(modulus(2048), Uint8Array.of(0xff, 0xff))],
    ['e is not a number from 65537 in at most 4 bytes', rsa(modulus(2048), Uint8Array.of(1, 0, 0, 0, 1))],
    ['a member is not canonical base64url', { kty: 'RSA', n: 'A', e: 'AQAB' }],
    ['a number has leading zeros', { kty: 'RSA', n: b64(Uint8Array.of(0, 1)), e: 'AQAB' }],
    ['a number is even', { kty: 'RSA', n: b64(Uint8Array.of(2)), e: 'AQAB' }],
    ['it is not a point of its curve', { ...P256, x: b64(new Uint8Array(32).fill(0xff)) }],
  ])('tell that %s', async (why, jwk) => {
    expect(await refusal(() => readCnfJwk(jwk))).toEqual(['cnf-key-invalid', `cnf_jwk: ${why}`, 'cnf_jwk'])
  })

  it.each([
    [2048, F4],
    [2049, F4],
    [4096, Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
  ])('are none of a modulus of %i bits with the exponent %o', async (bits, exponent) => {
    expect(await refusal(() => readCnfJwk(rsa(modulus(bits), exponent)))).toEqual(['nothing was refused'])
  })

  it('tell that a proof is none', async () => {
    const { key } = readCnfJwk(P256)
    const why = 'cnf_proof is not a signature of cnf_jwk over this binding'
    expect(await refusal(() => verifyCnfProof(key, new Uint8Array(144), randomBytes(70)))).toEqual(['cnf-proof-invalid', why, 'cnf_proof'])
  })
})

describe('refusals of callers', () => {
  it('tell what is wrong with what they presented', async () => {
    const { authenticate } = createCredentials([])
    const header = 'the Authorization header is not `Bearer` with one token'
    expect(await refusal(() => authenticate('Basic x'))).toEqual(['unauthenticated', header, 'Authorization'])
    expect(await refusal(() => authenticate('Bearer x'))).toEqual([
      'unauthenticated',
      'the token is not one that the operator issued',
      'Authorization',
    ])
    expect(await refusal(() => requireSecondPerson({ activator: 'ann', author: 'ann', separate: true }))).toEqual([
      'activator-is-author',
      'another operator must activate what this one wrote',
      'Authorization',
    ])
  })
})
