import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { contentDigest } from '../src/appraisal/canonical.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { fakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestAnswer } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import { createLog } from '../src/telemetry/log.ts'
import { accepted, refusal } from './answers.ts'
import { fetchOf, testServices, TOKENS } from './services.ts'
import { overSocket } from './socket.ts'

const RIGHT = Buffer.from(SIM_MEASUREMENT).toString('hex')
const text = (measurement: string) => `name: eu\nsnp:\n  measurements: ['${measurement}']\n`
const AUDIENCE = { name: 'eu', policies: ['eu'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
const amd = await fakeAmd({ products: ['Milan'] })
const host = fakeHost(amd, { ships: 'certificates' })

/** Two versions: the first accepts what the host measures, the second something else. */
async function service() {
  const lines: { msg?: string; [member: string]: unknown }[] = []
  const log = createLog('silent')
  log.info = (line: unknown, msg?: string) => void lines.push({ ...(line as object), ...(msg === undefined ? {} : { msg }) })
  const made = await testServices({ amd, audiences: [AUDIENCE], services: { log } })
  const app = createApp(made.services)
  const send = async (path: string, body: string, headers: object) => {
    const method = path.endsWith('/eu') ? 'PUT' : 'POST'
    const answer = await overSocket(app, path, { method, body, headers: { authorization: `Bearer ${TOKENS.admin}`, ...headers } })
    expect([200, 201]).toContain(answer.status)
    return answer
  }
  const yaml = { 'content-type': 'application/yaml' }
  const first = await send('/v1/policies/eu', text(RIGHT), { ...yaml, 'if-none-match': '*' })
  await send('/v1/policies/eu', text('ab'.repeat(48)), { ...yaml, 'if-match': first.headers.get('etag') ?? '' })
  const decide = (body: object) => send('/v1/policies/eu/activations', JSON.stringify(body), { 'content-type': 'application/json' })
  const ask = () => attest(host, { url: 'http://assay.test', fetch: fetchOf(app), audience: 'eu' })
  return { made, lines, decide, ask }
}

describe('50 activations and roll-backs while hosts attest', () => {
  it('fail no request, and mix no verdict', async () => {
    const { made, decide, ask } = await service()
    await decide({ version: 1 })
    const done = new AbortController()
    const attester = async (): Promise<readonly AttestAnswer[]> => {
      const answers: AttestAnswer[] = []
      while (!done.signal.aborted) answers.push(await ask())
      return answers
    }
    const attesters = [1, 2, 3, 4].map(() => attester())
    for (let i = 0; i < 50; i++) await decide({ version: 2 - (i % 2) })
    done.abort()
    const answers = (await Promise.all(attesters)).flat()
    const [tokens, refusals] = [
      answers.filter(({ status }) => status === 201).map(accepted),
      answers.filter(({ status }) => status !== 201),
    ]
    expect(Math.min(tokens.length, refusals.length)).toBeGreaterThan(0)
    // Only the first version accepts: a token that names another, or another content, is a mixture.
    const right = { name: 'eu', version: 1, sha256: contentDigest(readPolicy(text(RIGHT), 'x').document) }
    expect(tokens.map(({ appraisal }) => appraisal.policy)).toEqual(tokens.map(() => right))
    expect(tokens.filter(({ token }) => !JSON.stringify(decodeJwt(token)).includes(right.sha256))).toEqual([])
    expect(refusals.map(refusal)).toEqual(refusals.map(() => [403, 'snp-measurement-mismatch']))
    // Every line names the version that gives this verdict.
    const judged = made.audit.filter(({ action }) => action === 'appraisal').map(({ outcome, policy }) => `${outcome} ${policy?.version}`)
    expect(new Set(judged)).toEqual(new Set(['issued 1', 'refused 2']))
    expect(judged.length).toBe(answers.length)
    await made.stop()
  })

  it('of two processes on one store, the other follows within seconds', async () => {
    const { made, decide } = await service()
    const other = await testServices({ amd, audiences: [AUDIENCE], stores: made.stores })
    await decide({ version: 2 })
    await expect.poll(() => other.services.policies.snapshot().get('eu')?.reference.version, { timeout: 5000 }).toBe(2)
    await decide({ version: 2, as: 'revoked' })
    await expect.poll(() => other.services.policies.snapshot().get('eu'), { timeout: 5000 }).toBeUndefined()
    await other.stop()
    await made.stop()
  })
})

describe('a shadow', () => {
  const SAID = 'a shadow policy was tried'

  it('is tried beside the active version and changes nothing but the log', async () => {
    const { made, lines, decide, ask } = await service()
    await decide({ version: 1 })
    await decide({ version: 2, as: 'shadow' })
    const { token, appraisal } = accepted(await ask())
    expect([appraisal.policy?.version, JSON.stringify(appraisal).includes('"version":2'), token.split('.').length]).toEqual([1, false, 3])
    expect(lines.filter(({ msg }) => msg === SAID)).toEqual([
      expect.objectContaining({
        agrees: false,
        active_code: null,
        shadow_code: 'snp-measurement-mismatch',
        shadow: expect.objectContaining({ version: 2 }),
        changes: [expect.objectContaining({ active: 'pass', shadow: 'fail' })],
      }),
    ])
    await made.stop()
  })

  it('accepts nothing that the active version refuses', async () => {
    const { made, lines, decide, ask } = await service()
    await decide({ version: 2 })
    await decide({ version: 1, as: 'shadow' })
    expect(refusal(await ask())).toEqual([403, 'snp-measurement-mismatch'])
    expect(lines.filter(({ msg }) => msg === SAID)).toEqual([expect.objectContaining({ agrees: false, shadow_code: null })])
    await decide({ version: null, as: 'shadow' })
    await ask()
    expect(lines.filter(({ msg }) => msg === SAID)).toHaveLength(1)
    await made.stop()
  })

  it('that becomes active is no longer tried', async () => {
    const { made, decide } = await service()
    await decide({ version: 1, as: 'shadow' })
    await decide({ version: 1 })
    const snapshot = made.services.policies.snapshot()
    expect([snapshot.get('eu')?.reference.version, snapshot.shadow('eu')]).toEqual([1, undefined])
    await made.stop()
  })
})
