import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { appraisalUnder, hexOf, itemWith } from '../../test/appraisals.ts'
import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import { createTokenIssuer } from './issuer.ts'
import { fixedTokenKeys } from './key-ring.ts'
import { temporaryTokenKey } from './keys.ts'

type Names = { readonly subject?: string; readonly groups?: readonly string[] }

/** The token and its claims, under a policy that gives these names and is as long as policies are. */
function issued(token: Names, item: ItemAppraisal = itemWith()): { readonly token: string; readonly claims: Record<string, unknown> } {
  const lists = { measurements: [item.claims.snp?.measurement], host_data: [item.claims.snp?.host_data] }
  const policy = readPolicy(JSON.stringify({ name: 'p'.repeat(64), token, snp: lists }), 'test')
  const service = createTokenIssuer({
    tokenKeys: fixedTokenKeys([temporaryTokenKey('ES256')]),
    keys: { subject: createSecretKey(randomBytes(32)) },
    issuer: 'https://attest.example',
    mode: 'production',
    now: () => new Date('2026-11-24T08:00:00Z'),
  })
  const audience = { name: 'a'.repeat(200), policies: [], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const appraisal = appraisalUnder(policy.reference, { evidence: [item] })
  const made = service.issue({ appraisal, policy, audience, nonce: new Uint8Array(64).fill(255) })
  return { token: made.token, claims: JSON.parse(Buffer.from(made.token.split('.')[1] ?? '', 'base64url').toString('utf8')) }
}

/** Renders as 128 characters. */
const longest = (at: number) => `${at}${'g'.repeat(31)}{snp.measurement}`

describe('names that a policy gives', () => {
  it('are subject and groups of the token', () => {
    const { claims } = issued({ subject: 'node-{snp.report_id}', groups: ['fleet', 'host:{snp.host_data}'] })
    expect(claims).toMatchObject({ sub: `node-${hexOf(0x9e, 32)}`, groups: ['fleet', `host:${hexOf(0x4d, 32)}`] })
  })

  it('are a pseudonym and no groups where the policy gives none', () => {
    const { claims } = issued({})
    expect(claims['sub']).toMatch(/^urn:assay:snp:[0-9a-f]{32}$/)
    expect(Object.keys(claims)).not.toContain('groups')
  })

  it('leave room in a token of 4 KiB, however long they are', () => {
    expect(issued({ subject: longest(0), groups: [1, 2, 3, 4].map((at) => longest(at)) }).token.length).toBeLessThanOrEqual(4096)
  })

  it('end in no token where the evidence does not have them', () => {
    expect(() => issued({ subject: '{tdx.platform.ppid}' })).toThrow(expect.objectContaining({ code: 'internal-error' }))
    expect(() => issued({ groups: ['{sgx.platform.ppid}'] })).toThrow(expect.objectContaining({ code: 'internal-error' }))
  })
})
