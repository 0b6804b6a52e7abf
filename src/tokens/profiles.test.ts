import { createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { describe, expect, it } from 'vitest'
import { appraisalUnder, hexOf, itemWith } from '../../test/appraisals.ts'
import { eventLog, sgxItem, tdxClaims, tdxItem } from '../../test/intel-claims.ts'
import { tokenKey } from '../../test/token-keys.ts'
import { boot, tpmItem } from '../../test/tpm-claims.ts'
import { EAR_DRAFT, TOKEN_ALGORITHMS, TOKEN_PROFILES, type TokenProfile } from '../access/audiences.ts'
import { readCnfJwk, type CnfKey } from '../access/cnf.ts'
import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import type { Mode } from '../verifiers/verifier.ts'
import { createTokenIssuer, type IssuerParts, type TokenRequest } from './issuer.ts'
import { fixedTokenKeys } from './key-ring.ts'
import { TOKEN_SCHEMAS } from './schemas.ts'

const NOW = new Date('2026-11-24T08:00:00Z')
const policy = readPolicy(JSON.stringify({ name: 'eu' }), 'test')
const subject = createSecretKey(randomBytes(32))
const nonce = new Uint8Array(32).fill(7)
const rsa = readCnfJwk({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(512, 0xc1).toString('base64url') })
const ec = readCnfJwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }))

const issuerOf = (parts: Partial<IssuerParts> = {}) =>
  createTokenIssuer({
    tokenKeys: fixedTokenKeys(TOKEN_ALGORITHMS.map((alg, nth) => tokenKey(alg, nth))),
    keys: { subject },
    issuer: 'https://attest.example',
    mode: 'production',
    now: () => NOW,
    ...parts,
  })
const issuer = issuerOf()
const jwks = createLocalJWKSet(JSON.parse(JSON.stringify(issuer.jwks())) as JSONWebKeySet)

type Given = { readonly item?: ItemAppraisal; readonly cnf?: CnfKey; readonly rest?: Partial<TokenRequest> }

const audience = (profile: TokenProfile, alg: (typeof TOKEN_ALGORITHMS)[number] = 'ES256') =>
  ({ name: 'https://rp.example', policies: ['eu'], profile, alg, relyingPartyNonce: 'refuse' }) as const

const request = (profile: TokenProfile, { item = itemWith(), cnf, rest = {} }: Given = {}): TokenRequest => ({
  appraisal: appraisalUnder(policy.reference, { evidence: [item] }),
  policy,
  audience: audience(profile),
  nonce,
  cnf,
  ...rest,
})

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
const issued = (profile: TokenProfile, given: Given = {}) => claimsOf(issuer.issue(request(profile, given)).token)

const longLog = {
  ...eventLog,
  facts: { ...eventLog.facts, kernel_cmdline: 'x'.repeat(9000), container_images: Array(900).fill('sha256:0') },
}
const pcrs = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [String(index), hexOf(index + 1, 64)]))
/** Each kind of evidence with claims as long as they can be. */
const LARGEST: readonly (readonly [string, ItemAppraisal])[] = [
  ['SEV-SNP', itemWith()],
  ['TDX', tdxItem({ event_log: longLog })],
  ['SGX', sgxItem()],
  ['TPM', tpmItem({ bank: 'sha512', pcrs, boot: { ...boot, kernel_cmdline: 'x'.repeat(9000) } })],
]

