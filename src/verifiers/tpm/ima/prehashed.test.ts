import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { curveKeyOf, verifyEcdsaDigest, verifyRsaDigest } from './prehashed.ts'

const HASHES = ['sha256', 'sha384', 'sha512']
const CURVES = ['P-256', 'P-384', 'P-521', 'secp256k1']
const MESSAGE = Buffer.from('a file')

describe('signatures over digests', () => {
  it.each(CURVES.flatMap((curve) => HASHES.map((name) => [curve, name] as const)))('of %s with %s are OpenSSL’s', (namedCurve, name) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    const key = curveKeyOf(publicKey)
    if (key === undefined) throw new Error('a key on a known curve')
    const signature = sign(name, MESSAGE, { key: privateKey, dsaEncoding: 'der' })
    const verdict = (digest: Buffer) => verifyEcdsaDigest(key, { hash: name, digest, signature })
    expect(verdict(hash(name, MESSAGE, 'buffer'))).toBe(true)
    expect(verdict(hash(name, 'another file', 'buffer'))).toBe(false)
  })

  it.each(HASHES)('of RSA with %s are OpenSSL’s', (name) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const signature = sign(name, MESSAGE, privateKey)
    expect(verifyRsaDigest(publicKey, { hash: name, digest: hash(name, MESSAGE, 'buffer'), signature })).toBe(true)
    expect(verifyRsaDigest(publicKey, { hash: name, digest: hash(name, 'another file', 'buffer'), signature })).toBe(false)
    const other = name === 'sha256' ? 'sha384' : 'sha256'
    expect(verifyRsaDigest(publicKey, { hash: other, digest: hash(name, MESSAGE, 'buffer'), signature })).toBe(false)
    expect(verifyRsaDigest(publicKey, { hash: 'sha1', digest: hash('sha1', MESSAGE, 'buffer'), signature })).toBe(false)
  })
})
