import { generateKeyPairSync } from 'node:crypto'
import type { JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { tokenKey } from '../../../test/token-keys.ts'
import { jwksOf, outcome, refusal } from '../test/lab.ts'
import { ALGORITHMS } from './jwk.ts'
import { readKeySet } from './key-set.ts'
import type { JsonObject } from './json.ts'

const jwk = (alg: (typeof ALGORITHMS)[number] = 'ES256'): Record<string, string> => ({
  ...(jwksOf(tokenKey(alg)).keys[0] as Record<string, string>),
})
const read = (...keys: readonly object[]) => readKeySet(JSON.parse(JSON.stringify({ keys })) as JsonObject)
const published = async (key: object): Promise<unknown> => {
  const one = (await read({ ...key, kid: 'k' })).get('k')
  return one !== undefined && 'unusable' in one ? one.unusable : one?.alg
}
const rsa = (bits: number, exponent = 65537): JWK =>
  generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: exponent }).publicKey.export({ format: 'jwk' })

describe('a published key', () => {
  it.each(ALGORITHMS)('for %s is taken', async (alg) => {
    expect(await published(jwk(alg))).toBe(alg)
    expect(await published({ ...jwk(alg), use: undefined, key_ops: ['verify'] })).toBe(alg)
  })

  it.each([
    ['no alg', { ...jwk(), alg: undefined }, 'its alg is absent or not one of Assay'],
    ['another alg', { ...jwk(), alg: 'ES512' }, 'its alg is absent or not one of Assay'],
    ['use enc', { ...jwk(), use: 'enc' }, 'its use is not sig'],
    ['use that is none', { ...jwk(), use: 1 }, 'its use is not sig'],
    ['key_ops for something else', { ...jwk(), key_ops: ['encrypt'] }, 'its key_ops do not hold verify'],
    ['key_ops that are no list', { ...jwk(), key_ops: 'verify' }, 'its key_ops do not hold verify'],
    ['another kty', { ...jwk(), kty: 'OKP' }, 'kty is not that of a key for ES256'],
    ['another curve', { ...jwk(), crv: 'P-384' }, 'crv is not that of a key for ES256'],
    ['the algorithm of another curve', { ...jwk(), alg: 'ES384' }, 'crv is not that of a key for ES384'],
    ['no x', { ...jwk(), x: undefined }, 'x is not that of a key for ES256'],
    ['y as a number', { ...jwk(), y: 1 }, 'y is not that of a key for ES256'],
    ['padding', { ...jwk(), x: `${jwk()['x'] ?? ''}=` }, 'x is not canonical base64url'],
    ['a short x', { ...jwk(), x: 'AAAA' }, 'a coordinate has not 32 bytes'],
    ['a short y', { ...jwk(), y: 'AAAA' }, 'a coordinate has not 32 bytes'],
    ['a long x of Ed25519', { ...jwk('EdDSA'), x: 'A'.repeat(44) }, 'a coordinate has not 32 bytes'],
    ['a point beside its curve', { ...jwk(), y: jwk()['x'] }, 'it cannot be imported in this runtime'],
    ['RSA of 2047 bits', { ...rsa(2047), alg: 'RS256' }, 'the modulus has not 2048 to 4096 bits'],
    [
      'RSA with a zero in front',
      { kty: 'RSA', e: 'AQAB', n: Buffer.concat([Buffer.alloc(1), Buffer.alloc(256, 0xff)]).toString('base64url'), alg: 'RS256' },
      'the modulus has not 2048 to 4096 bits',
    ],
    [
      'RSA of 4104 bits',
      { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(513, 0xff).toString('base64url'), alg: 'PS256' },
      'the modulus has not 2048 to 4096 bits',
    ],
    ['RSA with another exponent', { ...rsa(2048, 3), alg: 'RS256' }, 'e is not that of a key for RS256'],
  ])('with %s is not usable', async (_, key, why) => {
    expect(await published(key)).toBe(why)
  })

  it('of RSA may have 2048 to 4096 bits', async () => {
    expect(await published({ ...rsa(2048), alg: 'RS256' })).toBe('RS256')
    expect(await published({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(512, 0xff).toString('base64url'), alg: 'PS384' })).toBe('PS384')
  })
})

describe('a key set', () => {
  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])('with the secret %s is refused as a whole', async (name) => {
    const error = await refusal(read(jwk(), { ...jwk('ES384'), [name]: 'AAAA' }))
    expect([error.code, error.facts]).toEqual(['keys-invalid', { why: 'a private or symmetric key is in it' }])
  })

  it('with a symmetric key is refused as a whole', async () => {
    expect(await outcome(read(jwk(), { kty: 'oct', kid: 's' }))).toBe('keys-invalid')
  })

  it('with two keys of one name is refused, also if one could not be used', async () => {
    const error = await refusal(read(jwk(), { ...jwk('ES384'), kid: jwk()['kid'], alg: 'ES512' }))
    expect(error.facts).toEqual({ why: 'two keys have one kid', kid: jwk()['kid'] })
  })

  it('may hold keys that are not for us', async () => {
    const keys = await read(
      { kty: 'AKP', kid: 'pq', alg: 'ML-DSA-65', pub: 'AAAA' },
      { ...jwk('ES384'), kid: undefined },
      { ...jwk('EdDSA'), kid: 1 },
      jwk(),
    )
    expect([...keys.keys()]).toEqual(['pq', jwk()['kid']])
  })

  it.each([{}, { keys: {} }, { keys: null }, { keys: [1] }, { keys: [[]] }])('must be one: %j', async (set) => {
    expect((await refusal(readKeySet(set as JsonObject))).facts).toEqual({ why: 'keys is not a list of objects' })
  })
})