describe.each(TOKEN_PROFILES)('a token of profile %s', (profile) => {
  it.each(TOKEN_ALGORITHMS)('is verified by jose: %s', async (alg) => {
    const { token } = issuer.issue(request(profile, { rest: { audience: audience(profile, alg) } }))
    const typ = profile === 'lean' ? 'JWT' : 'eat+jwt'
    const { payload } = await jwtVerify(token, jwks, { algorithms: [alg], typ, audience: 'https://rp.example', currentDate: NOW })
    expect(payload.iss).toBe('https://attest.example')
  })

  it.each<Exclude<Mode, 'production'>>(['demo', 'test'])('is marked in mode %s, in header and claims', async (mode) => {
    const other = issuerOf({ mode, issuer: `https://attest.${mode}.invalid` })
    const appraisal = appraisalUnder(policy.reference, { evidence: [itemWith()], mode })
    const { token } = other.issue(request(profile, { rest: { appraisal } }))
    const typ = profile === 'lean' ? 'demo+JWT' : 'demo+eat+jwt'
    const { payload } = await jwtVerify(token, jwks, { typ, currentDate: NOW })
    expect(payload).toMatchObject({ demo: true })
    expect(issued(profile)).not.toHaveProperty('demo')
  })

  it.each(LARGEST)('stays in its limits and its schema with the largest evidence: %s', (_, item) => {
    const limit = profile === 'lean' ? 4096 : 8001
    for (const cnf of [undefined, ec, rsa])
      for (const alg of ['ES256', 'PS384'] as const) {
        const name = 'a'.repeat(200)
        const rest = { audience: { ...audience(profile, alg), name }, nonce: new Uint8Array(64).fill(255) }
        const { token } = issuer.issue(request(profile, { item, ...(cnf === undefined ? {} : { cnf }), rest }))
        expect(token.length).toBeLessThan(limit)
        expect(TOKEN_SCHEMAS[profile].safeParse(claimsOf(token)).error).toBeUndefined()
      }
  })

  it('is no token of another profile', () => {
    const claims = issued(profile)
    const taken = TOKEN_PROFILES.filter((each) => TOKEN_SCHEMAS[each].safeParse(claims).success)
    expect(taken).toEqual([profile])
    expect(TOKEN_SCHEMAS[profile].safeParse({ ...claims, other: 1 }).success).toBe(false)
    expect(TOKEN_SCHEMAS[profile].safeParse({ ...claims, submods: {} }).success).toBe(false)
    expect(TOKEN_SCHEMAS[profile].safeParse({ ...claims, aud: ['https://rp.example'] }).success).toBe(false)
  })
})

describe('profiles of one appraisal', () => {
  it('say the same of everything but the verdict’s names', () => {
    const own = new Set(['submods', 'jti', 'eat_profile', 'ear_status', 'ear_verifier_id', 'ear.verifier-id'])
    const common = TOKEN_PROFILES.map((profile) => {
      const entries = Object.entries(issued(profile, { cnf: ec }))
      return Object.fromEntries(entries.filter(([name]) => !own.has(name)))
    })
    expect(Object.keys(common[0] ?? {}).length).toBeGreaterThan(12)
    expect(common[1]).toEqual(common[0])
    expect(common[2]).toEqual(common[0])
  })
})

describe('profile ear', () => {
  it('has the member names of the draft, and our own claims in one map', () => {
    const claims = issued('ear', { cnf: ec })
    expect(claims).toMatchObject({
      eat_profile: EAR_DRAFT,
      ear_verifier_id: { developer: 'urn:assay', build: 'assay' },
      ear_status: 'affirming',
      submods: {
        cpu0: {
          ear_status: 'affirming',
          ear_trustworthiness_vector: itemWith().trustworthiness,
          ear_appraisal_policy_ids: [`urn:assay:policy:eu:${policy.reference.version}:${policy.reference.sha256}`],
          assay: { fresh: true, policy: policy.reference, snp: { measurement: hexOf(0x3e, 48) } },
        },
      },
    })
    expect(JSON.stringify(claims)).not.toContain('"ear.')
  })

  it('names draft and build as the service is told', () => {
    const other = issuerOf({ ear: { profile: 'tag:ietf.org,2026:rats/ear#04', build: 'assay 9.9.9' } })
    expect(claimsOf(other.issue(request('ear')).token)).toMatchObject({
      eat_profile: 'tag:ietf.org,2026:rats/ear#04',
      ear_verifier_id: { build: 'assay 9.9.9' },
    })
  })

  it('is never better than the worst claim of its vector', () => {
    const item = tdxItem()
    const statusWith = (hardware: number) => {
      const worse = { ...item, trustworthiness: { ...item.trustworthiness, hardware } }
      const { ear_status } = issued('ear', { item: worse })
      return [ear_status, JSON.stringify(issued('ear-veraison', { item: worse })).match(/"ear\.status":"(\w+)"/)?.[1]]
    }
    expect([2, 31, 32, 95, 96].map((value) => statusWith(value))).toEqual([
      ['affirming', 'affirming'],
      ['affirming', 'affirming'],
      ['warning', 'warning'],
      ['warning', 'warning'],
      ['contraindicated', 'contraindicated'],
    ])
  })
})

