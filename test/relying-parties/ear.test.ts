import { createSecretKey, randomBytes } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TOKEN_ALGORITHMS, type TokenAlgorithm, type TokenProfile } from '../../src/access/audiences.ts'
import { readPolicy } from '../../src/appraisal/read-policy.ts'
import { createTokenIssuer } from '../../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../../src/tokens/key-ring.ts'
import { appraisalUnder, itemWith } from '../appraisals.ts'
import { tempFiles } from '../cli.ts'
import { tokenKey } from '../token-keys.ts'
import { program, runProgram } from './programs.ts'

const library = program({ name: 'ear', version: [], ci: false })
const files = tempFiles()
afterAll(() => files.remove())

const policy = readPolicy(
  JSON.stringify({ name: 'eu', key_binding: 'DANGEROUSLY_OPTIONAL', snp: { measurements: ['4d'.repeat(48)] } }),
  'test',
)

function token(alg: TokenAlgorithm, profile: TokenProfile): string {
  const issuer = createTokenIssuer({
    tokenKeys: fixedTokenKeys([tokenKey(alg)]),
    keys: { subject: createSecretKey(randomBytes(32)) },
    issuer: 'https://attest.example',
    mode: 'production',
    now: () => new Date(),
  })
  const appraisal = appraisalUnder(policy.reference, {
    evidence: [itemWith()],
    valid_until: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const audience = { name: 'reader', policies: ['eu'], profile, alg, relyingPartyNonce: 'refuse' } as const
  return issuer.issue({ appraisal, policy, audience, nonce: randomBytes(32) }).token
}

const answer = z.union([
  z.strictObject({ status: z.record(z.string(), z.string()), hardware: z.record(z.string(), z.string()) }),
  z.strictObject({ error: z.string() }),
])

async function read(text: string, alg: TokenAlgorithm) {
  const key = files.write('key.json', tokenKey(alg).publicJwk)
  const { out } = await runProgram(library ?? '', [key, alg], { input: `${text}\n` })
  return answer.parse(JSON.parse(out))
}

describe.skipIf(library === undefined)('the EAR library of Veraison', () => {
  it.each(TOKEN_ALGORITHMS)('reads tokens of profile ear-veraison that are signed with %s', async (alg) => {
    expect(await read(token(alg, 'ear-veraison'), alg)).toEqual({ status: { cpu0: 'affirming' }, hardware: { cpu0: '2' } })
  })

  it('refuses the names of the draft, and a token that was changed', async () => {
    expect(await read(token('ES256', 'ear'), 'ES256')).toEqual({ error: expect.stringMatching(/profile|ear\./) })
    const [header = '', claims = '', signature = ''] = token('ES256', 'ear-veraison').split('.')
    const changed = Buffer.from(Buffer.from(claims, 'base64url').toString('utf8').replace('affirming', 'warning')).toString('base64url')
    expect(await read([header, changed, signature].join('.'), 'ES256')).toEqual({ error: expect.stringContaining('verif') })
  })
})
