import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { ELSEWHERE, startLab, type Change, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { program, runProgram } from './programs.ts'

const kubernetes = program({ name: 'kubernetes', version: ['--version'], ci: false })
const AUDIENCE = 'https://cluster-a.example'
const seconds = () => Math.floor(Date.now() / 1000)

const answer = z.union([
  z.strictObject({ error: z.string() }),
  z.strictObject({
    username: z.string(),
    groups: z.array(z.string()),
    extra: z.record(z.string(), z.array(z.string())),
  }),
])

describe.skipIf(kubernetes === undefined)("the API server's authenticator as kubernetes.md configures it", () => {
  let lab: Lab
  let token: string
  beforeAll(async () => {
    lab = await startLab(readPage('kubernetes'))
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(() => lab.close())

  /** With the authority of the lab's TLS, which no system knows. */
  const configured = (changes: readonly Change[] = []): string => {
    const ca = lab.tls.cert.trim().replaceAll('\n', '\n        ')
    const audiences = `audiences: [${AUDIENCE}]`
    return lab.file('authentication.yaml', [[audiences, `certificateAuthority: |\n        ${ca}\n      ${audiences}`], ...changes])
  }

  async function ask(tokens: readonly string[], changes: readonly Change[] = []): Promise<readonly z.infer<typeof answer>[]> {
    const path = lab.files.write('authentication.yaml', configured(changes))
    const { code, out, err } = await runProgram(kubernetes ?? '', [path], { input: tokens.map((line) => `${line}\n`).join('') })
    expect([code, code === 0 ? '' : err]).toEqual([0, ''])
    return out
      .trim()
      .split('\n')
      .map((line) => answer.parse(JSON.parse(line)))
  }

  it('makes a user of a token', async () => {
    const { sub = '', jti } = decodeJwt(token)
    const measurement = /[0-9a-f]{96}/.exec(lab.file('policy.yaml'))?.[0]
    expect(await ask([token])).toEqual([
      {
        username: `assay:${sub}`,
        groups: ['assay:attested-nodes'],
        extra: {
          'assay.example/measurement': [measurement],
          'assay.example/policy': ['cluster-a-nodes'],
          'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
        },
      },
    ])
  })

  it('takes every algorithm but EdDSA', async () => {
    const signed = await Promise.all(TOKEN_ALGORITHMS.map((alg) => lab.signedWith(token, alg)))
    const refused = (await ask(signed)).flatMap((one, at) => ('error' in one ? [TOKEN_ALGORITHMS[at]] : []))
    expect(refused).toEqual(['EdDSA'])
  })

  it('refuses what is not for it, or not as its rules want it', async () => {
    const cpu0 = decodeJwt<{ submods: { cpu0: object } }>(token).submods.cpu0
    const cases = [
      [await lab.token({ audience: ELSEWHERE }), /audience/],
      [await lab.token({ audience: AUDIENCE, judgedBy: 'weak' }), /another policy judged the guest/],
      [await lab.altered(token, { iss: 'https://test.assay.invalid' }), /no authenticator/],
      [await lab.altered(token, { exp: seconds() - 2 }), /expired/],
      [await lab.altered(token, { nbf: seconds() + 120 }), /before the nbf/],
      [await lab.altered(token, { exp: seconds() + 1100 }), /it lives too long/],
      [await lab.altered(token, { demo: true }), /one of a demonstration/],
      [await lab.altered(token, { eat_profile: 'tag:ietf.org,2026:rats/ear#03' }), /no token of profile lean/],
      [await lab.altered(token, { dbgstat: 'enabled' }), /the host may read/],
      [await lab.altered(token, { dbgstat: undefined }), /the host may read/],
      [await lab.altered(token, { submods: { cpu0, tpm0: { status: 'warning' } } }), /only warned of/],
      [await lab.warned(token), /only warned of/],
      [await lab.altered(token, { submods: undefined }), /submods/],
    ] as const
    const answers = await ask(cases.map(([one]) => one))
    for (const [at, [, why]] of cases.entries()) expect(answers[at]).toEqual({ error: expect.stringMatching(why) })
  })

  it('refuses names of Kubernetes’ own, should the mapping ever yield one', async () => {
    const bare: Change = ['"\'assay:\' + claims.sub"', 'claims.sub']
    const [found] = await ask([await lab.altered(token, { sub: 'system:admin' })], [bare])
    expect(found).toEqual({ error: expect.stringContaining('Kubernetes') })
  })

  it.each<[string, Change, RegExp]>([
    ['a member that nobody knows', ['claimMappings:', 'claimMapping:'], /unknown field/],
    ['a rule that is no expression', ['claims.exp - claims.iat <= 900', 'claims.exp - <= 900'], /Syntax error/],
    ['an issuer without TLS', ['url: https://', 'url: http://'], /URL scheme must be https/],
  ])('reads the file strictly: %s', async (_, change, why) => {
    const path = lab.files.write('wrong.yaml', configured([change]))
    const { code, err } = await runProgram(kubernetes ?? '', [path])
    expect([code, err]).toEqual([1, expect.stringMatching(why)])
  })

  it('finds nothing at an issuer that calls itself otherwise', async () => {
    const { port } = lab
    const path = lab.files.write(
      'other.yaml',
      configured([
        [
          'url: https://assay.example',
          `url: https://localhost:${port}\n      discoveryURL: https://127.0.0.1:${port}/.well-known/openid-configuration`,
        ],
      ]),
    )
    const { code, err } = await runProgram(kubernetes ?? '', [path])
    expect([code, err]).toEqual([1, expect.stringMatching(/issuer did not match/)])
  }, 60_000)
})
