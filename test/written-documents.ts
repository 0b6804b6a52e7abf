import { expect } from 'vitest'
import { policyTextAnswer, versionAnswer, versionsAnswer } from '../src/routes/openapi/policy-answers.ts'
import type { Operated } from './operated-process.ts'
import { statusesOf } from './operators-lab.ts'
import { digestOf } from './reference-sets.ts'

/** What a service said that it kept before it was killed, by name: the latest version, and the version that was brought into force. */
export type Acknowledged = ReadonlyMap<string, { readonly version: number; readonly active: number }>

const NAMES = ['first', 'second', 'third'] as const
/** So large that writing it takes a while. */
const PADDING = `# ${'x'.repeat(200_000)}\n`

/** What each version of a policy says: a text of its own. */
const textOf = (name: string, version: number): string => `name: ${name}\nsnp:\n  measurements: ['${digestOf(version)}']\n${PADDING}`

/** Writes and activates versions of several policies at the same time, and kills the service when it has answered so often. */
export async function writeUntilKilled(service: Operated, answers: number): Promise<Acknowledged> {
  const acknowledged = new Map<string, { version: number; active: number }>()
  let answered = 0
  const heard = async (response: Response): Promise<Response> => {
    expect([201, await response.clone().text()]).toEqual([response.status, expect.anything()])
    answered += 1
    if (answered === answers) await service.kill()
    return response
  }
  const write = async (name: string): Promise<void> => {
    let etag = ''
    for (let version = 1; ; version += 1) {
      const headers: Record<string, string> = etag === '' ? { 'if-none-match': '*' } : { 'if-match': etag }
      const put = await heard(await service.policies.put(textOf(name, version), headers, name))
      etag = put.headers.get('etag') ?? ''
      acknowledged.set(name, { version, active: acknowledged.get(name)?.active ?? 0 })
      await heard(await service.policies.decide({ version }, { name }))
      acknowledged.set(name, { version, active: version })
    }
  }
  // Each writer ends when nobody answers any more; what an answer should not have been ends the test.
  await Promise.all(NAMES.map((name) => write(name).catch(refuseAnythingButSilence)))
  await service.ended
  return acknowledged
}

/** `fetch` throws a TypeError when the connection is lost. */
function refuseAnythingButSilence(error: unknown): void {
  if (!(error instanceof TypeError)) throw error
}

/** Expects that all that was acknowledged is there, that nothing is half there, and that writing goes on. */
export async function expectWhole(service: Operated, acknowledged: Acknowledged): Promise<void> {
  for (const [name, { version, active }] of acknowledged) {
    const { versions } = versionsAnswer.parse(await (await service.policies.send(`/${name}/versions`)).json())
    // What was on its way may have been kept or not.
    expect([version, version + 1]).toContain(versions.length)
    for (const listed of versions) {
      const whole = versionAnswer.parse(await (await service.policies.send(`/${name}/versions/${listed.version}`)).json())
      expect([whole.sha256, whole.text === textOf(name, listed.version)]).toEqual([listed.sha256, true])
    }
    const view = policyTextAnswer.parse(await (await service.policies.send(`/${name}`)).json())
    expect([active, active + 1]).toContain(view.active?.version ?? 0)
    const next = { 'if-match': (await service.policies.send(`/${name}`)).headers.get('etag') ?? '' }
    const written = await service.policies.put(textOf(name, versions.length + 1), next, name)
    expect(statusesOf([written, await service.policies.decide({ version: versions.length + 1 }, { name })])).toEqual([201, 201])
  }
  expect(service.alarms()).toEqual([])
}
