import { constants, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readPublicKey, verifyEcdsa, verifyEcdsaDer, verifyEcdsaInPlace, verifyPss } from './signatures.ts'
import { AMD_PSS } from './x509-algorithm.ts'

const data = Buffer.from('what is signed')
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p1363 = (key: typeof p384.privateKey, hash: string) => sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })

const pss = (saltLength: number, hash = 'sha384') =>
  sign(hash, data, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
const spki = (key: typeof p384.publicKey) => new Uint8Array(key.export({ type: 'spki', format: 'der' }))

describe.each(['pool', 'in-place'] as const)('verifyEcdsa, %s', (where) => {
  it('accepts P-384 with SHA-384 as r || s', async () => {
    expect(await verifyEcdsa({ key: p384.publicKey, data, signature: p1363(p384.privateKey, 'sha384') }, where)).toBe(true)
  })

  it.each([
    ['another hash', () => ({ key: p384.publicKey, data, signature: p1363(p384.privateKey, 'sha256') })],
    ['other bytes', () => ({ key: p384.publicKey, data: Buffer.from('else'), signature: p1363(p384.privateKey, 'sha384') })],
    ['DER', () => ({ key: p384.publicKey, data, signature: sign('sha384', data, p384.privateKey) })],
    ['no signature', () => ({ key: p384.publicKey, data, signature: new Uint8Array(0) })],
    ['zeros', () => ({ key: p384.publicKey, data, signature: new Uint8Array(96) })],
    ['another curve', () => ({ key: p521.publicKey, data, signature: p1363(p521.privateKey, 'sha512') })],
    ['an RSA key', () => ({ key: rsa.publicKey, data, signature: sign('sha384', data, rsa.privateKey) })],
  ])('refuses %s', async (_, make) => expect(await verifyEcdsa(make(), where)).toBe(false))
})

describe('one key that signs in both forms', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = pair.publicKey
  const [der, raw] = [sign('sha256', data, pair.privateKey), p1363(pair.privateKey, 'sha256')]

  it('is believed in each form by the function of that form alone, whichever was asked first', async () => {
    for (let i = 0; i < 2; i++) {
      expect(verifyEcdsaInPlace({ key, data, signature: raw })).toBe(true)
      expect(verifyEcdsaDer({ key, data, signature: der })).toBe(true)
      expect(await verifyEcdsa({ key, data, signature: raw })).toBe(true)
      expect(verifyEcdsaDer({ key, data, signature: raw })).toBe(false)
      expect(verifyEcdsaInPlace({ key, data, signature: der })).toBe(false)
    }
  })
})

describe('verifyPss', () => {
  it('accepts the parameters it is told', () => {
    expect(verifyPss({ key: rsa.publicKey, data, signature: pss(48) }, AMD_PSS)).toBe(true)
  })

  it.each([
    ['another salt length', () => pss(32)],
    ['another hash', () => pss(48, 'sha256')],
    ['PKCS#1 v1.5', () => sign('sha384', data, rsa.privateKey)],
    ['a cut signature', () => pss(48).subarray(1)],
  ])('refuses %s', (_, make) => expect(verifyPss({ key: rsa.publicKey, data, signature: make() }, AMD_PSS)).toBe(false))

  it('refuses a key of another kind, and one whose own parameters forbid these', () => {
    expect(verifyPss({ key: p384.publicKey, data, signature: pss(48) }, AMD_PSS)).toBe(false)
    const bound = generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' })
    const signature = sign('sha256', data, { key: bound.privateKey, saltLength: 32, padding: constants.RSA_PKCS1_PSS_PADDING })
    expect(verifyPss({ key: bound.publicKey, data, signature }, AMD_PSS)).toBe(false)
  })
})

describe('readPublicKey', () => {
  it('reads a SubjectPublicKeyInfo', () => expect(readPublicKey(spki(p384.publicKey))?.equals(p384.publicKey)).toBe(true))

  it('reads no garbage, and no point beside the curve', () => {
    expect(readPublicKey(Uint8Array.of(1, 2, 3))).toBeUndefined()
    const key = spki(p384.publicKey)
    expect(readPublicKey(key.with(key.length - 1, (key.at(-1) ?? 0) ^ 1))).toBeUndefined()
  })
})
