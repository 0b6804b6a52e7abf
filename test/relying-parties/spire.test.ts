import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { program, runProgram } from './programs.ts'

const jq = program({ name: 'jq', version: ['--version'], ci: true })
const spire = program({ name: 'spire', version: [], ci: false })
const AUDIENCE = 'spiffe://prod.example/orders'
const seconds = () => Math.floor(Date.now() / 1000)

let lab: Lab
let token: string
beforeAll(async () => {
  lab = await startLab(readPage('spire'))
  token = await lab.token({ audience: AUDIENCE })
})
afterAll(() => lab.close())

it('a token as spire.md asks for it is a JWT-SVID', () => {
  const { alg, typ, kid } = decodeProtectedHeader(token)
  expect({ alg, typ, kid }).toEqual({ alg: 'ES256', typ: 'JWT', kid: expect.any(String) })
  expect(decodeJwt(token)).toMatchObject({
    sub: expect.stringMatching(/^spiffe:\/\/attested\.example\/guests\/[0-9a-f]{64}$/),
    aud: AUDIENCE,
  })
})

/** The bundle that the page's filter makes of the service's keys. */
async function bundle(): Promise<string> {
  const keys = await (await lab.fetch(`${lab.issuer}/.well-known/jwks.json`)).text()
  const { code, out, err } = await runProgram(jq ?? '', ['-f', lab.files.write('bundle.jq', lab.file('bundle.jq'))], { input: keys })
  expect([code, err]).toEqual([0, ''])
  return out
}

it.skipIf(jq === undefined)('the filter of spire.md makes a bundle of the keys that SPIFFE knows', async () => {
  const key = z.strictObject({
    kty: z.string(),
    kid: z.string(),
    use: z.literal('jwt-svid'),
    crv: z.string().optional(),
    x: z.string().optional(),
    y: z.string().optional(),
    n: z.string().optional(),
    e: z.string().optional(),
  })
  const made = z
    .strictObject({ spiffe_sequence: z.int(), spiffe_refresh_hint: z.int(), keys: z.array(key) })
    .parse(JSON.parse(await bundle()))
  expect(made.keys.map(({ kty }) => kty)).toEqual(['EC', 'EC', 'RSA', 'RSA', 'RSA'])
})

const answer = z.union([z.strictObject({ id: z.string() }), z.strictObject({ error: z.string() })])

async function ask(tokens: readonly string[], keys?: string, domain = 'attested.example') {
  const path = lab.files.write('bundle.json', keys ?? (await bundle()))
  const { out } = await runProgram(spire ?? '', [domain, path, AUDIENCE], { input: tokens.map((line) => `${line}\n`).join('') })
  return out
    .trim()
    .split('\n')
    .map((line) => answer.parse(JSON.parse(line)))
}

describe.skipIf(jq === undefined || spire === undefined)("SPIFFE's library with the bundle of spire.md", () => {
  it('takes a token, by every algorithm but EdDSA', async () => {
    const answers = await ask(await Promise.all(TOKEN_ALGORITHMS.map((alg) => lab.signedWith(token, alg))))
    const { sub = '' } = decodeJwt(token)
    expect(answers.map((one) => ('id' in one ? one.id : one.error))).toEqual(
      TOKEN_ALGORITHMS.map((alg) => (alg === 'EdDSA' ? 'jwtsvid: unable to parse JWT token' : sub)),
    )
  })

  it('refuses what is no JWT-SVID of this domain for this workload', async () => {
    const cases = [
      [await lab.altered(token, { aud: 'spiffe://prod.example/payments' }), /audience/],
      [await lab.altered(token, { sub: 'urn:assay:snp:00' }), /invalid subject/],
      [await lab.altered(token, { sub: 'spiffe://prod.example/orders' }), /no bundle found/],
      [await lab.altered(token, { exp: seconds() - 70 }), /expired/],
      [await lab.altered(token, { exp: undefined }), /missing exp/],
    ] as const
    const answers = await ask(cases.map(([one]) => one))
    for (const [at, [, why]] of cases.entries()) expect(answers[at]).toEqual({ error: expect.stringMatching(why) })
  })

  it('finds no key in what Assay publishes without the filter', async () => {
    const keys = await (await lab.fetch(`${lab.issuer}/.well-known/jwks.json`)).text()
    expect(await ask([token], keys)).toEqual([{ error: expect.stringContaining('no JWT authority') }])
  })
})
