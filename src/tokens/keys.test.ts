import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenKey } from '../../test/token-keys.ts'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../access/audiences.ts'
import { givenTokenKeys, tokenKeysOf } from './key-files.ts'
import { loadTokenKey, temporaryTokenKey } from './keys.ts'
import { createSigner } from './sign.ts'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keys-'))
  path = join(folder, 'token-key.json')
})
afterEach(() => rm(folder, { recursive: true }))

const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const put = (content: string): Promise<void> => writeFile(path, content, { mode: 0o600 })
const jwkText = (key: KeyObject): string => JSON.stringify(key.export({ format: 'jwk' }))

describe('a key that Assay makes', () => {
  it('is made once, for its owner alone, and read again', async () => {
    const made = await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['token-key.json'])
    const again = await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })
    expect(again.privateKey.equals(made.privateKey)).toBe(true)
    expect({ ...again, privateKey: 0 }).toEqual({ ...made, privateKey: 0 })
    expect(made.alg).toBe('ES256')
    expect(made.kid).toBe(await calculateJwkThumbprint(made.publicJwk))
    expect(Object.keys(made.publicJwk)).toEqual(['crv', 'kty', 'x', 'y'])
  })

  it('is the same for all processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadTokenKey('ES256', { path, mode: 'demo', absent: 'create' })))
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1)
  })

  it('belongs to one mode', async () => {
    await loadTokenKey('ES256', { path, mode: 'demo', absent: 'create' })
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })).rejects.toThrow(
      `${path} is a key of mode demo; it never signs in mode production`,
    )
    await expect(loadTokenKey('ES256', { path, mode: 'test', absent: 'create' })).rejects.toThrow('it never signs in mode test')
    await expect(loadTokenKey('ES256', { path, mode: 'demo', absent: 'refuse' })).resolves.toBeDefined()
  })

  it('is not made where one must be given', async () => {
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'refuse' })).rejects.toThrow('does not exist')
    expect(await readdir(folder)).toEqual([])
  })

  it('is refused when others can read it', async () => {
    await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })
    await chmod(path, 0o644)
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })).rejects.toThrow('can be read by others (mode 644)')
  })

  it('is refused in a format of a later version', async () => {
    await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })
    await put((await readFile(path, 'utf8')).replace('assay-token-key/1', 'assay-token-key/2'))
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })).rejects.toThrow(
      'this version reads assay-token-key/1',
    )
  })
})

describe('a key that is given', () => {
  it.each([
    ['PKCS#8 in PEM', (key: KeyObject) => String(key.export({ format: 'pem', type: 'pkcs8' }))],
    ['SEC 1 in PEM', (key: KeyObject) => String(key.export({ format: 'pem', type: 'sec1' }))],
    ['a JWK', jwkText],
    [
      'a JWK with other members',
      (key: KeyObject) => JSON.stringify({ ...key.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'mine' }),
    ],
  ])('is read from %s, for production alone', async (_, write) => {
    const key = p256()
    await put(write(key))
    const loaded = await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })
    expect(loaded.privateKey.equals(createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' })))).toBe(true)
    await expect(loadTokenKey('ES256', { path, mode: 'demo', absent: 'create' })).rejects.toThrow(
      'names no mode; in mode demo only a key that Assay made itself is used',
    )
  })

  it.each<[string, () => string, string]>([
    ['P-384', () => jwkText(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), 'no EC P-256 key'],
    ['secp256k1', () => jwkText(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), 'no EC P-256 key'],
    ['RSA', () => jwkText(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), 'no EC P-256 key'],
    ['Ed25519', () => jwkText(generateKeyPairSync('ed25519').privateKey), 'no EC P-256 key'],
    ['a public JWK', () => JSON.stringify(temporaryTokenKey('ES256').publicJwk), 'no private key'],
    ['nothing', () => '', 'no private key'],
    ['half a PEM', () => String(p256().export({ format: 'pem', type: 'pkcs8' })).slice(0, 80), 'no private key'],
    ['half a JSON', () => jwkText(p256()).slice(0, -9), 'neither PEM nor JSON'],
    ['our format without a key', () => JSON.stringify({ format: 'assay-token-key/1', mode: 'production' }), 'no private key'],
  ])('is refused if it is %s, and the message shows nothing of it', async (_, write, why) => {
    const content = write()
    await put(content)
    const error: unknown = await loadTokenKey('ES256', { path, mode: 'production', absent: 'create' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toContain(why)
    const { d = 'none' } = content.startsWith('{"') && content.endsWith('}') ? (JSON.parse(content) as { d?: string }) : {}
    expect(String(error)).not.toContain(d)
  })

  it('never signs if its halves do not belong together', async () => {
    const [a, b] = [p256().export({ format: 'jwk' }), p256().export({ format: 'jwk' })]
    await put(JSON.stringify({ ...a, d: b.d }))
    const key = await loadTokenKey('ES256', { path, mode: 'production', absent: 'refuse' })
    expect(() => createSigner(key, 'JWT')).toThrow('do not belong together')
  })
})

const file = () => ({ path, mode: 'production', absent: 'create' }) as const

describe.each(TOKEN_ALGORITHMS)('a key for %s', (alg) => {
  it('is made once, names its algorithm, and is read again', async () => {
    const made = await loadTokenKey(alg, file())
    const again = await loadTokenKey(alg, file())
    expect(again.privateKey.equals(made.privateKey)).toBe(true)
    expect(again).toMatchObject({ alg, kid: made.kid, publicJwk: made.publicJwk })
    expect(made.kid).toBe(await calculateJwkThumbprint(made.publicJwk))
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ mode: 'production', jwk: { alg } })
  })

  it('is read from PEM and JWK', async () => {
    const { privateKey, kid } = tokenKey(alg)
    for (const text of [String(privateKey.export({ format: 'pem', type: 'pkcs8' })), jwkText(privateKey)]) {
      await put(text)
      await expect(loadTokenKey(alg, file())).resolves.toMatchObject({ alg, kid })
    }
  })

  it('is no key for any other algorithm', async () => {
    await put(JSON.stringify({ ...tokenKey(alg).privateKey.export({ format: 'jwk' }), alg }))
    for (const other of TOKEN_ALGORITHMS.filter((each) => each !== alg))
      await expect(loadTokenKey(other, file())).rejects.toThrow(`${path} holds no private key for ${other} that can be read`)
  })

  it('shows no private member', () => {
    expect(JSON.stringify(tokenKey(alg).publicJwk)).not.toMatch(/"(?:d|p|q|dp|dq|qi)"/)
  })
})

