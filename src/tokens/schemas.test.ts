import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TOKEN_PROFILES } from '../access/audiences.ts'
import { TOKEN_SCHEMAS, tokenSchemaText } from './schemas.ts'

const docs = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

describe.each(TOKEN_PROFILES)('docs/token-%s.schema.json', (profile) => {
  it('is what the schema says: `npm run openapi` writes it', () => {
    expect(docs(`token-${profile}.schema.json`)).toBe(tokenSchemaText(profile))
  })

  it('refuses what it does not name, and tokens without evidence', () => {
    expect(JSON.parse(tokenSchemaText(profile))).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
      required: expect.arrayContaining(['iss', 'sub', 'aud', 'exp', 'jti', 'eat_profile', 'eat_nonce', 'submods']),
      properties: { submods: { minProperties: 1, additionalProperties: { additionalProperties: false } } },
    })
  })

  it('has no claim that docs/tokens.md does not explain', () => {
    const page = docs('tokens.md')
    expect(Object.keys(TOKEN_SCHEMAS[profile].shape).filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})
