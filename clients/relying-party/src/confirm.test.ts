import { execFileSync } from 'node:child_process'
import { X509Certificate, createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changed, guestKey, IAT, minted, NOW, options, outcome, refusal, verify, type GuestKey } from '../test/lab.ts'
import type { DpopRequest } from './dpop.ts'
import { rememberInMemory } from './replay.ts'
import type { TlsPeer } from './tls.ts'
import { verifyAttestation } from './verify.ts'

const URL_OF_REQUEST = 'https://rp.example/secrets/1'
const ath = (token: string): string => createHash('sha256').update(token).digest('base64url')
let guest: GuestKey
let other: GuestKey
let token: string
beforeAll(async () => {
  guest = await guestKey()
  other = await guestKey()
  token = minted({ cnf: guest.jwk }).token
})

const clock = (): Date => new Date()
const jwkOf = (key: KeyObject): JWK => key.export({ format: 'jwk' })
const over = (one: string, tls: TlsPeer): Promise<string> => outcome(verify(one, { confirm: { tls } }))

type Proof = { readonly claims?: object; readonly header?: object; readonly key?: GuestKey }
const proofOf = async ({ claims = {}, header = {}, key = guest }: Proof = {}): Promise<string> =>
  new SignJWT({ jti: crypto.randomUUID(), htm: 'GET', htu: URL_OF_REQUEST, iat: IAT, ath: ath(token), ...claims })
    .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(key.privateKey)
const seen = rememberInMemory(() => NOW)
const withProof = async (proof: Proof | string | undefined, request: Partial<DpopRequest> = {}): Promise<string> => {
  const text = typeof proof === 'object' ? await proofOf(proof) : proof
  return outcome(verify(token, { confirm: { dpop: { proof: text, method: 'GET', url: URL_OF_REQUEST, seen, ...request } } }))
}

describe('a bound token', () => {
  it('is taken as bearer only where that is said', async () => {
    expect((await verify(token)).confirmed).toBe('bearer')
    const { confirm: _, ...rest } = options()
    expect(await outcome(verifyAttestation(token, { ...rest, confirm: undefined as never }))).toBe('options-invalid')
  })

  it('is refused without a proof, and a token that is bound to nothing with one', async () => {
    expect(await withProof(undefined)).toBe('proof-missing')
    const bearer = minted().token
    const proof = await proofOf({ claims: { ath: ath(bearer) } })
    expect(await outcome(verify(bearer, { confirm: { dpop: { proof, method: 'GET', url: URL_OF_REQUEST } } }))).toBe('confirmation-missing')
    expect(await outcome(verify(bearer, { confirm: { tls: { certificate: undefined } } }))).toBe('confirmation-missing')
  })
})

