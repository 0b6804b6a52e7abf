import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenKey } from '../../test/token-keys.ts'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../access/audiences.ts'
import { followTokenKeys, givenTokenKeys, tokenKeyFiles } from './key-files.ts'
import { loadTokenKeys, temporaryTokenKey, tokenKeyText, type TokenKeyFile } from './keys.ts'
import { createSigner, type TokenKey } from './sign.ts'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keys-'))
  path = join(folder, 'token-key.json')
})
afterEach(() => rm(folder, { recursive: true }))

async function loadTokenKey(alg: TokenAlgorithm, given: Omit<TokenKeyFile, 'alg'>): Promise<TokenKey> {
  const [key, ...more] = await loadTokenKeys({ ...given, alg })
  if (key === undefined || more.length > 0) throw new Error('not one key')
  return key
}

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
    await put((await readFile(path, 'utf8')).replace('assay-token-key/2', 'assay-token-key/3'))
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'create' })).rejects.toThrow(
      'this version reads assay-token-key/2',
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
    await expect(loadTokenKey('ES256', { path, mode: 'production', absent: 'refuse' })).rejects.toThrow('do not belong together')
    const [key, other] = [temporaryTokenKey('ES256'), temporaryTokenKey('ES256')]
    expect(() => createSigner({ ...key, privateKey: other.privateKey }, 'JWT')).toThrow('do not belong together')
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
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ mode: 'production', keys: [{ alg }] })
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
    await put(pem(bits === 2048 ? tokenKey('PS256').privateKey : generateKeyPairSync('rsa', { modulusLength: bits }).privateKey))
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

const filesOf = (algorithms: readonly TokenAlgorithm[], named = {}) => tokenKeyFiles({ algorithms, named, folder, mode: 'production' })
const follow = (algorithms: readonly TokenAlgorithm[], named = {}) => followTokenKeys(filesOf(algorithms, named))

const both = () => [temporaryTokenKey('ES256'), temporaryTokenKey('ES256')] as const

describe('a file of several keys', () => {
  it.each<[string, (keys: readonly TokenKey[]) => string]>([
    [
      'PEM blocks, with what else stands in such files',
      (keys) => `parameters\n${keys.map(({ privateKey }) => pem(privateKey)).join('\n')}`,
    ],
    ['a JWK Set', (keys) => JSON.stringify({ keys: keys.map(({ privateKey }) => privateKey.export({ format: 'jwk' })) })],
    ['what Assay writes', (keys) => tokenKeyText({ ...file(), alg: 'ES256' }, keys)],
  ])('is read in its order: %s', async (_, write) => {
    const keys = both()
    await put(write(keys))
    const read = await loadTokenKeys({ ...file(), alg: 'ES256' })
    expect(read.map(({ kid }) => kid)).toEqual(keys.map(({ kid }) => kid))
  })

  it('is read as an earlier version wrote it, with one key', async () => {
    const key = temporaryTokenKey('ES256')
    const jwk = { ...key.privateKey.export({ format: 'jwk' }), alg: 'ES256' }
    await put(JSON.stringify({ format: 'assay-token-key/1', mode: 'production', jwk }))
    await expect(loadTokenKey('ES256', file())).resolves.toMatchObject({ kid: key.kid })
    await put(JSON.stringify({ format: 'assay-token-key/1', mode: 'production', keys: [jwk] }))
    await expect(loadTokenKey('ES256', file())).rejects.toThrow('this version reads assay-token-key/2')
  })

  it.each([
    ['none', []],
    ['nine', Array.from({ length: 9 }, () => temporaryTokenKey('ES256'))],
  ])('is refused with %s', async (_, keys) => {
    await put(JSON.stringify({ keys: keys.map(({ privateKey }) => privateKey.export({ format: 'jwk' })) }))
    await expect(loadTokenKeys({ ...file(), alg: 'ES256' })).rejects.toThrow(`${path} holds ${keys.length} keys; it may hold 1 to 8`)
  })

  it('is refused where one of them is encrypted, whose text has dashes', async () => {
    const [key, other] = both()
    const legacy = { format: 'pem', type: 'sec1', cipher: 'aes-128-cbc', passphrase: 'secret' } as const
    await put(`${pem(key.privateKey)}\n${String(other.privateKey.export(legacy))}`)
    await expect(loadTokenKeys({ ...file(), alg: 'ES256' })).rejects.toThrow('no private key for ES256 that can be read')
  })

  it('is refused where one of them is bad', async () => {
    const [key] = both()
    await put(`${pem(key.privateKey)}\n${pem(generateKeyPairSync('ed25519').privateKey)}`)
    await expect(loadTokenKeys({ ...file(), alg: 'ES256' })).rejects.toThrow('no EC P-256 key')
  })
})

describe('followTokenKeys', () => {
  it('makes one key for each algorithm that is asked for, and none for others', async () => {
    const { keys } = await follow(['EdDSA', 'ES256', 'EdDSA', 'ES384'])
    expect(keys().map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256', 'ES384'])
    expect((await readdir(folder)).toSorted()).toEqual(['token-key', 'token-key-eddsa', 'token-key-es384'])
    expect((await follow(['ES384'])).keys().map(({ kid }) => kid)).toEqual([keys()[2]?.kid])
  })

  it('takes a file that is named, and makes none there', async () => {
    await expect(follow(['ES256'], { ES256: path })).rejects.toThrow('does not exist')
    const own = tokenKey('ES256')
    await put(jwkText(own.privateKey))
    expect((await follow(['ES256'], { ES256: path })).keys().map(({ kid }) => kid)).toEqual([own.kid])
    expect(await readdir(folder)).toEqual(['token-key.json'])
  })

  it('reads a file again when it has changed, and keeps the keys that it has', async () => {
    const [old, fresh] = [temporaryTokenKey('ES256'), temporaryTokenKey('ES256')]
    await put(pem(old.privateKey))
    const followed = await follow(['ES256'], { ES256: path })
    const [first] = followed.keys()
    expect(await followed.look()).toBe('same')
    await put(`${pem(old.privateKey)}${pem(fresh.privateKey)}`)
    expect(await followed.look()).toBe('changed')
    expect(followed.keys().map(({ kid }) => kid)).toEqual([old.kid, fresh.kid])
    expect(followed.keys()[0]).toBe(first)
  })

  it('keeps what was there when a file cannot be used, and tries again', async () => {
    await put(pem(p256()))
    const followed = await follow(['ES256'], { ES256: path })
    const before = followed.keys()
    await put('nothing')
    await expect(followed.look()).rejects.toThrow('no private key')
    await expect(followed.look()).rejects.toThrow('no private key')
    await rm(path)
    await expect(followed.look()).rejects.toThrow('does not exist')
    expect(followed.keys()).toBe(before)
  })

  it('refuses one key for two algorithms, and one key twice', async () => {
    const rsa = tokenKey('PS256')
    await put(jwkText(rsa.privateKey))
    await expect(follow(['PS256', 'RS256'], { PS256: path, RS256: path })).rejects.toThrow('the same key')
    const text = pem(p256())
    await put(text + text)
    await expect(follow(['ES256'], { ES256: path })).rejects.toThrow('the same key')
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
