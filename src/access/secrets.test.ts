import { createHmac } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mode } from '../verifiers/verifier.ts'
import { createPrivateFile, readOrCreatePrivateFile, readPrivateFile } from './private-file.ts'
import { deriveKeys, loadSecret } from './secrets.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-secrets-'))
})
afterEach(() => rm(folder, { recursive: true }))

const SECRET = 'correct horse battery staple, 2026'

describe('private files', () => {
  it('are made for their owner alone, with the folders above them', async () => {
    const path = join(folder, 'a/b/secret')
    expect(await createPrivateFile(path, 'content')).toBe('created')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700)
    expect(await readFile(path, 'utf8')).toBe('content')
  })

  it('are never overwritten, and no draft is left behind', async () => {
    const path = join(folder, 'secret')
    await createPrivateFile(path, 'first')
    expect(await createPrivateFile(path, 'second')).toBe('exists')
    expect(await readFile(path, 'utf8')).toBe('first')
    expect(await readdir(folder)).toEqual(['secret'])
  })

  it('are the same for all that start at once', async () => {
    const path = join(folder, 'secret')
    const read = await Promise.all(Array.from({ length: 16 }, (_, i) => readOrCreatePrivateFile(path, () => `made by ${i}`)))
    expect(new Set(read.map((bytes) => Buffer.from(bytes).toString()))).toEqual(new Set([await readFile(path, 'utf8')]))
  })

  it.each([0o640, 0o604, 0o620, 0o666])('are refused with mode %o', async (mode) => {
    const path = join(folder, 'secret')
    await writeFile(path, SECRET)
    await chmod(path, mode)
    await expect(readPrivateFile(path)).rejects.toThrow(`${path} can be read by others`)
  })

  it('are undefined where there is none, and refused where something else is', async () => {
    expect(await readPrivateFile(join(folder, 'absent'))).toBeUndefined()
    await writeFile(join(folder, 'large'), new Uint8Array(64 * 1024 + 1), { mode: 0o600 })
    await expect(readPrivateFile(join(folder, 'large'))).rejects.toThrow('larger than')
    await expect(readPrivateFile(folder)).rejects.toThrow('EISDIR')
  })

  it('fail where the folder cannot be', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(createPrivateFile(join(folder, 'file/secret'), 'x')).rejects.toThrow('EEXIST')
  })
})

describe('loadSecret', () => {
  it('takes the shortest secret that is one, of the fewest different bytes', async () => {
    const path = join(folder, 'secret')
    await writeFile(path, 'abcdefgh'.repeat(4), { mode: 0o600 })
    expect(await loadSecret(path, 'refuse')).toHaveLength(32)
    await writeFile(path, 'abcdefga'.repeat(4), { mode: 0o600 })
    await expect(loadSecret(path, 'refuse')).rejects.toThrow('placeholder')
  })

  it('makes a secret once and reads the same from then on', async () => {
    const path = join(folder, 'secret')
    const made = await loadSecret(path, 'create')
    expect(made.length).toBeGreaterThanOrEqual(32)
    expect(await loadSecret(path, 'create')).toEqual(made)
    expect(await loadSecret(path, 'refuse')).toEqual(made)
    expect(await loadSecret(join(folder, 'other'), 'create')).not.toEqual(made)
  })

  it('makes none where replicas must share one', async () => {
    await expect(loadSecret(join(folder, 'secret'), 'refuse')).rejects.toThrow('does not exist')
    expect(await readdir(folder)).toEqual([])
  })

  it.each([
    ['no line break', ''],
    ['a line break', '\n'],
    ['a line break of another system', '\r\n'],
  ])('takes the bytes of the file but for its final line break: %s', async (_, end) => {
    const path = join(folder, 'secret')
    await writeFile(path, SECRET + end, { mode: 0o600 })
    expect(Buffer.from(await loadSecret(path, 'refuse')).toString()).toBe(SECRET)
  })

  it.each([
    ['empty', '', 'holds 0 bytes'],
    ['short', SECRET.slice(0, 31), 'holds 31 bytes'],
    ['short but for its line break', `${SECRET.slice(0, 31)}\n`, 'holds 31 bytes'],
    ['a placeholder', 'changeme'.repeat(8), 'placeholder'],
    ['zeros', '\0'.repeat(64), 'placeholder'],
  ])('refuses a file that is %s', async (_, content, why) => {
    const path = join(folder, 'secret')
    await writeFile(path, content, { mode: 0o600 })
    await expect(loadSecret(path, 'create')).rejects.toThrow(why)
  })
})

const hmac = (key: Uint8Array, data: string | Uint8Array): Buffer => createHmac('sha256', key).update(data).digest()

const keysOf = (secret: string, mode: Mode): readonly string[] =>
  Object.values(deriveKeys(Buffer.from(secret), mode)).map((key) => key.export().toString('hex'))

describe('deriveKeys', () => {
  it('gives each purpose, mode and secret a key of its own', () => {
    const all = [...keysOf(SECRET, 'production'), ...keysOf(SECRET, 'demo'), ...keysOf(SECRET, 'test'), ...keysOf(`${SECRET}!`, 'test')]
    expect(new Set(all).size).toBe(16)
  })

  it('is HKDF of RFC 5869, with purpose and mode in the info string: every replica and every version has the same keys', () => {
    const prk = hmac(new Uint8Array(32), Buffer.from(SECRET))
    const expected = ['challenge', 'subject', 'stored', 'sealed'].map((purpose) => hmac(prk, `assay-key/1\0${purpose}\0demo\x01`))
    expect(keysOf(SECRET, 'demo')).toEqual(expected.map((key) => key.toString('hex')))
  })
})
