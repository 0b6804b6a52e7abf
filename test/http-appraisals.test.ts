import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestOptions } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { accepted, challengeFrom, refusal } from './answers.ts'
import { fetchOf, testServices, TOKENS, vendorOf, type TestOptions, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

let amd: FakeAmd
let host: FakeHost
let fixture: TestServices
let app: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  host = fakeHost(amd)
  fixture = await testServices({ amd })
  app = createApp(fixture.services)
  return fixture.stop
})

const target = (on: App = app) => ({ url: 'http://assay.test', fetch: fetchOf(on) })
const ask = (options: Partial<AttestOptions> = {}, from: FakeHost = host) => attest(from, { ...target(), ...options })

/** Another service on the same fake AMD. */
async function service(options: Partial<TestOptions>): Promise<{ made: TestServices; on: App }> {
  const made = await testServices({ amd, ...options })
  return { made, on: createApp(made.services) }
}

const down = { outcome: 'unavailable', reason: 'down', retryAfter: 7 } as const

describe('a genuine host', () => {
  it('gets a token that says what the appraisal says, and that the published keys verify', async () => {
    const key = bindingKey('P-256')
    const { token, appraisal } = accepted(await ask({ key }))
    const jwks = (await (await overSocket(app, '/.well-known/jwks.json')).json()) as JSONWebKeySet
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
      audience: 'default',
      issuer: fixture.services.issuer,
    })
    expect(protectedHeader.typ).toBe('demo+JWT')
    expect(payload).toMatchObject({ freshness: 'challenge', demo: true, cnf: { jwk: key.jwk }, evidence_digest: appraisal.evidence_digest })
    expect(appraisal).toMatchObject({
      mode: 'test',
      status: 'affirming',
      policy: { name: 'lab' },
      evidence: [{ label: 'cpu0', type: 'snp', fresh: true }],
    })
    expect(appraisal.evidence[0]?.checks.filter(({ outcome }) => outcome === 'fail')).toEqual([])
  })

  it.each(['snp', 'snp-response', 'tsm'] as const)('may send its report as %s', async (envelope) => {
    const { appraisal } = accepted(await ask({}, fakeHost(amd, { envelope })))
    expect(appraisal.evidence[0]?.type).toBe(envelope === 'tsm' ? 'tsm' : 'snp')
  })

  it.each(['certificates', 'nothing'] as const)('may ship its VCEK as %s', async (ships) => {
    expect(accepted(await ask({}, fakeHost(amd, { ships }))).appraisal.status).toBe('affirming')
  })

  it.each(['application/eat+jwt', 'application/jwt'])('gets the bare token for Accept: %s', async (accept) => {
    const { status, headers, body } = await ask({ accept })
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([201, accept, 'no-store'])
    expect(body).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('is told that nothing acceptable can be answered before anything is spent', async () => {
    const nonce = await challengeFrom(target())
    expect(refusal(await ask({ nonce, accept: 'text/html' }))).toEqual([406, 'not-acceptable-media-type'])
    accepted(await ask({ nonce }))
  })

  it('may bind runtime data, name its audience and choose one of its policies', async () => {
    const { appraisal } = accepted(await ask({ runtimeData: randomBytes(100), audience: 'open', policy: 'open' }))
    expect(appraisal.policy?.name).toBe('open')
  })

  it('needs no key where the policy says so, and then gets no cnf', async () => {
    const { token } = accepted(await ask({ key: 'none', audience: 'bearer' }))
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).not.toHaveProperty('cnf')
    expect(refusal(await ask({ key: 'none' }))).toEqual([403, 'cnf-key-required'])
  })

  it('leaves an audit line for every decision, and no evidence, token or nonce in it', async () => {
    const before = fixture.audit.length
    const { token, appraisal } = accepted(await ask())
    refusal(await ask({ fields: { vmpl: 1 } }))
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    expect(fixture.audit.slice(before)).toEqual([
      expect.objectContaining({
        outcome: 'issued',
        jti,
        appraisal_id: appraisal.id,
        audience: 'default',
        evidence_digest: appraisal.evidence_digest,
        collateral_digest: appraisal.collateral.digest,
      }),
      expect.objectContaining({
        outcome: 'refused',
        code: 'snp-vmpl-mismatch',
        policy: expect.objectContaining({ name: 'lab' }),
        collateral_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    ])
    expect(JSON.stringify(fixture.audit)).not.toContain(token)
  })

  it('is remembered: the certificate that it shipped verifies a later report that comes without', async () => {
    const { made, on } = await service({ vendor: vendorOf(amd, (address) => (address.startsWith('amd/vcek/') ? down : undefined)) })
    const hwid = new Uint8Array(64).fill(9)
    const silent = fakeHost(amd, { hwid, ships: 'nothing' })
    expect(refusal(await attest(silent, target(on)))).toEqual([503, 'collateral-unavailable'])
    accepted(await attest(fakeHost(amd, { hwid }), target(on)))
    accepted(await attest(silent, target(on)))
    await made.stop()
  })
})

describe('the challenge', () => {
  it('is good once, also after a refusal', async () => {
    const nonce = await challengeFrom(target())
    accepted(await ask({ nonce }))
    expect(refusal(await ask({ nonce }))).toEqual([422, 'challenge-spent'])
    const other = await challengeFrom(target())
    expect(refusal(await ask({ nonce: other, fields: { vmpl: 2 } }))).toEqual([403, 'snp-vmpl-mismatch'])
    expect(refusal(await ask({ nonce: other }))).toEqual([422, 'challenge-spent'])
  })

  it('gives exactly one token to 64 requests at once', async () => {
    const nonce = await challengeFrom(target())
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask({ nonce })))
    const codes = answers.map((answer) => (answer.status === 201 ? 'issued' : refusal(answer)[1]))
    expect(codes.toSorted()).toEqual(['challenge-spent', 'issued'].flatMap((code) => Array<string>(code === 'issued' ? 1 : 63).fill(code)))
  })

  it('is not spent by evidence that cannot be read', async () => {
    const nonce = await challengeFrom(target())
    expect(refusal(await ask({ nonce, change: (request) => ({ ...request, evidence: [{ type: 'snp', report: 'AAAA' }] }) }))).toEqual([
      400,
      'snp-report-size',
    ])
    accepted(await ask({ nonce }))
  })

  it.each<[string, Uint8Array]>([
    ['random', randomBytes(32)],
    ['empty', new Uint8Array()],
    ['a byte short', randomBytes(31)],
    ['of 100 bytes', randomBytes(100)],
  ])('that is %s is unknown', async (_, nonce) => {
    expect(refusal(await ask({ nonce }))).toEqual([422, 'challenge-unknown'])
  })

  it('of another mode or of a store that was lost is unknown', async () => {
    const { made, on } = await service({ mode: 'demo' })
    const nonce = await challengeFrom(target(on))
    expect(refusal(await ask({ nonce }))).toEqual([422, 'challenge-unknown'])
    await made.stop()
  })

  it('expires', async () => {
    let now = new Date()
    const { made, on } = await service({ now: () => now })
    const nonce = await challengeFrom(target(on))
    now = new Date(now.getTime() + 301_000)
    expect(refusal(await ask({ nonce, ...target(on) }))).toEqual([422, 'challenge-expired'])
    await made.stop()
  })
})

