import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { policyTextAnswer, versionsAnswer } from '../src/routes/openapi/policy-answers.ts'
import { accepted, refusal } from './answers.ts'
import { policyText, startOperated, type Operated } from './operated-process.ts'
import { codeOf, RIGHT, statusesOf } from './operators-lab.ts'
import { redisPresent, startRedis, type RedisServer } from './redis-server.ts'
import { digestOf, setText } from './reference-sets.ts'
import { startWorld, type World } from './service-process.ts'
import { activateUnderLoad, expectUnmixed, writeTwo } from './under-activations.ts'
import { expectWhole, writeUntilKilled } from './written-documents.ts'

const present = redisPresent()
/** Longer than anybody is told to wait (a second), because other tests run beside these. */
const SOON = { timeout: 20_000, interval: 100 }

let world: World
let redis: RedisServer
let secret: string
const running: Operated[] = []

beforeAll(async () => {
  if (!present) return
  world = await startWorld()
  redis = await startRedis()
  secret = world.files.write('shared-secret', randomBytes(32).toString('base64url'))
  chmodSync(secret, 0o600)
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ kill }) => kill()))
})
afterAll(async () => {
  if (!present) return
  await redis.close()
  await world.close()
})

/** A replica with a data folder of this name, among those of one test. */
async function replica(test: string, name: string): Promise<Operated> {
  const shared = { redis_url: redis.url, redis_prefix: `${test}:`, secret_file: secret }
  // The replica whose key is published second signs two seconds later.
  const settings = { ...shared, data_dir: world.files.path(`${test}-${name}`), jwks_max_age_seconds: 1 }
  const started = await startOperated(world, settings)
  running.push(started)
  return started
}
const two = async (test: string): Promise<[Operated, Operated]> => [await replica(test, 'a'), await replica(test, 'b')]

const raw = async <T>(commands: (client: Awaited<ReturnType<typeof connected>>) => Promise<T>): Promise<T> => {
  const client = await connected()
  try {
    return await commands(client)
  } finally {
    client.destroy()
  }
}
const connected = () => createClient({ url: redis.url }).connect()
const records = (test: string): Promise<string[]> => raw((client) => client.keys(`${test}:operators:record:*`))

/** Changes one byte of the largest record that `write` makes. */
async function alterWhat(test: string, write: () => Promise<Response>): Promise<void> {
  const before = await records(test)
  expect((await write()).status).toBe(201)
  const made = (await records(test)).filter((key) => !before.includes(key))
  const values = await raw((client) => Promise.all(made.map(async (key) => [key, (await client.get(key)) ?? ''] as const)))
  const [key, value] = values.toSorted(([, one], [, other]) => other.length - one.length)[0] ?? ['', '']
  const bytes = Buffer.from(value, 'base64')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  await raw((client) => client.set(key, bytes.toString('base64')))
}

const LONG = 120_000

