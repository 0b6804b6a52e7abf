import { constants, createECDH, createPrivateKey, createPublicKey, generateKeyPairSync, privateDecrypt, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorJson, vectorsPresent } from '../../../../test/vectors.ts'
import { concat, tpm2b } from './bytes.ts'
import { ekKeyOf, keyOfUnique, type EkKey } from './ek-key.ts'
import { ekPublicOf, readEkPublic } from './ek-public.ts'
import { kdfA, kdfE, NOBODY } from './kdf.ts'
import { eccSeed, makeCredential, rsaSeed, seedBytes, toolsFile } from './make.ts'
import { EK_TEMPLATES } from './templates.ts'

type Activation = {
  readonly ak: string
  readonly akName: string
  readonly secret: string
  readonly seed: string
  readonly idObject: string
  readonly encSecret: string
  readonly ephemeralPrivateHex?: string
}

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')
const base64url = (value: Uint8Array): string => Buffer.from(value).toString('base64url')

/** The first private key of P-256, counted from 1, whose public x begins with a zero. */
const SHORT_POINT = 379

const CASES = ['swtpm-ek-rsa2048', 'swtpm-ek-ecc256', 'swtpm-ek-ecc384'] as const
const present = vectorsPresent()

const ekOf = (name: string): EkKey => {
  const ek = ekKeyOf(new X509Certificate(vectorBytes(`tpm/${name}/ek.cert.der`)).publicKey)
  if (ek === undefined) throw new Error(`${name} has no EK`)
  return ek
}
const activations = !present
  ? []
  : CASES.flatMap((name) =>
      (vectorJson(`tpm/${name}/transcript.json`) as { activations: Activation[] }).activations.map((a) => ({ name, ...a })),
    )

/** The ephemeral key of a transcript: only its private part is told. */
const ephemeralOf = ({ kind }: EkKey, { ephemeralPrivateHex = '', encSecret }: Activation) => {
  const length = kind === 'ecc-p256' ? 32 : 48
  const point = bytes(encSecret).subarray(2)
  const x = base64url(point.subarray(2, 2 + length))
  const y = base64url(point.subarray(4 + length))
  const crv = kind === 'ecc-p256' ? 'P-256' : 'P-384'
  return createPrivateKey({ key: { kty: 'EC', crv, x, y, d: base64url(bytes(ephemeralPrivateHex)) }, format: 'jwk' })
}

describe.skipIf(!present)('credentials that a TPM opened', () => {
  it('are of all three keys', () => expect(new Set(activations.map(({ name }) => name)).size).toBe(CASES.length))

  it.each(activations.filter(({ name }) => name === 'swtpm-ek-rsa2048'))('$name $ak: the same seed gives the same blob', (activation) => {
    const seed = { seed: bytes(activation.seed), encryptedSecret: bytes(activation.encSecret) }
    const secret = { akName: bytes(activation.akName), secret: bytes(activation.secret) }
    expect(hex(makeCredential(ekOf(activation.name), seed, secret).blob)).toBe(activation.idObject)
  })

  it.each(activations.filter(({ name }) => name !== 'swtpm-ek-rsa2048'))('$name $ak: the same key gives the same bytes', (activation) => {
    const ek = ekOf(activation.name)
    const seed = eccSeed(ek, ephemeralOf(ek, activation))
    expect(hex(seed.seed)).toBe(activation.seed)
    const credential = makeCredential(ek, seed, { akName: bytes(activation.akName), secret: bytes(activation.secret) })
    expect(hex(credential.blob)).toBe(activation.idObject)
    expect(hex(credential.encryptedSecret)).toBe(activation.encSecret)
  })

  it.each(CASES)('%s: the submitted public area is the certificate’s key under a template', (name) => {
    const area = vectorBytes(`tpm/${name}/ek.tpm2b_public.bin`)
    const read = readEkPublic(area)
    const ek = ekOf(name)
    expect(read?.ek.spkiSha256).toBe(ek.spkiSha256)
    expect(read?.template.name).toBe({ 'swtpm-ek-rsa2048': 'L-1', 'swtpm-ek-ecc256': 'L-2', 'swtpm-ek-ecc384': 'H-3' }[name])
    // Built from the certificate alone it is the same to the byte, and bare it reads the same.
    expect(read && hex(tpm2b(ekPublicOf(read.template, ek)))).toBe(hex(area))
    expect(readEkPublic(area.subarray(2))).toEqual(read)
  })

  it('has another blob for another name, seed or secret', () => {
    const [activation] = activations
    if (activation === undefined) throw new Error('no activation')
    const ek = ekOf(activation.name)
    const make = (change: Partial<Record<'akName' | 'secret' | 'seed', string>>) => {
      const { akName, secret, seed, encSecret } = { ...activation, ...change }
      const sealed = { seed: bytes(seed), encryptedSecret: bytes(encSecret) }
      return hex(makeCredential(ek, sealed, { akName: bytes(akName), secret: bytes(secret) }).blob)
    }
    const other = { akName: `000b${'00'.repeat(32)}`, secret: '11'.repeat(32), seed: '22'.repeat(32) }
    const blobs = [make({}), make({ akName: other.akName }), make({ secret: other.secret }), make({ seed: other.seed })]
    expect(new Set(blobs).size).toBe(4)
  })
})

