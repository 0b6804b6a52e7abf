import type { TokenProfile } from '../../access/audiences.ts'
import { ALWAYS } from './common-problems.ts'
import type { Description } from './operations.ts'

const WRITTEN_AS = {
  lean: 'An OpenID-shaped JWT of less than 4 KiB.',
  ear: 'The member names of draft-ietf-rats-ear.',
  'ear-veraison': 'The member names that deployed EAR libraries parse.',
} as const satisfies Record<TokenProfile, string>

const schemaOf = (profile: TokenProfile, operationId: string): Description => ({
  operationId,
  tag: 'Documentation',
  summary: `Get the JSON Schema of tokens of profile \`${profile}\``,
  description: `JSON Schema 2020-12 of the claims. ${WRITTEN_AS[profile]} Which profile a token has is configured for its audience.`,
  answer: {
    status: 200,
    description: 'The schema',
    content: { 'application/schema+json': { schema: 'text' } },
    headers: { ETag: 'Names this text' },
  },
  problems: ALWAYS,
})

/** Schemas of tokens. */
export const TOKEN_OPERATIONS = {
  'GET /schemas/token-lean.json': schemaOf('lean', 'getLeanTokenSchema'),
  'GET /schemas/token-ear.json': schemaOf('ear', 'getEarTokenSchema'),
  'GET /schemas/token-ear-veraison.json': schemaOf('ear-veraison', 'getEarVeraisonTokenSchema'),
} as const