describe('what is undecided', () => {
  it('leaves the challenge usable when a certificate cannot be had, and says when to come back', async () => {
    let isDown = true
    const { made, on } = await service({
      vendor: vendorOf(amd, (address) => (isDown && address.startsWith('amd/vcek/') ? down : undefined)),
    })
    const silent = fakeHost(amd, { ships: 'nothing' })
    const nonce = await challengeFrom(target(on))
    const first = await attest(silent, { ...target(on), nonce })
    expect(refusal(first)).toEqual([503, 'collateral-unavailable'])
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0)
    isDown = false
    // The vendor is left alone for a while; the host ships its certificate instead.
    accepted(await attest(fakeHost(amd, { hwid: silent.vek.hwid, tcb: silent.vek.tcb }), { ...target(on), nonce }))
    expect(made.audit.map(({ outcome }) => outcome)).toEqual(['undecided', 'issued'])
    await made.stop()
  })

  it('leaves it usable when a required revocation list is not at hand', async () => {
    let isDown = true
    const { made, on } = await service({
      vendor: vendorOf(amd, (address) => (isDown && address.startsWith('amd/crl/') ? down : undefined)),
    })
    const nonce = await challengeFrom(target(on))
    expect(refusal(await ask({ nonce, ...target(on) }))).toEqual([
      503,
      expect.stringMatching(/^snp-crl-unavailable$|^collateral-unavailable$/),
    ])
    expect(refusal(await ask({ nonce, ...target(on) }))[0]).toBe(503)
    isDown = false
    await made.stop()
  })

  it('leaves it usable when a required list has ended', async () => {
    const later = new Date(Date.now() + 31 * 86_400_000)
    const { made, on } = await service({ now: () => later })
    const nonce = await challengeFrom(target(on))
    const answers = [await ask({ nonce, ...target(on) }), await ask({ nonce, ...target(on) })]
    expect(answers.map((answer) => refusal(answer)[0])).toEqual([503, 503])
    expect(made.audit.map(({ outcome }) => outcome)).toEqual(['undecided', 'undecided'])
    await made.stop()
  })

  it('spends it for a verdict that needed nothing of what is missing', async () => {
    const { made, on } = await service({ vendor: vendorOf(amd, (address) => (address.startsWith('amd/crl/') ? down : undefined)) })
    const nonce = await challengeFrom(target(on))
    expect(refusal(await ask({ nonce, ...target(on), audience: 'relying-party', fields: { vmpl: 1 } }))).toEqual([403, 'snp-vmpl-mismatch'])
    expect(refusal(await ask({ nonce, ...target(on), audience: 'relying-party', fields: { vmpl: 1 } }))).toEqual([422, 'challenge-spent'])
    await made.stop()
  })

  it('gives no token without an audit line', async () => {
    const audit = {
      append: async () => Promise.reject(new AttestationError('audit-unavailable', 'the disk is full')),
      close: async () => {},
    }
    const { made, on } = await service({ services: { audit } })
    expect(refusal(await ask(target(on)))).toEqual([503, 'audit-unavailable'])
    expect(refusal(await ask({ ...target(on), fields: { vmpl: 1 } }))).toEqual([403, 'snp-vmpl-mismatch'])
    await made.stop()
  })

  it('is what an overloaded service answers', async () => {
    const { made, on } = await service({
      services: { limits: { bodyBytes: 2_000_000, eventLogBytes: 1_000_000, imaBytes: 1_000_000, inFlight: 0 } },
    })
    const answer = await ask(target(on))
    expect([...refusal(answer), answer.headers.get('retry-after')]).toEqual([503, 'overloaded', '1'])
    const inspection = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect((await overSocket(on, '/v1/inspections', inspection)).status).toBe(503)
    await made.stop()
  })
})