describe('a warning that the policy lets pass', () => {
  it('is told by every profile', () => {
    const warned = readPolicy(JSON.stringify({ name: 'eu', issue_on: 'warning' }), 'test')
    const item = { ...itemWith(), status: 'warning' } as const
    const appraisal = appraisalUnder(warned.reference, { evidence: [item], status: 'warning' })
    const told = TOKEN_PROFILES.map((profile) => issued(profile, { rest: { appraisal, policy: warned } }))
    expect(told.map(({ submods }) => submods)).toMatchObject([
      { cpu0: { status: 'warning' } },
      { cpu0: { ear_status: 'warning' } },
      { cpu0: { 'ear.status': 'warning' } },
    ])
    expect(told[1]).toMatchObject({ ear_status: 'warning' })
  })
})

describe('the room in a token', () => {
  it('is never exceeded by a byte, however long the audience’s name', () => {
    const lengths = Array.from({ length: 183 }, (_, extra) => {
      const name = 'a'.repeat(18 + extra)
      return issuer.issue(request('lean', { cnf: ec, rest: { audience: { ...audience('lean'), name } } })).token.length
    })
    expect(Math.max(...lengths)).toBeLessThanOrEqual(4095)
    // Nor is room given away: one name leaves less than what one more byte would need.
    expect(Math.max(...lengths)).toBeGreaterThanOrEqual(4093)
  })
})

describe('profile ear-veraison', () => {
  it('has the member names of deployed libraries, and no others in a submod', () => {
    const claims = issued('ear-veraison', { cnf: ec, item: tdxItem() })
    expect(claims).toMatchObject({
      eat_profile: 'tag:github.com,2023:veraison/ear',
      'ear.verifier-id': { developer: 'urn:assay', build: 'assay' },
      submods: {
        cpu0: {
          'ear.status': 'affirming',
          'ear.appraisal-policy-id': `urn:assay:policy:eu:${policy.reference.version}:${policy.reference.sha256}`,
          'ear.veraison.annotated-evidence': { tdx: { mr_td: tdxClaims.mr_td } },
          'ear.veraison.policy-claims': { fresh: true },
        },
      },
    })
    const { cpu0 } = claims['submods'] as Record<string, Record<string, unknown>>
    expect(Object.keys(cpu0 ?? {}).filter((name) => !name.startsWith('ear.'))).toEqual([])
  })

  it('attests the bound key as SubjectPublicKeyInfo, of evidence that binds it', () => {
    const akpub = (given: Given) => JSON.stringify(issued('ear-veraison', given)).match(/"akpub":"([\w-]+)"/)?.[1]
    const read = createPublicKey({ key: Buffer.from(akpub({ cnf: ec }) ?? '', 'base64url'), format: 'der', type: 'spki' })
    expect(read.equals(ec.key)).toBe(true)
    expect(akpub({})).toBeUndefined()
    const evidence = [itemWith(), { ...tpmItem(), fresh: false }]
    const { submods } = issued('ear-veraison', { cnf: ec, rest: { appraisal: appraisalUnder(policy.reference, { evidence }) } })
    expect(submods).toMatchObject({ cpu0: { 'ear.veraison.key-attestation': {} } })
    expect(JSON.stringify((submods as Record<string, unknown>)['tpm0'])).not.toContain('key-attestation')
  })
})
