import { z } from 'zod'
import { TOKEN_ALGORITHMS, type TokenProfile } from '../../access/audiences.ts'
import { ALWAYS, CALLER } from './common-problems.ts'
import { time } from './fields.ts'
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

const tokenKeys = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kid: z.string(),
        alg: z.enum(TOKEN_ALGORITHMS),
        state: z.enum(['next', 'active', 'retiring']).meta({ description: 'Where the key is in its life' }),
        signs_from: time,
        shown_until: time,
      }),
    ),
  })
  .meta({ id: 'TokenKeys', description: 'Keys of all replicas that are in the key set' })

const KEYS = ['oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U', 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'] as const
const keysExample: z.input<typeof tokenKeys> = {
  keys: [
    { kid: KEYS[0], alg: 'ES256', state: 'active', signs_from: '2026-10-25T07:30:00.000Z', shown_until: '2026-11-24T08:21:00.000Z' },
    { kid: KEYS[1], alg: 'ES256', state: 'next', signs_from: '2026-11-24T08:10:00.000Z', shown_until: '2026-11-24T08:31:00.000Z' },
  ],
}

/** Tokens: the keys that sign them, and their schemas. */
export const TOKEN_OPERATIONS = {
  'GET /v1/token-keys': {
    operationId: 'listTokenKeys',
    tag: 'Operation',
    summary: 'See which keys sign tokens, which will, and which did',
    description:
      'A key is `next` while key sets without it may be in caches, then `active`, and `retiring` once a newer one signs, until its last token has ended.',
    answer: { status: 200, description: 'The keys', content: { 'application/json': { schema: tokenKeys, example: keysExample } } },
    problems: [...ALWAYS, ...CALLER, 'forbidden'],
  },
  'GET /schemas/token-lean.json': schemaOf('lean', 'getLeanTokenSchema'),
  'GET /schemas/token-ear.json': schemaOf('ear', 'getEarTokenSchema'),
  'GET /schemas/token-ear-veraison.json': schemaOf('ear-veraison', 'getEarVeraisonTokenSchema'),
} as const
