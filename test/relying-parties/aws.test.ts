import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ELSEWHERE, startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { published } from './published.ts'

const AUDIENCE = 'https://aws.example/account-123456789012'
const page = readPage('aws')

const text = z.object({
  type: z.literal('string'),
  min: z.number().default(0),
  max: z.number().default(Infinity),
  pattern: z.string().default(''),
})
const listOf = z.object({ type: z.literal('list'), member: z.object({ shape: z.string() }) })
const structure = z.object({
  type: z.literal('structure'),
  required: z.array(z.string()).default([]),
  members: z.record(z.string(), z.object({ shape: z.string() })),
})
type Shapes = Readonly<Record<string, unknown>>
const shapesOf = (model: unknown): Shapes => z.object({ shapes: z.record(z.string(), z.unknown()) }).parse(model).shapes

const known = z.discriminatedUnion('type', [text, listOf, structure])

/** What a shape of a service model has against a value. */
function complaints(shapes: Shapes, name: string, value: unknown): readonly string[] {
  const shape = known.parse(shapes[name])
  if (shape.type === 'structure') return structureComplaints(shapes, shape, value)
  if (shape.type === 'string') return isText(shape, value) ? [] : [`${name}: ${JSON.stringify(value)}`]
  return Array.isArray(value) ? value.flatMap((one) => complaints(shapes, shape.member.shape, one)) : [`${name}: no list`]
}

const isText = ({ min, max, pattern }: z.infer<typeof text>, value: unknown): boolean =>
  typeof value === 'string' && value.length >= min && value.length <= max && new RegExp(`^${pattern || '[^]*'}$`).test(value)

function structureComplaints(shapes: Shapes, { required, members }: z.infer<typeof structure>, value: unknown): readonly string[] {
  const given = Object.entries(Object(value))
  const missing = required.filter((name) => !given.some(([member]) => member === name))
  return [
    ...missing.map((name) => `${name} is missing`),
    ...given.flatMap(([name, one]) => {
      const shape = members[name]?.shape
      return shape === undefined ? [`${name} is unknown`] : complaints(shapes, shape, one)
    }),
  ]
}

const iam = published('AWS IAM')
describe.skipIf(iam === undefined)("what aws.md sends to AWS, by AWS's service model", () => {
  it.each([
    ['CreateOpenIDConnectProviderRequest', () => JSON.parse(page.file('provider.json')) as unknown],
    ['CreateRoleRequest', () => ({ RoleName: 'orders-guests', AssumeRolePolicyDocument: page.file('trust-policy.json') })],
  ])('is a %s', (shape, value) => expect(complaints(shapesOf(iam), shape, value())).toEqual([]))

  it('would be found wrong', () => {
    const wrong = { Url: 'u'.repeat(256), ClientIDs: [] }
    expect(complaints(shapesOf(iam), 'CreateOpenIDConnectProviderRequest', wrong)).toEqual([
      expect.stringContaining('Url'),
      'ClientIDs is unknown',
    ])
  })
})

const sts = published('AWS STS')
it.skipIf(sts === undefined)('AWS documents the algorithms that aws.md names', () => {
  const request = z.object({ members: z.object({ WebIdentityToken: z.object({ documentation: z.string() }) }) })
  const { documentation } = request.parse(shapesOf(sts)['AssumeRoleWithWebIdentityRequest']).members.WebIdentityToken
  const named = [...documentation.matchAll(/\b(?:RS|PS|ES)\d{3}\b|EdDSA/g)].map(([name]) => name)
  expect(named).toEqual(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])
})

const trust = z.object({
  Statement: z.tuple([
    z.object({ Principal: z.object({ Federated: z.string() }), Condition: z.record(z.string(), z.record(z.string(), z.string())) }),
  ]),
})

/** Conditions of a trust policy over `sub` and `aud`: every operator and key must hold; `*` is any text, and case counts. */
function assumed(token: string): boolean {
  const { Principal, Condition } = trust.parse(JSON.parse(page.file('trust-policy.json'))).Statement[0]
  const provider = Principal.Federated.split('oidc-provider/')[1] ?? ''
  const claims = decodeJwt(token)
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const found = key === `${provider}:sub` ? claims.sub : key === `${provider}:aud` ? String(claims.aud) : undefined
      if (operator === 'StringEquals') return found === wanted
      const pattern = new RegExp(`^${wanted.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')}$`)
      return operator === 'StringLike' && found !== undefined && pattern.test(found)
    }),
  )
}

describe('the trust policy of aws.md', () => {
  let lab: Lab
  let token: string
  beforeAll(async () => {
    lab = await startLab(page)
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(() => lab.close())

  it('lets a token pass that AWS can take', () => {
    expect(assumed(token)).toBe(true)
    expect(['RS256', 'ES256', 'ES384']).toContain(decodeProtectedHeader(token).alg)
    expect(token.length).toBeLessThan(20_000)
  })

  it('asks only for what AWS has a condition key for', () => {
    const { Condition } = trust.parse(JSON.parse(page.file('trust-policy.json'))).Statement[0]
    expect(Object.values(Condition).flatMap((keys) => Object.keys(keys))).toEqual(['assay.example:aud', 'assay.example:sub'])
  })

  it('refuses other audiences and other subjects', async () => {
    expect(assumed(await lab.token({ audience: ELSEWHERE }))).toBe(false)
    expect(assumed(await lab.altered(token, { sub: 'urn:assay:snp:00' }))).toBe(false)
    expect(assumed(await lab.altered(token, { sub: 'other/orders-guests/00' }))).toBe(false)
  })
})
