import { createECDH, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { akCertificate, authority } from '../../../test/tpm-trust-lab.ts'
import { akNameOf, TEST_AKS, testEvidence, tpmOutcome, type TestAk } from '../../../test/tpm-quotes.ts'
import { joined, publicArea, tpm2b, uint, type AreaFields } from '../../simulator/tpm-bytes.ts'
import type { TpmEvidence } from '../verifier.ts'

/** Every code of a failed check; those of structure come with the error as well. */
const codesOf = async (evidence: TpmEvidence): Promise<readonly string[]> => [...new Set((await tpmOutcome(evidence)).codes)]

const areaOf = async (area: Partial<AreaFields>, ak: TestAk = TEST_AKS.p256): Promise<readonly string[]> =>
  codesOf(testEvidence([{}], ak, area))

/** Coordinates. */
const point = (x: Uint8Array, y: Uint8Array): Partial<AreaFields> => ({ unique: joined(tpm2b(x), tpm2b(y)) })

/** Parameters of a key on a curve with this id. */
const curve = (id: number) => ({
  parameters: joined(uint(16, 0x0010), uint(16, 0x0018), uint(16, 0x000b), uint(16, id), uint(16, 0x0010)),
})

/** Parameters of an ECC key, word by word. */
const ecc = (...words: readonly number[]): Partial<AreaFields> => ({ parameters: joined(...words.map((word) => uint(16, word))) })

const text = (bytes: Buffer): string => bytes.toString('base64url')

describe('keys that are no attestation keys (rows 30 to 34)', () => {
  it.each<[string, number, readonly string[]]>([
    ['without fixedTPM', 0x0005_0070, ['tpm-ak-not-tpm-resident']],
    ['without fixedParent', 0x0005_0062, ['tpm-ak-not-tpm-resident']],
    ['without sensitiveDataOrigin', 0x0005_0052, ['tpm-ak-not-tpm-resident']],
    ['without restricted', 0x0004_0072, ['tpm-ak-not-restricted']],
    ['without sign', 0x0001_0072, ['tpm-ak-not-signing-key']],
    ['with decrypt', 0x0007_0072, ['tpm-ak-not-signing-key']],
    ['with encryptedDuplication', 0x0005_0872, ['tpm-ak-attributes-invalid']],
    ...[0, 3, 12, 13, 14, 15, 20, 31].map((bit): [string, number, readonly string[]] => [
      `with the reserved bit ${bit}`,
      (0x0005_0072 | (1 << bit)) >>> 0,
      ['tpm-ak-attributes-invalid'],
    ]),
    ['with nothing', 0, ['tpm-ak-not-tpm-resident', 'tpm-ak-not-restricted', 'tpm-ak-not-signing-key']],
    ['with all that is free: userWithAuth, adminWithPolicy, noDA, stClear', 0x0005_04f6, []],
  ])('%s', async (_, attributes, codes) => {
    expect(await areaOf({ attributes })).toEqual(codes)
  })

  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const rsa3 = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
  const scheme = joined(uint(16, 0x0010), uint(16, 0x0014), uint(16, 0x000b))
  const rsaOf = (exponent: number): Partial<AreaFields> => ({ parameters: joined(scheme, uint(16, 2048), uint(32, exponent)) })
  it('RSA of 1024 bits, or with an exponent that is even or small', async () => {
    expect(await areaOf({}, { ...rsa1024, scheme: TEST_AKS.rsassa.scheme })).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(rsaOf(3), { ...rsa3, scheme: TEST_AKS.rsassa.scheme })).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(rsaOf(65_538), TEST_AKS.rsassa)).toEqual(['tpm-ak-key-weak'])
    const short = testEvidence([{}], TEST_AKS.rsassa, { unique: tpm2b(new Uint8Array(256).fill(0x7f)) })
    expect(await codesOf(short)).toEqual(['tpm-ak-key-weak'])
  })

  it('the exponent 65537 may be written or left out, which makes two names', async () => {
    const written = testEvidence([{}], TEST_AKS.rsassa, rsaOf(65_537))
    expect(await codesOf(written)).toEqual([])
    expect(akNameOf(written)).not.toBe(akNameOf(testEvidence([{}], TEST_AKS.rsassa)))
  })

  it('a point that is not on the curve, or too long, or of another curve', async () => {
    expect(await areaOf(point(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)))).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(point(new Uint8Array(33).fill(1), new Uint8Array(32).fill(2)))).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(point(new Uint8Array(0), new Uint8Array(0)))).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(curve(0x20))).toEqual(['tpm-ak-key-weak'])
    expect(await areaOf(curve(4))).toEqual(['tpm-ak-key-weak'])
  })

  it('a name of SHA-1', async () => expect(await areaOf({ nameAlg: 'sha1' })).toEqual(['tpm-ak-key-weak']))

  it('but coordinates may be short of leading zeros', async () => {
    const ak = keyWithShortX()
    const { x = '', y = '' } = ak.publicKey.export({ format: 'jwk' })
    const [xBytes, yBytes] = [new Uint8Array(Buffer.from(x, 'base64url')), new Uint8Array(Buffer.from(y, 'base64url'))]
    expect(xBytes[0]).toBe(0)
    expect(await areaOf(point(xBytes.subarray(1), yBytes), ak)).toEqual([])
  })
})

