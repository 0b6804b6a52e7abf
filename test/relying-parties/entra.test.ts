import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ELSEWHERE, startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'

const AUDIENCE = 'api://AzureADTokenExchange'
const page = readPage('entra')

/** Limits as Microsoft documents them, and the page repeats. */
const credential = z.strictObject({
  name: z
    .string()
    .min(3)
    .max(120)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/),
  issuer: z.url({ protocol: /^https$/ }).max(600),
  subject: z.string().min(1).max(600),
  audiences: z.tuple([z.literal(AUDIENCE)]),
  description: z.string().max(600),
})

describe('the credential of entra.md', () => {
  let lab: Lab
  let token: string
  beforeAll(async () => {
    lab = await startLab(page)
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(() => lab.close())

  const matches = (jwt: string): boolean => {
    const { issuer, subject, audiences } = credential.parse(JSON.parse(lab.file('credential.json')))
    const { iss, sub, aud } = decodeJwt(jwt)
    return iss === issuer && sub === subject && aud === audiences[0]
  }

  it('matches a token of every guest, signed with RS256', async () => {
    expect([token, await lab.token({ audience: AUDIENCE })].map(matches)).toEqual([true, true])
    expect(decodeProtectedHeader(token).alg).toBe('RS256')
  })

  it('matches no other audience, subject or issuer', async () => {
    const others = [
      await lab.token({ audience: ELSEWHERE }),
      await lab.altered(token, { sub: 'assay:policy/Orders-Guests' }),
      await lab.altered(token, { iss: 'https://test.assay.invalid' }),
    ]
    expect(others.map(matches)).toEqual([false, false, false])
  })
})