describe('DPoP', () => {
  it.each(['ES256', 'ES384', 'EdDSA', 'RS256'] as const)('takes a proof of a key for %s', async (alg) => {
    const key = await guestKey(alg)
    const bound = minted({ cnf: key.jwk }).token
    const proof = await proofOf({ key, claims: { ath: ath(bound) } })
    const { confirmed } = await verify(bound, { confirm: { dpop: { proof, method: 'GET', url: URL_OF_REQUEST } } })
    expect(confirmed).toBe('dpop')
  })

  it('compares addresses without query and fragment, and as addresses', async () => {
    expect(await withProof({ claims: { htu: 'https://RP.example:443/secrets/1' } }, { url: `${URL_OF_REQUEST}?a=b#c` })).toBe('accepted')
    expect(await withProof({ claims: { htu: `${URL_OF_REQUEST}?a=b#c` } })).toBe('accepted')
    expect(await withProof({ claims: { htu: 'https://rp.example/secrets/2' } })).toBe('proof-mismatch')
    expect(await withProof({ claims: { htu: 'http://rp.example/secrets/1' } })).toBe('proof-mismatch')
    expect(await withProof({ claims: { htu: 'https://rp.example.evil.example/secrets/1' } })).toBe('proof-mismatch')
    expect(await withProof({ claims: { htu: '/secrets/1' } }, { url: '/secrets/1' })).toBe('proof-mismatch')
  })

  it.each([
    ['another method', { htm: 'POST' }, 'proof-mismatch'],
    ['a method in other letters', { htm: 'get' }, 'proof-mismatch'],
    ['no method', { htm: undefined }, 'proof-mismatch'],
    ['no address', { htu: undefined }, 'proof-mismatch'],
    ['another token', { ath: ath('another') }, 'proof-mismatch'],
    ['no token', { ath: undefined }, 'proof-mismatch'],
    ['no jti', { jti: undefined }, 'proof-malformed'],
    ['an empty jti', { jti: '' }, 'proof-malformed'],
    ['a jti of 128 characters', { jti: 'j'.repeat(128) }, 'accepted'],
    ['a jti of 129', { jti: 'j'.repeat(129) }, 'proof-malformed'],
    ['no time', { iat: undefined }, 'proof-malformed'],
    ['a minute of age', { iat: IAT - 59 }, 'accepted'],
    ['more than a minute', { iat: IAT - 60 }, 'proof-outdated'],
    ['a clock that is 5 s ahead', { iat: IAT + 5 }, 'accepted'],
    ['one that is 6 s ahead', { iat: IAT + 6 }, 'proof-outdated'],
  ])('of %s: %o: %s', async (_, claims, code) => {
    expect(await withProof({ claims })).toBe(code)
  })

  it('lets the relying party say how old a proof may be', async () => {
    expect(await withProof({ claims: { iat: IAT - 60 } }, { maxAgeSeconds: 61 })).toBe('accepted')
    expect(await withProof({ claims: { iat: IAT - 5 } }, { maxAgeSeconds: 5 })).toBe('proof-outdated')
    expect(await withProof({}, { maxAgeSeconds: 3600 })).toBe('accepted')
    for (const maxAgeSeconds of [0, -1, 3601, Number.NaN, Number.POSITIVE_INFINITY])
      expect(await withProof({}, { maxAgeSeconds })).toBe('options-invalid')
  })

  it.each([
    ['another typ', { typ: 'JWT' }, 'proof-malformed'],
    ['a typ that only looks so', { typ: 'application/dpop+jwt' }, 'proof-malformed'],
    ['a member more', { kid: 'x' }, 'proof-malformed'],
    ['no key', { jwk: undefined }, 'proof-malformed'],
    ['a key as a text', { jwk: 'key' }, 'proof-malformed'],
    ['a key of another kind', { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }, 'proof-malformed'],
  ])('refuses a header with %s', async (_, header, code) => {
    expect(await withProof({ header })).toBe(code)
  })

  it('refuses a private key, and says so', async () => {
    const key = { ...guest.jwk, d: 'AAAA' }
    const error = await refusal(
      verify(token, { confirm: { dpop: { proof: await proofOf({ header: { jwk: key } }), method: 'GET', url: URL_OF_REQUEST } } }),
    )
    expect([error.code, error.facts]).toEqual(['proof-malformed', { why: 'jwk is a private key; never send one' }])
  })

  it('refuses another key, and another signature', async () => {
    expect(await withProof({ key: other })).toBe('confirmation-mismatch')
    expect(await withProof({ header: { jwk: guest.jwk }, key: { ...other, jwk: guest.jwk } })).toBe('proof-signature-invalid')
    const [x, y] = [guest.jwk.x ?? '', other.jwk.y ?? '']
    expect(await withProof({ header: { jwk: { ...guest.jwk, x, y } } })).toBe('proof-signature-invalid')
    expect(await withProof('a.b')).toBe('proof-malformed')
    expect(await withProof(`${await proofOf()}=`)).toBe('proof-malformed')
    expect(await withProof({ claims: { long: 'x'.repeat(4096) } })).toBe('proof-malformed')
  })

  it('takes each proof once, and remembers it as long as it could be used', async () => {
    const memory = rememberInMemory(() => NOW)
    const proof = await proofOf()
    expect(await withProof(proof, { seen: memory })).toBe('accepted')
    expect(await withProof(proof, { seen: memory })).toBe('proof-replayed')
    expect(await withProof(proof)).toBe('accepted')
    const told: [string, Date][] = []
    await withProof({ claims: { jti: 'one' } }, { seen: (...args) => told.push(args) === 0 })
    expect(told).toEqual([[`${await calculateJwkThumbprint(guest.jwk)}.one`, new Date((IAT + 61) * 1000)]])
    expect(await withProof({}, { seen: async () => true })).toBe('proof-replayed')
  })

  it('has a memory of its own where none is given', async () => {
    const proof = await proofOf({ claims: { iat: Math.floor(Date.now() / 1000), ath: undefined } })
    const current = minted({ cnf: guest.jwk, now: new Date() }).token
    const confirm = {
      dpop: {
        proof: await proofOf({ claims: { iat: Math.floor(Date.now() / 1000), ath: ath(current) } }),
        method: 'GET',
        url: URL_OF_REQUEST,
      },
    }
    expect(await outcome(verify(current, { confirm, now: clock }))).toBe('accepted')
    expect(await outcome(verify(current, { confirm, now: clock }))).toBe('proof-replayed')
    expect(await outcome(verify(current, { confirm: { dpop: { ...confirm.dpop, proof } }, now: clock }))).toBe('proof-mismatch')
  })

  it('wants the nonce that the relying party gave', async () => {
    expect(await withProof({}, { nonces: ['n1', 'n0'] })).toBe('proof-nonce')
    expect(await withProof({ claims: { nonce: 'n2' } }, { nonces: ['n1', 'n0'] })).toBe('proof-nonce')
    expect(await withProof({ claims: { nonce: 'n0' } }, { nonces: ['n1', 'n0'] })).toBe('accepted')
    expect(await withProof({}, { nonces: [] })).toBe('proof-nonce')
  })
})

