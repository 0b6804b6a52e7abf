/** What the relying-party kit costs beside bare jose: the same token, the same key, one after the other. */
import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { verifyAttestation } from '../clients/relying-party/src/verify.ts'
import { deriveKeys } from '../src/access/secrets.ts'
import { createTokenIssuer } from '../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../src/tokens/key-ring.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import { bearerPolicy, judged, proverOf } from './in-process.ts'
import { bindingInput, reportDataOf } from '../src/access/binding.ts'
import { cpuSeconds } from './measure.ts'
import type { Setting } from './setting.ts'
import { note, quotient } from './table.ts'

const ISSUER = 'https://bench.assay.invalid'
const AUDIENCE = 'https://rp.example'

/** Tokens of one service, and the set that it publishes. */
async function tokensOf(
  setting: Setting,
  count: number,
): Promise<{ readonly tokens: readonly string[]; readonly jwks: JSONWebKeySet; readonly sha256: string }> {
  const policy = bearerPolicy(setting)
  const prove = await proverOf(setting, policy)
  const key = temporaryTokenKey('ES256')
  const audience = { name: AUDIENCE, policies: ['bearer'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const issuer = createTokenIssuer({
    tokenKeys: fixedTokenKeys([key]),
    keys: deriveKeys(randomBytes(32), 'test'),
    issuer: ISSUER,
    mode: 'test',
    now: () => new Date(),
  })
  const tokens: string[] = []
  for (let i = 0; i < count; i++) {
    const nonce = randomBytes(32)
    const reportData = reportDataOf(bindingInput({ nonce, audience: AUDIENCE }))
    const evidence = setting.evidence(reportData)
    const appraisal = judged(evidence.type, await prove({ reportData, evidence }), policy)
    tokens.push(issuer.issue({ appraisal, audience, policy, nonce }).token)
  }
  return { tokens, jwks: { keys: [{ ...key.publicJwk, kid: key.kid, alg: key.alg, use: 'sig' }] }, sha256: policy.reference.sha256 }
}

const KIT = 'kit: one token'
const BARE = 'bare jose: one token'
const SLICES = 40

/** Each round verifies tokens with both in short turns, of which the least counts: what else the machine does can only add to it. */
export async function relyingPartyBenchmark(setting: Setting): Promise<{ readonly round: (count: number) => Promise<void> }> {
  const { tokens, jwks, sha256 } = await tokensOf(setting, 100)
  const keys = createLocalJWKSet(jwks)
  const bare = { issuer: ISSUER, audience: AUDIENCE, typ: 'demo+JWT', algorithms: ['ES256'] }
  const kit = {
    issuer: ISSUER,
    audience: AUDIENCE,
    confirm: 'DANGEROUSLY_BEARER',
    jwks,
    accept: { policies: [{ sha256 }], demo: 'DANGEROUSLY_ACCEPT_DEMO', weakenings: ['key_binding: DANGEROUSLY_OPTIONAL'] },
  } as const
  const verifiers = [
    { name: BARE, verify: (token: string) => jwtVerify(token, keys, bare) },
    { name: KIT, verify: (token: string) => verifyAttestation(token, kit) },
  ]
  for (const { verify } of verifiers) await secondsOf(verify, tokens, 5000)
  return {
    round: async (count) => {
      const least = new Map<string, number>()
      const each = Math.ceil(count / SLICES)
      for (const { name, verify } of Array.from({ length: SLICES }, () => verifiers).flat())
        least.set(name, Math.min(least.get(name) ?? Infinity, await secondsOf(verify, tokens, each)))
      for (const [name, seconds] of least) note(name, 'µs', (seconds / each) * 1e6)
    },
  }
}

/** Processor seconds, other threads included, of so many verifications one after the other. */
async function secondsOf(verify: (token: string) => Promise<unknown>, tokens: readonly string[], times: number): Promise<number> {
  const before = cpuSeconds()
  for (let i = 0; i < times; i++) await verify(tokens[i % tokens.length] ?? '')
  return cpuSeconds() - before
}

/** How much more the kit costs. */
export const relyingPartyRatios = (): readonly string[] => [
  `| kit’s CPU ÷ bare jose’s, ES256, one token | ${quotient(KIT, [BARE])} | < 1.15 |`,
]
