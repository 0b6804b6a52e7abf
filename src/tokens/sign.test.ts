import { createPublicKey, sign, verify } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { temporaryTokenKey } from './keys.ts'
import { createSigner, p1363FromDer } from './sign.ts'

const key = temporaryTokenKey()

describe('createSigner', () => {
  it('makes a JWS that jose verifies, with alg, typ and kid in its header and no key', async () => {
    const jws = createSigner(key, 'demo+JWT')('{"claim":"ünïcode"}')
    const { payload, protectedHeader } = await compactVerify(jws, await importJWK({ ...key.publicJwk }, 'ES256'))
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'demo+JWT', kid: key.kid })
    expect(Buffer.from(payload).toString('utf8')).toBe('{"claim":"ünïcode"}')
  })

  it('makes none that another key verifies', async () => {
    const jws = createSigner(key, 'JWT')('{}')
    await expect(compactVerify(jws, await importJWK({ ...temporaryTokenKey().publicJwk }, 'ES256'))).rejects.toThrow('signature')
  })

  it('refuses a key whose public half is another one’s', () => {
    expect(() => createSigner({ ...key, publicJwk: temporaryTokenKey().publicJwk }, 'JWT')).toThrow('do not belong together')
  })
})

describe('p1363FromDer', () => {
  it('converts every signature that OpenSSL makes, short and long integers alike', () => {
    const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' })
    const lengths = new Set<number>()
    const wrong = Array.from({ length: 2000 }, (_, i) => Buffer.from(`message ${i}`)).filter((message) => {
      const der = sign('sha256', message, key.privateKey)
      lengths.add(der.length)
      return !verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, p1363FromDer(der))
    })
    expect(wrong).toEqual([])
    // 72, 71 and 70 bytes each come in a quarter of all or more: integers with and without a leading zero have been met.
    expect(lengths.size).toBeGreaterThanOrEqual(3)
  })

  it('right-aligns short integers', () => {
    const r = p1363FromDer(Buffer.from('3006020101020102', 'hex'))
    expect(r.toString('hex')).toBe(`${'00'.repeat(31)}01${'00'.repeat(31)}02`)
  })

  it.each([
    ['nothing', ''],
    ['another tag', '3106020101020102'],
    ['a wrong length', '3007020101020102'],
    ['bytes behind the sequence', '300602010102010200'],
    ['bytes behind the integers', '300702010102010200'],
    ['one integer', '3003020101'],
    ['an empty integer', '3005020002010202'.slice(0, 14)],
    ['an integer that is longer than the rest', '3006020101020202'],
    ['another type', '3006020101040102'],
    ['an integer of 33 bytes', `302602210${'1'.padEnd(65, '1')}020101`],
  ])('refuses %s', (_, hex) => {
    expect(() => p1363FromDer(Buffer.from(hex, 'hex'))).toThrow(/DER|curve/)
  })
})
