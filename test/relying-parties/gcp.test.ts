import { evaluate } from '@marcbachmann/cel-js'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { published } from './published.ts'

const AUDIENCE = 'https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/attested/providers/assay'
const page = readPage('gcp')

const provider = z.strictObject({
  displayName: z.string().max(32),
  oidc: z.strictObject({ issuerUri: z.url({ protocol: /^https$/ }) }),
  attributeMapping: z.record(z.string().regex(/^(?:google\.(?:subject|groups)|attribute\.[a-z0-9_]{1,100})$/), z.string()),
  attributeCondition: z.string().max(4_096),
})

const schema = z.object({ properties: z.record(z.string(), z.object({ readOnly: z.boolean().optional(), $ref: z.string().optional() })) })
const iam = published('Google IAM')
it.skipIf(iam === undefined)("the provider of gcp.md has members of Google's own description only", () => {
  const { schemas } = z.object({ schemas: z.record(z.string(), z.unknown()) }).parse(iam)
  const known = (name: string) => Object.keys(schema.parse(schemas[name]).properties)
  const given = provider.parse(JSON.parse(page.file('provider.json')))
  expect(known('WorkloadIdentityPoolProvider')).toEqual(expect.arrayContaining(Object.keys(given)))
  expect(known('Oidc')).toEqual(expect.arrayContaining(Object.keys(given.oidc)))
})

describe('the provider of gcp.md', () => {
  let lab: Lab
  let token: string
  beforeAll(async () => {
    lab = await startLab(page)
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(() => lab.close())

  const configured = () => provider.parse(JSON.parse(lab.file('provider.json', [['"https://assay.example"', '"https://127.0.0.1"']])))

  /** As the exchange does: a condition that fails or cannot be evaluated refuses, else the attributes are what the mapping yields. */
  function exchanged(jwt: string): Readonly<Record<string, unknown>> | 'refused' {
    const { attributeCondition, attributeMapping } = configured()
    const assertion = decodeJwt(jwt)
    try {
      if (evaluate(attributeCondition, { assertion }) !== true) return 'refused'
      return Object.fromEntries(Object.entries(attributeMapping).map(([name, cel]) => [name, evaluate(cel, { assertion })]))
    } catch {
      return 'refused'
    }
  }

  it('makes a subject and groups of a token', () => {
    const { sub = '' } = decodeJwt(token)
    expect(exchanged(token)).toEqual({ 'google.subject': sub, 'google.groups': ['orders-guests'], 'attribute.policy': 'orders-guests' })
    expect(Buffer.byteLength(sub)).toBe(46)
    expect(['RS256', 'ES256']).toContain(decodeProtectedHeader(token).alg)
  })

  it('stands for an audience that Google takes by itself, of a length that it takes', () => {
    expect(decodeJwt(token).aud).toBe(AUDIENCE)
    expect(AUDIENCE.length).toBeLessThanOrEqual(256)
    const { iat = 0, exp = Infinity } = decodeJwt(token)
    expect(exp - iat).toBeLessThanOrEqual(86_400)
  })

  it.each([
    ['that another policy gave', () => lab.token({ audience: AUDIENCE, judgedBy: 'weak' as const })],
    ['whose guest is only warned of', () => lab.warned(token)],
    ['whose host may read the guest', () => lab.altered(token, { dbgstat: 'enabled' })],
    ['without submods', () => lab.altered(token, { submods: undefined })],
    ['without groups', () => lab.altered(token, { groups: undefined })],
  ])('refuses a token %s', async (_, made) => expect(exchanged(await made())).toBe('refused'))
})