const KEYS = {
  'rsa-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-3072': () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  'ecc-p256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ecc-p384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ecc-p521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
} as const
const made = Object.entries(KEYS).map(([kind, make]) => ({ kind, pair: make() }))

const ekFrom = (kind: string): EkKey => {
  const pair = made.find((one) => one.kind === kind)?.pair
  const ek = pair === undefined ? undefined : ekKeyOf(pair.publicKey)
  if (ek === undefined) throw new Error(`no EK of kind ${kind}`)
  return ek
}

describe('endorsement keys', () => {
  it.each(made)('$kind: the public area of each template leads back to the key', ({ kind, pair }) => {
    const ek = ekFrom(kind)
    expect(ek.kind).toBe(kind)
    const templates = EK_TEMPLATES.filter((template) => template.kind === kind)
    expect(templates.length).toBeGreaterThan(0)
    for (const template of templates) {
      const read = readEkPublic(ekPublicOf(template, ek))
      expect(read?.template).toBe(template)
      expect(read?.ek.spkiSha256).toBe(ek.spkiSha256)
      expect(read?.ek.key.equals(createPublicKey(pair.privateKey))).toBe(true)
    }
  })

  it.each([
    ['rsa-2048', 32],
    ['rsa-3072', 48],
    ['ecc-p256', 32],
    ['ecc-p384', 48],
    ['ecc-p521', 64],
  ] as const)('%s: a seed has %i bytes', (kind, length) => expect(seedBytes(ekFrom(kind))).toBe(length))

  it('are none of other kinds', () => {
    const others = [
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
    ]
    expect(others.map(({ publicKey }) => ekKeyOf(publicKey))).toEqual(others.map(() => undefined))
  })

  it('take coordinates that are short by their leading zeros', () => {
    const area = shortArea()
    expect(readEkPublic(area.short)?.ek.spkiSha256).toBe(area.spkiSha256)
    expect(readEkPublic(area.full)?.ek.spkiSha256).toBe(area.spkiSha256)
  })
})

