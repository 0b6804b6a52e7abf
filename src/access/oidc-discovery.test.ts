import { describe, expect, it } from 'vitest'
import { isProviderUrl, signingKeysUrl } from './oidc-discovery.ts'

const ISSUER = 'https://login.example/realm'
const KEYS = 'https://login.example/keys'

/** Where the keys are by this document, and where that was asked for. */
async function discovered(document: unknown, issuer = ISSUER): Promise<readonly [keys: string, asked: readonly string[]]> {
  const asked: string[] = []
  const url = await signingKeysUrl({ issuer, jwksUri: undefined }, (from) => {
    asked.push(from)
    return Promise.resolve(typeof document === 'string' ? Buffer.from(document, 'latin1') : Buffer.from(JSON.stringify(document)))
  })
  return [url.href, asked]
}

const neverAsked = (): Promise<never> => Promise.reject(new Error('asked'))

describe('a URL of a provider', () => {
  it.each(['https://login.example', 'http://localhost:8080/x', 'http://127.0.0.1', 'http://[::1]:1/'])('may be %s', (url) =>
    expect(isProviderUrl(url)).toBe(true),
  )

  it.each([
    'http://login.example',
    'http://127.0.0.2',
    'http://localhost.example',
    'ftp://localhost',
    'file:///etc/passwd',
    'https://user@login.example',
    'https://:word@login.example',
    'https://login.example/#x',
    'login.example',
    '',
  ])('may not be %s', (url) => expect(isProviderUrl(url)).toBe(false))
})

describe('where the keys of a provider are', () => {
  it('is what the configuration says, without asking', async () => {
    expect((await signingKeysUrl({ issuer: ISSUER, jwksUri: KEYS }, neverAsked)).href).toBe(KEYS)
  })

  it('is what the discovery document of the issuer says', async () => {
    const asked = [`${ISSUER}/.well-known/openid-configuration`]
    expect(await discovered({ issuer: ISSUER, jwks_uri: KEYS })).toEqual([KEYS, asked])
    expect(await discovered({ issuer: `${ISSUER}/`, jwks_uri: KEYS }, `${ISSUER}/`)).toEqual([KEYS, asked])
  })

  it('is not what a document of another issuer says', async () => {
    const other = 'the discovery document is of another issuer'
    await expect(discovered({ issuer: `${ISSUER}/`, jwks_uri: KEYS })).rejects.toThrow(other)
    await expect(discovered({ jwks_uri: KEYS })).rejects.toThrow(other)
    await expect(discovered(null)).rejects.toThrow(other)
    await expect(discovered([])).rejects.toThrow(other)
    await expect(discovered(7)).rejects.toThrow(other)
  })

  it.each([undefined, null, 7, '', 'http://login.example/keys', 'keys'])('is not at %s', async (url) => {
    await expect(discovered({ issuer: ISSUER, jwks_uri: url })).rejects.toThrow('the discovery document names no https URL of keys')
  })

  it('is not in what is no JSON, or no UTF-8', async () => {
    await expect(discovered('{')).rejects.toThrow(SyntaxError)
    await expect(discovered(`{"issuer":"${ISSUER}","jwks_uri":"${KEYS}","x":"\u00ff"}`)).rejects.toThrow(TypeError)
  })
})
