import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCredentials } from './credentials.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const credentials = createCredentials([
  { name: 'alice', roles: ['admin'], tokenSha256: sha256('token-of-alice') },
  { name: 'vera', roles: ['viewer'], tokenSha256: sha256('token-of-vera') },
])
const unauthenticated = expect.objectContaining({ code: 'unauthenticated' })

describe('authenticate', () => {
  it('knows who a token belongs to', async () => {
    expect(await credentials.authenticate('Bearer token-of-alice')).toEqual({ name: 'alice', roles: ['admin'] })
    expect(await credentials.authenticate('bearer token-of-vera')).toEqual({ name: 'vera', roles: ['viewer'] })
  })

  it('knows nobody without a header', async () => {
    expect(await credentials.authenticate(undefined)).toBeUndefined()
  })

  it.each([
    ['an empty header', ''],
    ['a scheme alone', 'Bearer'],
    ['a scheme and a blank', 'Bearer '],
    ['another scheme', 'Basic dG9rZW4tb2YtYWxpY2U='],
    ['a token without a scheme', 'token-of-alice'],
    ['an unknown token', 'Bearer token-of-mallory'],
    ['a token and more', 'Bearer token-of-alice extra'],
    ['two blanks', 'Bearer  token-of-alice'],
    ['a blank at the end', 'Bearer token-of-alice '],
    ['the start of a token', 'Bearer token-of-alic'],
    ['the hash instead of the token', `Bearer ${sha256('token-of-alice')}`],
    ['a token in another case', 'Bearer TOKEN-OF-ALICE'],
    ['a very long token', `Bearer ${'a'.repeat(100_000)}`],
  ])('refuses %s', async (_, header) => {
    await expect(credentials.authenticate(header)).rejects.toEqual(unauthenticated)
  })

  it('refuses every token where nobody is configured', async () => {
    await expect(createCredentials([]).authenticate('Bearer token-of-alice')).rejects.toEqual(unauthenticated)
  })

  it('asks others for a token that is not configured, and for no other', async () => {
    const asked: string[] = []
    const others = (token: string) => Promise.resolve({ name: `oidc:${String(asked.push(token))}`, roles: ['viewer'] as const })
    const both = createCredentials([{ name: 'alice', roles: ['admin'], tokenSha256: sha256('token-of-alice') }], others)
    expect(await both.authenticate('Bearer token-of-alice')).toMatchObject({ name: 'alice' })
    expect(await both.authenticate('Bearer e30.e30.AAAA')).toMatchObject({ name: 'oidc:1' })
    await expect(both.authenticate('Basic e30')).rejects.toEqual(unauthenticated)
    expect(asked).toEqual(['e30.e30.AAAA'])
  })
})

describe('createCredentials', () => {
  const alice = { name: 'alice', roles: ['admin'], tokenSha256: sha256('a') } as const

  it.each([
    ['a token in place of its hash', { ...alice, tokenSha256: 'token-of-alice' }],
    ['upper case', { ...alice, tokenSha256: sha256('a').toUpperCase() }],
    ['nothing', { ...alice, tokenSha256: '' }],
  ])('refuses %s', (_, entry) => {
    expect(() => createCredentials([entry])).toThrow('token_sha256 of alice is not 64 lower-case hex digits')
  })

  it('refuses two callers with one token or one name: an audit line must name one', () => {
    expect(() => createCredentials([alice, { ...alice, name: 'bob' }])).toThrow('the same token')
    expect(() => createCredentials([alice, { ...alice, tokenSha256: sha256('b') }])).toThrow('the same name')
  })
})
