import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { policySchema, policySchemaText } from './json-schema.ts'

describe('docs/policy.schema.json', () => {
  it('is what the schema says: `npm run openapi` writes it', () => {
    expect(readFileSync(new URL('../../docs/policy.schema.json', import.meta.url), 'utf8')).toBe(policySchemaText())
  })

  it('names every word, and refuses unknown members', () => {
    expect(policySchema()).toMatchObject({
      required: ['name'],
      additionalProperties: false,
      properties: {
        extends: { enum: expect.arrayContaining(['strict', 'lab']) },
        snp: { properties: { measurements: { anyOf: [{ const: 'DANGEROUSLY_ACCEPT_ANY' }, { type: 'array' }] } } },
      },
    })
  })
})
