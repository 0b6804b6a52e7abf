import { createPublicKey, sign, verify } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { tokenKey } from '../../test/token-keys.ts'
import { TOKEN_ALGORITHMS } from '../access/audiences.ts'
import { createSigner, p1363FromDer } from './sign.ts'

describe.each(TOKEN_ALGORITHMS)('createSigner with %s', (alg) => {
  const own = tokenKey(alg)

  it('makes a JWS that jose verifies, with alg, typ and kid in its header and no key', async () => {
    const jws = createSigner(own, 'demo+JWT')('{"claim":"ünïcode"}')
    const { payload, protectedHeader } = await compactVerify(jws, await importJWK({ ...own.publicJwk }, alg), { algorithms: [alg] })
    expect(protectedHeader).toEqual({ alg, typ: 'demo+JWT', kid: own.kid })
    expect(Buffer.from(payload).toString('utf8')).toBe('{"claim":"ünïcode"}')
  })

  it('makes none that another key verifies', async () => {
    const jws = createSigner(own, 'JWT')('{}')
    await expect(compactVerify(jws, await importJWK({ ...tokenKey(alg, 1).publicJwk }, alg))).rejects.toThrow('signature')
  })

  it('refuses a key whose public half is another one’s', () => {
    expect(() => createSigner({ ...own, publicJwk: tokenKey(alg, 1).publicJwk }, 'JWT')).toThrow('do not belong together')
  })

  it('always makes signatures of one length', () => {
    const signer = createSigner(own, 'JWT')
    expect(new Set(Array.from({ length: 20 }, (_, i) => signer(String(i + 10)).length)).size).toBe(1)
  })
})

describe('p1363FromDer', () => {
  it.each([
    { alg: 'ES256', digest: 'sha256', scalarBytes: 32 },
    { alg: 'ES384', digest: 'sha384', scalarBytes: 48 },
  ] as const)('converts every signature that OpenSSL makes, short and long integers alike: $alg', ({ alg, digest, scalarBytes }) => {
    const { publicJwk, privateKey } = tokenKey(alg)
    const publicKey = createPublicKey({ key: { ...publicJwk }, format: 'jwk' })
    const lengths = new Set<number>()
    const wrong = Array.from({ length: 500 }, (_, i) => Buffer.from(`message ${i}`)).filter((message) => {
      const der = sign(digest, message, privateKey)
      lengths.add(der.length)
      return !verify(digest, message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, p1363FromDer(der, scalarBytes))
    })
    expect(wrong).toEqual([])
    // The longest, one and two bytes less each come in a quarter of all or more: integers with and without a leading zero have been met.
    expect(lengths.size).toBeGreaterThanOrEqual(3)
  })

  it('right-aligns short integers', () => {
    const r = p1363FromDer(Buffer.from('3006020101020102', 'hex'), 32)
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
    expect(() => p1363FromDer(Buffer.from(hex, 'hex'), 32)).toThrow(/DER|curve/)
  })
})