describe.skipIf(!present)('policies of two replicas on one Redis', () => {
  it('are written and decided by one of those who race, whichever replica they ask', { timeout: LONG }, async () => {
    const [a, b] = await two('race')
    const created = await Promise.all([a, b, a, b].map(({ policies }, i) => policies.put(policyText('right', `${i}`))))
    expect(statusesOf(created)).toEqual([201, 412, 412, 412])
    const etag = (await b.policies.send('/eu')).headers.get('etag') ?? ''
    const next = await Promise.all([a, b, a, b].map(({ policies }, i) => policies.put(policyText('wrong', `${i}`), { 'if-match': etag })))
    expect(statusesOf(next)).toEqual([201, 412, 412, 412])
    const decided = await Promise.all([a, b, a, b].map(({ policies }, i) => policies.decide({ version: 1 + (i % 2), expected_counter: 0 })))
    expect(statusesOf(decided)).toEqual([201, 412, 412, 412])
    const [one, other] = [await a.policies.send('/eu/versions'), await b.policies.send('/eu/versions')]
    expect(versionsAnswer.parse(await one.json())).toEqual(versionsAnswer.parse(await other.json()))
    const sets = await Promise.all([a, b, a, b].map(({ sets: writer }, i) => writer.put(setText([i]))))
    expect(statusesOf(sets)).toEqual([201, 412, 412, 412])
    const standings = await Promise.all(
      [a, b, a, b].map(({ sets: decider }) => decider.decide({ version: 1, state: 'active', expected_counter: 0 })),
    )
    expect(statusesOf(standings)).toEqual([201, 412, 412, 412])
  })

  it('count for all, and what was revoked never does again', { timeout: LONG }, async () => {
    const [a, b] = await two('revoked')
    await a.policies.put(policyText('set'))
    await b.policies.decide({ version: 1 })
    await expect.poll(async () => refusal(await a.ask()), SOON).toEqual([403, 'snp-measurement-mismatch'])
    await b.sets.put(setText([], { snp: { measurements: [RIGHT] } }))
    await a.sets.decide({ version: 1, state: 'active' })
    await expect.poll(async () => (await b.ask()).status, SOON).toBe(201)
    accepted(await a.ask())
    await b.sets.decide({ version: 1, state: 'revoked', reason: 'leaked build' })
    expect(await codeOf(await a.sets.decide({ version: 1, state: 'active' }))).toEqual([409, 'reference-values-version-revoked'])
    await expect.poll(async () => (await a.ask()).status, SOON).toBe(403)
    await a.policies.next(policyText('right'))
    await b.policies.decide({ version: 2 })
    await expect.poll(async () => (await a.ask()).status, SOON).toBe(201)
    await a.policies.decide({ version: 2, as: 'revoked', reason: 'leaked build' })
    for (const { policies } of [b, a]) expect(await codeOf(await policies.decide({ version: 2 }))).toEqual([409, 'policy-version-revoked'])
    await expect.poll(async () => refusal(await b.ask()), SOON).toEqual([403, 'audience-not-allowed'])
    // Nor for a replica that was not there.
    const later = await replica('revoked', 'c')
    expect(await codeOf(await later.policies.decide({ version: 2 }))).toEqual([409, 'policy-version-revoked'])
    expect(await codeOf(await later.sets.decide({ version: 1, state: 'active' }))).toEqual([409, 'reference-values-version-revoked'])
    expect((await later.policies.decide({ version: 1 })).status).toBe(201)
  })

  it(
    'count for nothing when what is decided of them was altered in Redis, with an alarm, until it is decided anew',
    { timeout: LONG },
    async () => {
      const [a, b] = await two('standing')
      await a.policies.put(policyText('right'))
      await alterWhat('standing', async () => {
        const decided = await a.policies.decide({ version: 1 })
        for (const each of [a, b]) await expect.poll(async () => (await each.ask()).status, SOON).toBe(201)
        return decided
      })
      // Whatever else is written has every replica read anew.
      await a.policies.put(policyText('right').replace('eu', 'us'), { 'if-none-match': '*' }, 'us')
      for (const each of [a, b]) {
        await expect.poll(async () => refusal(await each.ask()), SOON).toEqual([403, 'audience-not-allowed'])
        await expect.poll(() => each.alarms(), SOON).toContain('operators-record-forged')
        expect(policyTextAnswer.parse(await (await each.policies.send('/eu')).json()).active).toBeNull()
        expect(await (await fetch(`${each.url}/readyz`)).text()).toContain('a policy that an audience may use is not there')
      }
      expect((await b.policies.decide({ version: 1 })).status).toBe(201)
      for (const each of [a, b]) await expect.poll(async () => (await each.ask()).status, SOON).toBe(201)
    },
  )

  it('and sets cannot be brought into force when their text was altered in Redis', { timeout: LONG }, async () => {
    const [a] = await two('text')
    const padded = `${policyText('set')}# ${'x'.repeat(20_000)}
`
    await alterWhat('text', () => a.policies.put(padded))
    const labelled = { value: RIGHT, label: 'x'.repeat(200) }
    const many = Array.from({ length: 50 }, (_, i) => ({ value: digestOf(i), label: 'x'.repeat(200) }))
    await alterWhat('text', () => a.sets.put(setText([], { snp: { measurements: [labelled, ...many] } })))
    expect(await codeOf(await a.policies.decide({ version: 1 }))).toEqual([404, 'policy-unknown'])
    expect(await codeOf(await a.sets.decide({ version: 1, state: 'active' }))).toEqual([404, 'reference-values-unknown'])
    expect(await codeOf(await a.policies.send('/eu/versions/1'))).toEqual([404, 'policy-unknown'])
    expect(await codeOf(await a.sets.send('/nodes/versions/1'))).toEqual([404, 'reference-values-unknown'])
    await expect.poll(() => new Set(a.alarms()), SOON).toEqual(new Set(['operators-record-forged']))
    expect(refusal(await a.ask())).toEqual([403, 'audience-not-allowed'])
  })

  it('are whole after a replica was killed while it wrote', { timeout: LONG }, async () => {
    const [a, b] = await two('killed')
    const acknowledged = await writeUntilKilled(a, 13)
    await expectWhole(b, acknowledged)
    const again = await replica('killed', 'a')
    expect(again.alarms()).toEqual([])
    expect(policyTextAnswer.parse(await (await again.policies.send('/first')).json()).active).not.toBeNull()
  })

  it('are activated and rolled back 50 times under load without a failed request or a mixed verdict', { timeout: LONG }, async () => {
    const [a, b] = await two('load')
    await writeTwo(a)
    for (const { ask } of [a, b]) await expect.poll(async () => (await ask()).status, SOON).toBe(201)
    const answers = await activateUnderLoad([a, b])
    expect(answers.length).toBeGreaterThan(4)
    expectUnmixed(answers)
    await a.policies.decide({ version: 2 })
    for (const { ask } of [a, b]) await expect.poll(async () => (await ask()).status, SOON).toBe(403)
  })
})