/** Base64url of an odd number of so many bits, which is no product of two primes that anybody knows: reading does not look. */
const modulus = (bits: number): string => {
  const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff)
  bytes[0] = 0xff >> (bytes.length * 8 - bits)
  return bytes.toString('base64url')
}
const rsaJwk = (members: object): string => JSON.stringify({ ...tokenKey('PS256').privateKey.export({ format: 'jwk' }), ...members })
const pem = (key: KeyObject): string => String(key.export({ format: 'pem', type: 'pkcs8' }))

describe('an RSA key', () => {
  it.each([2048, 4096])('is read with %i bits', async (bits) => {
    await put(rsaJwk({ n: modulus(bits) }))
    await expect(loadTokenKey('PS256', { path, mode: 'production', absent: 'refuse' })).resolves.toMatchObject({ alg: 'PS256' })
  })

  it.each([
    ['of 2047 bits', () => rsaJwk({ n: modulus(2047) })],
    ['of 4097 bits', () => rsaJwk({ n: modulus(4097) })],
    ['with exponent 3', () => rsaJwk({ e: 'Aw' })],
    ['that is for PSS alone', () => pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey)],
    ['that is none', () => pem(p256())],
  ])('is refused %s', async (_, write) => {
    await put(write())
    await expect(loadTokenKey('PS256', { path, mode: 'production', absent: 'refuse' })).rejects.toThrow(
      'holds no RSA (2048 to 4096 bits, exponent 65537) key, which PS256 needs',
    )
  })
})

const keysOf = (algorithms: readonly TokenAlgorithm[], named = {}) => tokenKeysOf({ algorithms, named, folder, mode: 'production' })

describe('tokenKeysOf', () => {
  it('makes one key for each algorithm that is asked for, and none for others', async () => {
    const keys = await keysOf(['EdDSA', 'ES256', 'EdDSA', 'ES384'])
    expect(keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256', 'ES384'])
    expect((await readdir(folder)).toSorted()).toEqual(['token-key', 'token-key-eddsa', 'token-key-es384'])
    expect((await keysOf(['ES384'])).map(({ kid }) => kid)).toEqual([keys[2]?.kid])
  })

  it('takes a file that is named, and makes none there', async () => {
    await expect(keysOf(['ES256'], { ES256: path })).rejects.toThrow('does not exist')
    const own = tokenKey('ES256')
    await put(jwkText(own.privateKey))
    expect((await keysOf(['ES256'], { ES256: path })).map(({ kid }) => kid)).toEqual([own.kid])
    expect(await readdir(folder)).toEqual(['token-key.json'])
  })
})

describe('givenTokenKeys', () => {
  it('reads what is named, and nothing else', async () => {
    expect(await givenTokenKeys({}, 'production')).toEqual([])
    const own = tokenKey('ES384')
    await put(jwkText(own.privateKey))
    expect(await givenTokenKeys({ ES256: undefined, ES384: path }, 'production')).toMatchObject([{ alg: 'ES384', kid: own.kid }])
    await expect(givenTokenKeys({ EdDSA: path }, 'production')).rejects.toThrow('holds no Ed25519 key, which EdDSA needs')
    await expect(givenTokenKeys({ ES384: join(folder, 'none') }, 'production')).rejects.toThrow('does not exist')
    expect(await readdir(folder)).toEqual(['token-key.json'])
  })
})
