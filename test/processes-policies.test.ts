import { readFileSync, readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { policyText, startOperated, type Operated } from './operated-process.ts'
import { startWorld, type World } from './service-process.ts'
import { activateUnderLoad, expectUnmixed, writeTwo } from './under-activations.ts'
import { expectWhole, writeUntilKilled } from './written-documents.ts'

let world: World
let service: Operated | undefined
beforeAll(async () => {
  world = await startWorld()
})
afterEach(async () => {
  await service?.kill()
})
afterAll(() => world.close())

const LONG = 120_000
const start = async (name: string, processes: number): Promise<Operated> => {
  service = await startOperated(world, { processes, data_dir: world.files.path(name) })
  return service
}

/** Outcome and version of each verdict in the audit log. */
const verdicts = (name: string): ReadonlySet<string> => {
  const files = readdirSync(world.files.path(name)).filter((file) => file.startsWith('audit'))
  const lines = files.flatMap((file) =>
    readFileSync(world.files.path(`${name}/${file}`), 'utf8')
      .split('\n')
      .filter(Boolean),
  )
  const judged = lines.map((line) => JSON.parse(line) as { action: string; outcome: string; policy?: { version: number } })
  return new Set(judged.filter(({ action }) => action === 'appraisal').map(({ outcome, policy }) => `${outcome} ${policy?.version}`))
}

describe('policies of a service with files', () => {
  it.each([1, 2])('are whole after it was killed while it wrote, with %i processes', { timeout: LONG }, async (processes) => {
    const name = `killed-${processes}`
    const acknowledged = await writeUntilKilled(await start(name, processes), 13)
    const after = await start(name, processes)
    await expectWhole(after, acknowledged)
    expect((await after.policies.send('')).status).toBe(200)
  })

  it(
    'are activated and rolled back 50 times under load by two processes without a failed request or a mixed verdict',
    { timeout: LONG },
    async () => {
      const before = await start('load', 2)
      await writeTwo(before)
      // Both processes of the next know the policy from the start.
      await before.kill()
      const answers = await activateUnderLoad([await start('load', 2)])
      expect(answers.length).toBeGreaterThan(4)
      expectUnmixed(answers)
      expect([...verdicts('load')].filter((verdict) => verdict !== 'issued 1' && verdict !== 'refused 2')).toEqual([])
    },
  )
})

describe('readiness', () => {
  it('follows the policies in force: a list that nobody needed may be needed now', { timeout: LONG }, async () => {
    // Nobody listens there, so no list is to be had.
    service = await startOperated(world, { amd_kds_url: 'http://127.0.0.1:1', data_dir: world.files.path('readiness') })
    const { policies, url } = service
    const ready = async () => {
      const response = await fetch(`${url}/readyz`)
      return [response.status, (await response.text()).includes('amd/crl/Milan/vcek: no valid document')]
    }
    expect(await ready()).toEqual([200, false])
    await policies.put(policyText('right'))
    await policies.next(policyText('right').replace('snp:', 'snp:\n  crl: { mode: prefer }'))
    await policies.decide({ version: 1 })
    expect(await ready()).toEqual([503, true])
    await policies.decide({ version: 2 })
    expect(await ready()).toEqual([200, false])
  })
})
