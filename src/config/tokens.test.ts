import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { tokenKey } from '../../test/token-keys.ts'
import { EAR_DRAFT, TOKEN_ALGORITHMS, TOKEN_PROFILES } from '../access/audiences.ts'
import { loadConfig, type Config } from '../config.ts'
import { fileProblems } from './named-files.ts'
import { printConfig } from './print.ts'

const load = (file: object): Config =>
  loadConfig({ environment: { ASSAY_CONFIG: '/etc/assay.json' }, readText: () => JSON.stringify(file) }).config

const audience = (rest: object) => ({ audiences: { 'https://rp.example': { policies: ['strict'], ...rest } } })

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-token-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the algorithm of an audience', () => {
  it.each(TOKEN_ALGORITHMS)('may be %s', (alg) => {
    expect(load(audience({ alg })).audiences).toMatchObject([{ alg }])
  })

  it.each(['HS256', 'none', 'ES512', 'es256'])('may not be %s', (alg) => {
    expect(() => load(audience({ alg }))).toThrow('audiences.https://rp.example.alg')
  })
})

describe('the profile of an audience', () => {
  it.each(TOKEN_PROFILES)('may be %s', (profile) => {
    expect(load(audience({ profile })).audiences).toMatchObject([{ profile }])
  })

  it('is none that is not known', () => {
    expect(() => load(audience({ profile: 'trustee' }))).toThrow('audiences.https://rp.example.profile')
  })
})

describe('ear_profile', () => {
  it('is the draft’s tag, or the one that is given', () => {
    expect(load({}).earProfile).toBe(EAR_DRAFT)
    const named = load({ ear_profile: 'tag:ietf.org,2026:rats/ear#04' })
    expect(named.earProfile).toBe('tag:ietf.org,2026:rats/ear#04')
    expect(parse(printConfig(named))).toMatchObject({ ear_profile: 'tag:ietf.org,2026:rats/ear#04' })
  })

  it.each(['', 'ear', 'tag:', 'tag:a b', `tag:${'x'.repeat(91)}`, 'urn:assay:token:lean:1', 'tag:github.com,2023:veraison/ear'])(
    'is never %j',
    (ear_profile) => {
      expect(() => load({ ear_profile })).toThrow('ear_profile')
    },
  )
})

describe('the life of token keys', () => {
  it('is thirty days, and five minutes in caches, unless somebody says otherwise', () => {
    expect(load({}).tokenKeys).toEqual({ files: {}, rotationDays: 30, denied: [], maxAgeSeconds: 300 })
    const given = { token_key_rotation_days: 7, token_keys_denied: ['k'.repeat(43)], jwks_max_age_seconds: 60 }
    expect(load(given).tokenKeys).toEqual({ files: {}, rotationDays: 7, denied: ['k'.repeat(43)], maxAgeSeconds: 60 })
    expect(parse(printConfig(load(given)))).toMatchObject(given)
    expect(load({ token_key_rotation_days: 'off' }).tokenKeys.rotationDays).toBeUndefined()
    expect(parse(printConfig(load({ token_key_rotation_days: 'off' })))).toMatchObject({ token_key_rotation_days: 'off' })
  })

  it.each<[string, unknown]>([
    ['token_key_rotation_days', 0],
    ['token_key_rotation_days', 3651],
    ['token_key_rotation_days', 'never'],
    ['token_keys_denied', ['k'.repeat(42)]],
    ['token_keys_denied', [`${'k'.repeat(42)}=`]],
    ['jwks_max_age_seconds', 0],
    ['jwks_max_age_seconds', 3601],
  ])('is not %s: %j', (member, value) => {
    expect(() => load({ [member]: value })).toThrow(member)
  })
})

describe('token_key_files', () => {
  it('names one file for each algorithm', () => {
    const files = { ES384: '/run/secrets/es384', EdDSA: '/run/secrets/ed25519' }
    expect(load({ token_key_files: files }).tokenKeys.files).toEqual(files)
    expect(parse(printConfig(load({ token_key_files: files })))).toMatchObject({ token_key_files: files })
  })

  it.each([
    ['ES256, which has a member of its own', { ES256: '/a' }],
    ['what is no algorithm', { HS256: '/a' }],
  ])('does not name %s', (_, token_key_files) => {
    expect(() => load({ token_key_files })).toThrow('token_key_files')
  })

  it('is looked into by `config check`', async () => {
    const path = join(folder, 'key')
    writeFileSync(path, JSON.stringify(tokenKey('ES384').privateKey.export({ format: 'jwk' })), { mode: 0o600 })
    expect(await fileProblems(load({ token_key_files: { ES384: path } }))).toEqual([])
    const problem = { path: 'token_key_files', message: `${path} holds no Ed25519 key, which EdDSA needs` }
    expect(await fileProblems(load({ token_key_files: { EdDSA: path } }))).toMatchObject([problem])
    expect(await fileProblems(load({ token_key_file: path }))).toMatchObject([
      { path: 'token_key_file', message: `${path} holds no EC P-256 key, which ES256 needs` },
    ])
  })
})
