import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, attestRequest, type AttestOptions } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { fakeHost, type FakeHost } from '../src/simulator/hosts.ts'
import { accepted, challengeFrom, refusal } from './answers.ts'
import { fetchOf, testServices, type TestOptions, type TestServices } from './services.ts'

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

/** The key members of another host for the same nonce. */
function keyMembers(request: { nonce?: string }, key: ReturnType<typeof bindingKey>) {
  const made = attestRequest(host, Buffer.from(request.nonce ?? '', 'base64'), { key })
  return { cnf_jwk: made.cnf_jwk, cnf_proof: made.cnf_proof }
}

describe('what evidence must bind', () => {
  it('is the posted runtime data, audience and key', async () => {
    const other = bindingKey('P-384')
    const changes: ((request: object) => object)[] = [
      (request) => ({ ...request, runtime_data: 'AAAA' }),
      (request) => ({ ...request, audience: 'open' }),
      (request) => ({ ...request, binding: 'nonce', cnf_jwk: undefined, cnf_proof: undefined, audience: 'bearer' }),
    ]
    const answers = await Promise.all(changes.map((change) => ask({ change, key: 'none' })))
    expect(answers.map(refusal)).toEqual(changes.map(() => [422, 'snp-report-data-mismatch']))
    // Another key with its own proof: possession is proven, but the report binds the first.
    const swapped = await ask({ change: (request) => ({ ...request, ...keyMembers(request, other) }) })
    expect(refusal(swapped)).toEqual([422, 'snp-report-data-mismatch'])
  })

  it.each<[string, (request: Record<string, unknown>) => object, [number, string]]>([
    ['a key without proof', (r) => ({ ...r, cnf_proof: undefined }), [422, 'cnf-proof-invalid']],
    ['a proof without key', (r) => ({ ...r, cnf_jwk: undefined }), [400, 'binding-invalid']],
    ['a proof of nothing', (r) => ({ ...r, cnf_proof: '' }), [422, 'cnf-proof-invalid']],
    [
      'a proof by another key',
      (r) => ({ ...r, cnf_jwk: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) }),
      [422, 'cnf-proof-invalid'],
    ],
    [
      'a private key',
      (r) => ({ ...r, cnf_jwk: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) }),
      [400, 'cnf-key-invalid'],
    ],
    ['a key with other members', (r) => ({ ...r, cnf_jwk: { ...Object(r['cnf_jwk']), use: 'sig' } }), [400, 'cnf-key-invalid']],
    ['a key with binding nonce', (r) => ({ ...r, binding: 'nonce' }), [400, 'binding-invalid']],
    [
      'runtime data with binding nonce',
      (r) => ({ ...r, binding: 'nonce', cnf_jwk: undefined, cnf_proof: undefined, runtime_data: '' }),
      [400, 'binding-invalid'],
    ],
    ['an unknown binding', (r) => ({ ...r, binding: 'none' }), [400, 'request-malformed']],
  ])('refuses %s, and spends nothing', async (_, change, expected) => {
    const nonce = await challengeFrom(target())
    expect(refusal(await ask({ nonce, change: (request) => change({ ...request }) }))).toEqual(expected)
    accepted(await ask({ nonce }))
  })

  it('never repeats a private member', async () => {
    const { d, ...rest } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const answer = await ask({ change: (request) => ({ ...request, cnf_jwk: { ...rest, d } }) })
    expect(JSON.stringify([answer.body, fixture.audit])).not.toContain(d)
  })

  it.each(['P-256', 'P-384', 'Ed25519', 'RSA'] as const)('may be a key of kind %s', async (kind) => {
    expect(accepted(await ask({ key: bindingKey(kind) })).appraisal.status).toBe('affirming')
  })
})

const rp = (bytes: Uint8Array, options: Partial<AttestOptions> = {}) =>
  ask({ relyingPartyNonce: bytes, audience: 'relying-party', ...options })