/** What the policy's checks of an accepted appraisal tell of the policy. */
const expectations = async (options: Partial<AttestOptions>) => {
  const { appraisal } = accepted(await ask(options))
  return appraisal.evidence.flatMap(({ checks }) => checks).filter(({ origin, expected }) => origin === 'policy' && expected !== undefined)
}

describe('who decides', () => {
  it.each<[string, Partial<AttestOptions>]>([
    ['an unknown audience', { audience: 'https://nowhere.example' }],
    ['a policy of another audience', { policy: 'open' }],
    ['an unknown policy', { policy: 'nothing' }],
  ])('refuses %s', async (_, options) => {
    expect(refusal(await ask(options))).toEqual([403, 'audience-not-allowed'])
  })

  it('refuses every guest under the built-in policy, which lists no measurement', async () => {
    expect(refusal(await ask({ policy: 'strict' }))).toEqual([403, 'snp-measurement-policy-missing'])
  })

  it('refuses two items, and spends nothing', async () => {
    const nonce = await challengeFrom(target())
    expect(
      refusal(await ask({ nonce, change: (request) => ({ ...request, evidence: [...request.evidence, ...request.evidence] }) })),
    ).toEqual([403, 'composition-unsupported'])
    accepted(await ask({ nonce }))
  })

  it('shows what the operator wrote to known callers, or to all under explain: full', async () => {
    const wrong = { fields: { measurement: randomBytes(48) } }
    const expectation = async (options: Partial<AttestOptions>, headers: Record<string, string> = {}) => {
      const answer = await ask({
        ...wrong,
        ...options,
        fetch: (url, init) => fetchOf(app)(url, { ...init, headers: { 'content-type': 'application/json', ...headers } }),
      })
      const { checks = [], code } = problem.parse(answer.body)
      expect(code).toBe('snp-measurement-mismatch')
      return checks.find((check) => check.code === code)?.expected !== undefined
    }
    expect(await expectation({})).toBe(false)
    expect(await expectation({}, { authorization: `Bearer ${TOKENS.viewer}` })).toBe(true)
    expect(await expectation({ audience: 'open' })).toBe(true)
  })

  it('hides what the operator wrote in accepted appraisals, too', async () => {
    expect(await expectations({})).toEqual([])
    expect((await expectations({ audience: 'open' })).length).toBeGreaterThan(0)
  })

  it('counts requests of one address prefix, and tells when to come back', async () => {
    const { made, on } = await service({ requestsPerMinute: 3 })
    const answers = [await ask(target(on)), await ask(target(on))]
    expect(answers[0]?.status).toBe(201)
    // Two requests each: the second appraisal is the fourth.
    expect(answers.slice(1).map(refusal)).toEqual([[429, 'rate-limited']])
    expect(Number(answers[1]?.headers.get('retry-after'))).toBeGreaterThan(0)
    await made.stop()
  })
})
