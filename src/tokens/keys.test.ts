import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
    const made = await loadTokenKey(path, 'production', 'create')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['token-key.json'])
    const again = await loadTokenKey(path, 'production', 'create')
    expect(again.privateKey.equals(made.privateKey)).toBe(true)
    expect({ ...again, privateKey: 0 }).toEqual({ ...made, privateKey: 0 })
    expect(made.alg).toBe('ES256')
    expect(made.kid).toBe(await calculateJwkThumbprint(made.publicJwk))
    expect(Object.keys(made.publicJwk)).toEqual(['crv', 'kty', 'x', 'y'])
  })

  it('is the same for all processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadTokenKey(path, 'demo', 'create')))
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1)
  })

  it('belongs to one mode', async () => {
    await loadTokenKey(path, 'demo', 'create')
    await expect(loadTokenKey(path, 'production', 'create')).rejects.toThrow(
      `${path} is a key of mode demo; it never signs in mode production`,
    )
    await expect(loadTokenKey(path, 'test', 'create')).rejects.toThrow('it never signs in mode test')
    await expect(loadTokenKey(path, 'demo', 'refuse')).resolves.toBeDefined()
  })

  it('is not made where one must be given', async () => {
    await expect(loadTokenKey(path, 'production', 'refuse')).rejects.toThrow('does not exist')
    expect(await readdir(folder)).toEqual([])
  })

  it('is refused when others can read it', async () => {
    await loadTokenKey(path, 'production', 'create')
    await chmod(path, 0o644)
    await expect(loadTokenKey(path, 'production', 'create')).rejects.toThrow('can be read by others (mode 644)')
  })

  it('is refused in a format of a later version', async () => {
    await loadTokenKey(path, 'production', 'create')
    await put((await readFile(path, 'utf8')).replace('assay-token-key/1', 'assay-token-key/2'))
    await expect(loadTokenKey(path, 'production', 'create')).rejects.toThrow('this version reads assay-token-key/1')
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
    const loaded = await loadTokenKey(path, 'production', 'create')
    expect(loaded.privateKey.equals(createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' })))).toBe(true)
    await expect(loadTokenKey(path, 'demo', 'create')).rejects.toThrow(
      'names no mode; in mode demo only a key that Assay made itself is used',
    )
  })

  it.each<[string, () => string, string]>([
    ['P-384', () => jwkText(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), 'no EC P-256 key'],
    ['secp256k1', () => jwkText(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), 'no EC P-256 key'],
    ['RSA', () => jwkText(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), 'no EC P-256 key'],
    ['Ed25519', () => jwkText(generateKeyPairSync('ed25519').privateKey), 'no EC P-256 key'],
    ['a public JWK', () => JSON.stringify(temporaryTokenKey().publicJwk), 'no private key'],
    ['nothing', () => '', 'no private key'],
    ['half a PEM', () => String(p256().export({ format: 'pem', type: 'pkcs8' })).slice(0, 80), 'no private key'],
    ['half a JSON', () => jwkText(p256()).slice(0, -9), 'neither PEM nor JSON'],
    ['our format without a key', () => JSON.stringify({ format: 'assay-token-key/1', mode: 'production' }), 'no private key'],
  ])('is refused if it is %s, and the message shows nothing of it', async (_, write, why) => {
    const content = write()
    await put(content)
    const error: unknown = await loadTokenKey(path, 'production', 'create').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toContain(why)
    const { d = 'none' } = content.startsWith('{"') && content.endsWith('}') ? (JSON.parse(content) as { d?: string }) : {}
    expect(String(error)).not.toContain(d)
  })

  it('never signs if its halves do not belong together', async () => {
    const [a, b] = [p256().export({ format: 'jwk' }), p256().export({ format: 'jwk' })]
    await put(JSON.stringify({ ...a, d: b.d }))
    const key = await loadTokenKey(path, 'production', 'refuse')
    expect(() => createSigner(key, 'JWT')).toThrow('do not belong together')
  })
})