describe('a nonce of the relying party', () => {
  it('is taken where audience and policy allow it, as often as it comes', async () => {
    const nonce = randomBytes(32)
    const answers = [await rp(nonce), await rp(nonce)].map(accepted)
    expect(answers.map(({ appraisal }) => appraisal.freshness)).toEqual(['relying-party', 'relying-party'])
  })

  it('pays for no fetch: only an unspent challenge does', async () => {
    const silent = fakeHost(amd, { ships: 'nothing' })
    const from = { ...target(), relyingPartyNonce: randomBytes(32), audience: 'relying-party' }
    expect(refusal(await attest(silent, from))).toEqual([503, 'collateral-unavailable'])
    expect(accepted(await attest(silent, target())).appraisal.status).toBe('affirming')
  })

  it.each<[string, Partial<AttestOptions>]>([
    ['neither', { audience: 'default' }],
    ['the audience alone', { audience: 'half-open' }],
    ['the policy alone', { audience: 'half-closed' }],
  ])('is refused where %s allows it', async (_, options) => {
    expect(refusal(await rp(randomBytes(32), options))).toEqual([403, 'relying-party-nonce-not-allowed'])
  })

  it('must not be a challenge of ours, wherever it is sent and whatever follows it', async () => {
    const nonce = await challengeFrom(target())
    expect(refusal(await rp(nonce))).toEqual([403, 'challenge-misused'])
    expect(refusal(await rp(nonce, { audience: 'default' }))).toEqual([403, 'challenge-misused'])
    accepted(await ask({ nonce }))
    expect(refusal(await rp(nonce))).toEqual([403, 'challenge-misused'])
    const padded = new Uint8Array(64)
    padded.set(nonce)
    expect(refusal(await rp(padded, { binding: 'nonce', key: 'none' }))).toEqual([403, 'challenge-misused'])
  })

  it.each<['hash' | 'nonce', number, 201 | 400]>([
    ['hash', 7, 400],
    ['hash', 8, 201],
    ['hash', 64, 201],
    ['hash', 65, 400],
    ['nonce', 7, 400],
    ['nonce', 8, 201],
    ['nonce', 32, 201],
    ['nonce', 48, 201],
    ['nonce', 49, 400],
    ['nonce', 64, 201],
  ])('with binding %s and %i bytes is answered %i in mode test', async (binding, length, status) => {
    const change = (request: object) => ({ ...request, relying_party_nonce: Buffer.alloc(length, 7).toString('base64') })
    const bytes = new Uint8Array(Math.min(length, 64)).fill(7)
    const answer = await rp(bytes, { binding, key: 'none', change })
    expect(answer).toMatchObject(status === 201 ? { status } : { status, body: { code: 'relying-party-nonce-invalid' } })
  })

  it('that a TPM quote is to hold as it is has not the length of a hash, but in mode test', async () => {
    const { made, on } = await service({ mode: 'demo' })
    const item = { type: 'tpm', quotes: [{ quote: 'AAAA', signature: 'AAAA', pcrs: {} }] }
    const change = (request: object) => ({ ...request, evidence: [item] })
    const codeOf = async (where: App, length: number) =>
      refusal(await rp(new Uint8Array(length).fill(7), { ...target(where), binding: 'nonce', key: 'none', change }))
    expect(await codeOf(on, 32)).toEqual([400, 'relying-party-nonce-invalid'])
    expect(await codeOf(on, 31)).toEqual([400, 'tpm-attest-malformed'])
    expect(await codeOf(app, 32)).toEqual([400, 'tpm-attest-malformed'])
    expect(await codeOf(app, 4)).toEqual([400, 'tpm-attest-malformed'])
    await made.stop()
  })

  it('of 64 raw bytes is for mode test only, and none may end in zero', async () => {
    const { made, on } = await service({ mode: 'demo' })
    const raw = { ...target(on), binding: 'nonce', key: 'none' } as const
    expect(refusal(await rp(randomBytes(63).fill(1), raw))).toEqual([400, 'relying-party-nonce-invalid'])
    expect(refusal(await rp(new Uint8Array(64).fill(1), raw))).toEqual([400, 'relying-party-nonce-invalid'])
    expect(refusal(await rp(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 0]), raw))).toEqual([400, 'relying-party-nonce-invalid'])
    accepted(await rp(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), raw))
    await made.stop()
  })

  it.each<[string, (request: Record<string, unknown>) => object]>([
    ['both nonces', (r) => ({ ...r, relying_party_nonce: r['nonce'] })],
    ['neither', (r) => ({ ...r, nonce: undefined })],
  ])('conflicts: %s', async (_, change) => {
    expect(refusal(await ask({ change: (request) => change({ ...request }) }))).toEqual([400, 'nonce-conflict'])
  })
})