describe('a public area that is no EK’s', () => {
  const template = EK_TEMPLATES.find(({ name }) => name === 'L-2')
  const area = template === undefined ? new Uint8Array(0) : ekPublicOf(template, ekFrom('ecc-p256'))
  const changed = (at: number, value: number): Uint8Array => area.map((byte, index) => (index === at ? byte ^ value : byte))

  it.each([
    ['is empty', new Uint8Array(0)],
    ['ends early', area.subarray(0, -1)],
    ['ends in its head', area.subarray(0, 10)],
    ['has a byte behind it', concat(area, Uint8Array.of(0))],
    ['may sign (attributes)', changed(5, 0x04)],
    ['has another policy', changed(12, 0x01)],
    ['names its objects with another hash', changed(3, 0x07)],
    ['has another curve', changed(area.length - 71, 0x07)],
    ['is off its curve', changed(area.length - 1, 0x01)],
    ['is longer than any', new Uint8Array(2000)],
    ['has a coordinate that is too long', concat(area.subarray(0, -68), tpm2b(new Uint8Array(33)), tpm2b(new Uint8Array(32)))],
  ])('%s', (_, bad) => expect(readEkPublic(bad)).toBeUndefined())

  it('is one again when nothing is changed', () => expect(readEkPublic(changed(5, 0))).toBeDefined())

  it('is refused where the modulus is of another length or spelling', () => {
    expect(keyOfUnique('rsa-2048', ekFrom('rsa-3072').unique)).toBeUndefined()
    const [modulus = new Uint8Array(0)] = ekFrom('rsa-2048').unique
    expect(keyOfUnique('rsa-2048', [concat(Uint8Array.of(0), modulus)])).toBeUndefined()
    expect(keyOfUnique('rsa-2048', [modulus])).toBeDefined()
    expect(keyOfUnique('ecc-p256', [])).toBeUndefined()
  })
})

describe('the parts', () => {
  it('derives keys longer than one block, and cuts them', () => {
    const wanted = { label: 'STORAGE', parties: NOBODY, bits: 384 } as const
    const long = kdfA('sha256', new Uint8Array(32), wanted)
    expect(long.length).toBe(48)
    expect(new Set([hex(long.subarray(0, 32)), hex(long.subarray(32))]).size).toBe(2)
    // The number of bits is part of what is hashed.
    expect(hex(kdfA('sha256', new Uint8Array(32), { ...wanted, bits: 256 }))).not.toBe(hex(long.subarray(0, 32)))
    // KDFe does not hash it.
    expect(hex(kdfE('sha256', new Uint8Array(32), { ...wanted, bits: 256 }))).toBe(
      hex(kdfE('sha256', new Uint8Array(32), wanted).subarray(0, 32)),
    )
  })

  it('encrypts a seed for an RSA key in OAEP that names its purpose', () => {
    const pair = made.find(({ kind }) => kind === 'rsa-3072')?.pair
    if (pair === undefined) throw new Error('no key')
    const seed = new Uint8Array(48).fill(7)
    const { encryptedSecret } = rsaSeed(ekFrom('rsa-3072'), seed)
    expect(encryptedSecret.length).toBe(2 + 384)
    const open = (oaepLabel: string) =>
      privateDecrypt(
        { key: pair.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha384', oaepLabel: Buffer.from(oaepLabel) },
        encryptedSecret.subarray(2),
      )
    expect(hex(open('IDENTITY\0'))).toBe(hex(seed))
    expect(() => open('IDENTITY')).toThrow(Error)
  })

  it('writes the file of tpm2-tools', () => {
    expect(hex(toolsFile({ blob: Uint8Array.of(0, 1, 9), encryptedSecret: Uint8Array.of(0, 1, 8) }))).toBe('badcc0de00000001000109000108')
  })
})

/** The public key of a small private one: counting up gives the same points everywhere. */
function pointOf(scalar: number): ReturnType<typeof createPublicKey> {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex'))
  const point = ecdh.getPublicKey()
  const jwk = { kty: 'EC', crv: 'P-256', x: base64url(point.subarray(1, 33)), y: base64url(point.subarray(33)) }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** The public area of a P-256 key whose x begins with a zero, with and without it. */
function shortArea(): { short: Uint8Array; full: Uint8Array; spkiSha256: string } {
  const template = EK_TEMPLATES.find(({ name }) => name === 'L-2')
  const ek = ekKeyOf(pointOf(SHORT_POINT))
  if (ek === undefined || template === undefined) throw new Error('no such point')
  const [x = new Uint8Array(0), y = new Uint8Array(0)] = ek.unique
  expect(x[0]).toBe(0)
  const full = ekPublicOf(template, ek)
  return { full, short: concat(full.subarray(0, -68), tpm2b(x.subarray(1)), tpm2b(y)), spkiSha256: ek.spkiSha256 }
}