const confirmed = async (cnf: object): Promise<string> => {
  const one = await changed({ cnf })
  return outcome(
    verify(one, { confirm: { dpop: { proof: await proofOf({ claims: { ath: ath(one) } }), method: 'GET', url: URL_OF_REQUEST, seen } } }),
  )
}

describe('cnf', () => {
  it('may name the key by its thumbprint', async () => {
    const jkt = await calculateJwkThumbprint(guest.jwk)
    expect(await confirmed({ jkt })).toBe('accepted')
    expect(await confirmed({ jkt, jwk: guest.jwk })).toBe('accepted')
    expect(await confirmed({ jkt, jwk: other.jwk })).toBe('confirmation-mismatch')
    expect(await confirmed({ jkt: 'another', jwk: guest.jwk })).toBe('confirmation-mismatch')
    expect(await confirmed({ jkt: await calculateJwkThumbprint(other.jwk) })).toBe('confirmation-mismatch')
  })

  it('is refused where it says what cannot be looked at', async () => {
    expect(await confirmed({})).toBe('confirmation-mismatch')
    expect(await confirmed({ kid: 'k' })).toBe('confirmation-mismatch')
    expect(await confirmed({ jwk: guest.jwk, 'x5t#S256': 'AAAA' })).toBe('confirmation-mismatch')
    expect(await confirmed({ jwk: { ...guest.jwk, crv: 'P-521' } })).toBe('confirmation-mismatch')
    expect(await confirmed({ jwk: { ...guest.jwk, x: 'AAAA' } })).toBe('confirmation-mismatch')
  })
})

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kit-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const certified = (key: KeyObject): X509Certificate => {
    const path = join(folder, `${crypto.randomUUID()}.pem`)
    writeFileSync(path, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    execFileSync('openssl', ['req', '-x509', '-key', path, '-subj', '/CN=guest', '-days', '1', '-out', `${path}.crt`], { stdio: 'pipe' })
    return new X509Certificate(readFileSync(`${path}.crt`))
  }
  const pairs = {
    'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    Ed25519: generateKeyPairSync('ed25519'),
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }

  it.each(Object.entries(pairs))('takes the certificate of the bound key: %s', async (name, { publicKey, privateKey }) => {
    const certificate = certified(privateKey)
    const bound = minted({ cnf: jwkOf(publicKey) }).token
    expect((await verify(bound, { confirm: { tls: { certificate: new Uint8Array(certificate.raw) } } })).confirmed).toBe('tls')
    expect(await over(bound, { certificate: certificate.toString() })).toBe('accepted')
    expect(await over(bound, { publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })) })).toBe('accepted')
    expect(await over(bound, { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() })).toBe('accepted')
    const foreign = Object.entries(pairs).find(([other_]) => other_ !== name)?.[1].privateKey ?? privateKey
    expect(await over(bound, { certificate: new Uint8Array(certified(foreign).raw) })).toBe('confirmation-mismatch')
    expect(await over(bound, { publicKey: new Uint8Array(createPublicKey(foreign).export({ type: 'spki', format: 'der' })) })).toBe(
      'confirmation-mismatch',
    )
  })

  it('takes the certificate that cnf names, and only that', async () => {
    const { publicKey, privateKey } = pairs['P-256']
    const [one, two] = [certified(privateKey), certified(privateKey)]
    const x5t = createHash('sha256').update(one.raw).digest('base64url')
    const named = await changed({ cnf: { 'x5t#S256': x5t } })
    expect(await over(named, { certificate: one.toString() })).toBe('accepted')
    expect(await over(named, { certificate: two.toString() })).toBe('confirmation-mismatch')
    expect(await over(named, { publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })) })).toBe('certificate-missing')
    const both = await changed({ cnf: { 'x5t#S256': x5t, jwk: jwkOf(publicKey) } })
    expect(await over(both, { certificate: one.toString() })).toBe('accepted')
    const split = await changed({ cnf: { 'x5t#S256': x5t, jwk: jwkOf(pairs['P-384'].publicKey) } })
    expect(await over(split, { certificate: one.toString() })).toBe('confirmation-mismatch')
    const byThumbprint = await changed({ cnf: { 'x5t#S256': x5t, jkt: 'another' } })
    expect(await over(byThumbprint, { certificate: one.toString() })).toBe('confirmation-mismatch')
  })

  it('refuses what is no certificate, or several', async () => {
    const pem = certified(pairs['P-256'].privateKey).toString()
    const bound = minted({ cnf: jwkOf(pairs['P-256'].publicKey) }).token
    expect(await over(bound, { certificate: undefined })).toBe('certificate-missing')
    expect(await over(bound, { certificate: new Uint8Array() })).toBe('certificate-missing')
    expect(await over(bound, { certificate: '' })).toBe('certificate-missing')
    expect(await over(bound, { publicKey: undefined })).toBe('certificate-missing')
    expect(await over(bound, { certificate: pem + pem })).toBe('certificate-malformed')
    expect(await over(bound, { certificate: `x${pem}` })).toBe('certificate-malformed')
    expect(await over(bound, { certificate: `${pem}x` })).toBe('certificate-malformed')
    expect(await over(bound, { certificate: `\n${pem}\n` })).toBe('accepted')
    expect(await over(bound, { certificate: new Uint8Array([1, 2, 3]) })).toBe('certificate-malformed')
    expect(await over(bound, { publicKey: pem })).toBe('certificate-malformed')
    const named = await changed({ cnf: { 'x5t#S256': 'AAAA' } })
    expect(await over(named, { certificate: '-----BEGIN CERTIFICATE-----\nA=A=\n-----END CERTIFICATE-----' })).toBe('certificate-malformed')
    expect(await over(named, { certificate: undefined })).toBe('certificate-missing')
  })
})

