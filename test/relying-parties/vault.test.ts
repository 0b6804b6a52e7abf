import { dirname } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { freePort } from '../free-port.ts'
import { ELSEWHERE, startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { program, runProgram, startProgram, type Started } from './programs.ts'

const bao = program({ name: 'bao', version: ['version'], ci: false })
const AUDIENCE = 'https://vault.example'
const ROOT = 'root-of-the-test'
const seconds = () => Math.floor(Date.now() / 1000)

const login = z.object({
  auth: z.object({
    policies: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    lease_duration: z.number(),
    entity_id: z.string(),
  }),
})

describe.skipIf(bao === undefined)('OpenBao as vault.md configures it', () => {
  let lab: Lab
  let server: Started
  let url: string
  let token: string

  /** Runs the page's script beside the page's files. */
  const setUp = async (): Promise<void> => {
    const ca = JSON.stringify(lab.tls.cert)
    lab.files.write('config.json', lab.file('config.json', [['"bound_issuer"', `"oidc_discovery_ca_pem": ${ca}, "bound_issuer"`]]))
    for (const name of ['role.json', 'orders.hcl']) lab.files.write(name, lab.file(name))
    const path = `${dirname(bao ?? '')}:${process.env['PATH'] ?? ''}`
    const env = { PATH: path, BAO_ADDR: url, BAO_TOKEN: ROOT, HOME: lab.files.path('.') }
    const { code, err } = await runProgram('sh', ['-ec', lab.file('setup.sh')], { cwd: lab.files.path('.'), env })
    expect([code, err]).toEqual([0, ''])
  }

  const ask = async (jwt: string): Promise<[status: number, body: unknown]> => {
    const body = JSON.stringify({ role: 'orders', jwt })
    const response = await fetch(`${url}/v1/auth/assay/login`, { method: 'POST', body })
    return [response.status, await response.json()]
  }

  beforeAll(async () => {
    lab = await startLab(readPage('vault'))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const options = ['-dev', '-dev-no-store-token', `-dev-root-token-id=${ROOT}`, `-dev-listen-address=127.0.0.1:${port}`]
    server = await startProgram(bao ?? '', ['server', ...options], { port })
    await setUp()
  })
  // It lives for a minute.
  beforeEach(async () => {
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(async () => {
    await server.stop()
    await lab.close()
  })

  it('logs a guest in, with the policies and the time of its role', async () => {
    const [status, body] = await ask(token)
    expect([status, body]).toEqual([200, expect.anything()])
    const { auth } = login.parse(body)
    const { jti = '', submods } = decodeJwt<{ submods: { cpu0: { assay: { snp: { measurement: string } } } } }>(token)
    expect(auth).toMatchObject({ policies: ['orders'], lease_duration: 600 })
    expect(auth.metadata).toMatchObject({ role: 'orders', jti, measurement: submods.cpu0.assay.snp.measurement })
  })

  it('makes one entity of one key', async () => {
    const [, again] = await ask(await lab.altered(token, { jti: 'another' }))
    const [, other] = await ask(await lab.token({ audience: AUDIENCE }))
    const [, first] = await ask(token)
    const [a, b, c] = [first, again, other].map((body) => login.parse(body).auth.entity_id)
    expect([a === b, a === c]).toEqual([true, false])
  })

  it.each([
    ['for another audience', () => lab.token({ audience: ELSEWHERE }), /aud/],
    [
      'that another policy of the audience gave',
      () => lab.token({ audience: AUDIENCE, judgedBy: 'weak' }),
      /policy\/sha256\\" does not match/,
    ],
    ['whose guest is only warned of', () => lab.warned(token), /claim/],
    ['without submods', () => lab.altered(token, { submods: undefined }), /\\" is missing/],
    ['of another issuer', () => lab.altered(token, { iss: 'https://test.assay.invalid' }), /iss/],
    ['that has expired', () => lab.altered(token, { exp: seconds() - 40 }), /expired/],
    ['of the future', () => lab.altered(token, { nbf: seconds() + 80 }), /not yet valid/],
    ['that does not end', () => lab.altered(token, { exp: undefined, nbf: undefined, iat: undefined }), /claim must be set|claims/],
    ['with an algorithm that is not configured', () => lab.signedWith(token, 'RS256'), /alg|signature/],
  ])('refuses a token %s', async (_, made, why) => {
    const [status, body] = await ask(await made())
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(why)])
  })

  it('takes half a minute of other clocks', async () => {
    expect((await ask(await lab.altered(token, { exp: seconds() - 10 })))[0]).toBe(200)
  })

  it('takes every algorithm that it is configured for', async () => {
    const config = JSON.stringify({
      ...JSON.parse(lab.file('config.json')),
      oidc_discovery_ca_pem: lab.tls.cert,
      jwt_supported_algs: TOKEN_ALGORITHMS,
    })
    await fetch(`${url}/v1/auth/assay/config`, { method: 'POST', headers: { 'x-vault-token': ROOT }, body: config })
    const answers = await Promise.all(TOKEN_ALGORITHMS.map(async (alg) => (await ask(await lab.signedWith(token, alg)))[0]))
    expect(answers).toEqual(TOKEN_ALGORITHMS.map(() => 200))
  })
})