/** The first multiple of the generator of P-256 whose x begins with a zero byte is the 379th. */
function keyWithShortX(): TestAk {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.from(uint(64, 379)))
  const whole = ecdh.getPublicKey()
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: text(whole.subarray(1, 33)),
    y: text(whole.subarray(33)),
    d: text(Buffer.from(joined(new Uint8Array(24), uint(64, 379)))),
  }
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  return { privateKey, publicKey: createPublicKey(privateKey), scheme: TEST_AKS.p256.scheme }
}

describe('public areas that are none', () => {
  const area = testEvidence().akPublic ?? new Uint8Array(0)
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a byte less', area.subarray(0, -1)],
    ['a byte more', joined(area, uint(8, 0))],
    ['another type', joined(uint(16, 0x0008), area.subarray(2))],
    ['a name algorithm that is not known', joined(area.subarray(0, 2), uint(16, 0x0012), area.subarray(4))],
    ['a length in front that is not its', joined(uint(16, area.length + 1), area)],
    ['more than there ever is', joined(area, new Uint8Array(2000))],
    ['a symmetric cipher', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(6, 128, 0x43, 0x18, 0x0b, 3, 0x10) })],
    ['no scheme', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(0x10, 0x10, 3, 0x10) })],
    ['a scheme that is not known', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(0x10, 0x77, 0x0b, 3, 0x10) })],
    ['ECDAA', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(0x10, 0x1a, 0x0b, 0, 3, 0x10) })],
    ['RSAES', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(0x10, 0x15, 3, 0x10) })],
    ['RSASSA of an ECC key', publicArea(TEST_AKS.p256.publicKey, { ...TEST_AKS.p256.scheme, ...ecc(0x10, 0x14, 0x0b, 3, 0x10) })],
    [
      'a modulus of another length',
      publicArea(TEST_AKS.rsassa.publicKey, { ...TEST_AKS.rsassa.scheme, unique: tpm2b(new Uint8Array(255).fill(0xff)) }),
    ],
  ])('%s', async (_, akPublic) => {
    expect(await codesOf({ ...testEvidence(), akPublic })).toEqual(['tpm-ak-public-malformed'])
  })

  it('a KDF is read over', async () => {
    expect(await codesOf(testEvidence([{}], TEST_AKS.p256, ecc(0x10, 0x18, 0x0b, 3, 0x20, 0x0b)))).toEqual([])
  })
})

describe('a certificate without a public area', () => {
  const { publicKey: pss } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  const { publicKey: dsa } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
  const { publicKey: p224 } = generateKeyPairSync('ec', { namedCurve: 'secp224r1' })
  const { publicKey: edwards } = generateKeyPairSync('ed25519')
  it.each([
    ['RSA-PSS', pss],
    ['DSA', dsa],
    ['P-224', p224],
    ['Ed25519', edwards],
  ])('has no attestation key where it is one of %s', async (...[, key]) => {
    const { akPublic: _, ...evidence } = testEvidence([{}])
    const read = codesOf({ ...evidence, akCertificates: [akCertificate(key, authority('lab'))] })
    expect(await read).toEqual(['tpm-ak-key-weak'])
  })
})