const factsOf = async (proof: Proof, request: Partial<DpopRequest> = {}): Promise<unknown> => {
  const dpop = { proof: await proofOf(proof), method: 'GET', url: URL_OF_REQUEST, seen, ...request }
  const { code, facts } = await refusal(verify(token, { confirm: { dpop } }))
  return { code, ...facts }
}
const factsOfCnf = async (cnf: object, confirm: 'dpop' | 'tls' = 'dpop'): Promise<unknown> => {
  const one = await changed({ cnf })
  const dpop = { proof: await proofOf({ claims: { ath: ath(one) } }), method: 'GET', url: URL_OF_REQUEST, seen }
  const { code, facts } = await refusal(verify(one, { confirm: confirm === 'dpop' ? { dpop } : { tls: { publicKey: 'x' } } }))
  return { code, ...facts }
}

describe('why a proof is refused', () => {
  it('is told to the relying party', async () => {
    const [own, foreign] = [await calculateJwkThumbprint(guest.jwk), await calculateJwkThumbprint(other.jwk)]
    expect(await factsOf({ key: other })).toEqual({ code: 'confirmation-mismatch', expected: own, actual: foreign })
    expect(await factsOf({ claims: { iat: IAT - 100 } })).toEqual({
      code: 'proof-outdated',
      age: expect.closeTo(100.4, 3),
      maxAgeSeconds: 60,
    })
    expect(await factsOf({}, { maxAgeSeconds: 0 })).toEqual({ code: 'options-invalid', option: 'maxAgeSeconds' })
    expect(await factsOf({ claims: { htm: 'POST' } })).toEqual({ code: 'proof-mismatch', member: 'htm', wanted: 'GET', actual: 'POST' })
    expect(await factsOf({ claims: { htu: 'https://x.example/a?b' } })).toEqual({
      code: 'proof-mismatch',
      member: 'htu',
      wanted: URL_OF_REQUEST,
      actual: 'https://x.example/a',
    })
    expect(await factsOf({ header: { typ: 'JWT' } })).toEqual({ code: 'proof-malformed', why: 'typ, alg or jwk is not that of a proof' })
    expect(await factsOf({ claims: { jti: '' } })).toEqual({ code: 'proof-malformed', why: 'jti has not 1 to 128 characters' })
    expect(await factsOf({ claims: { iat: '1' } })).toEqual({ code: 'proof-malformed', why: 'iat is not a number' })
    expect(await factsOf({ header: { jwk: { ...guest.jwk, x: 'AAAA' } } })).toEqual({
      code: 'proof-malformed',
      why: 'a coordinate has not 32 bytes',
    })
  })

  it('is told of cnf, too', async () => {
    const code = 'confirmation-mismatch'
    expect(await factsOfCnf({})).toEqual({ code })
    expect(await factsOfCnf({ kid: 'k', jku: 'u' })).toEqual({ code, foreign: ['kid', 'jku'] })
    expect(await factsOfCnf({ jwk: { kty: 'EC', crv: 'P-521' } })).toEqual({ code, why: 'unknown kind' })
    expect(await factsOfCnf({ jwk: { ...guest.jwk, y: 'AAAA' } })).toEqual({ code, why: 'a coordinate has not 32 bytes' })
    expect(await factsOfCnf({ jkt: 'a', jwk: guest.jwk })).toEqual({ code, jkt: 'a', thumbprint: await calculateJwkThumbprint(guest.jwk) })
    expect(await factsOfCnf({ jwk: guest.jwk }, 'tls')).toEqual({
      code: 'certificate-malformed',
      why: 'it is not one PEM block of a public key',
    })
  })

  it('is told of TLS keys, too', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const spki = key.export({ type: 'spki', format: 'pem' }).toString()
    const mismatched = await refusal(verify(token, { confirm: { tls: { publicKey: spki } } }))
    const [expected, actual] = [await calculateJwkThumbprint(guest.jwk), await calculateJwkThumbprint(key.export({ format: 'jwk' }))]
    expect(mismatched.facts).toEqual({ expected, actual })
    const garbage = await refusal(verify(token, { confirm: { tls: { publicKey: new Uint8Array([1]) } } }))
    expect(garbage.facts).toEqual({ why: 'its key is of no known kind' })
    const none = await refusal(verifyAttestation(token, { ...options(), confirm: {} as never }))
    expect(none.facts).toEqual({ option: 'confirm', expected: '{dpop}, {tls} or DANGEROUSLY_BEARER' })
  })
})
