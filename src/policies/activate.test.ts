import { afterEach, describe, expect, it } from 'vitest'
import { losingDocuments } from '../../test/stored-documents.ts'
import { memoryStores } from '../stores/memory.ts'
import type { DocumentStore } from '../stores/stores.ts'
import { createLog } from '../telemetry/log.ts'
import { createPolicies } from './create.ts'
import type { Policies } from './policies.ts'
import { floorOf } from './reading.ts'

const text = (name: string, more = '') => `name: ${name}\nsnp: {measurements: ['${'ab'.repeat(48)}']}\n${more}`
const nothing = async () => {}
const refusedWith = (code: string) => expect.objectContaining({ code })

const running: Policies[] = []
afterEach(() => {
  for (const policies of running.splice(0)) policies.stop()
})

async function start(store: DocumentStore): Promise<Policies> {
  const policies = await createPolicies({
    readFixed: () => [],
    recordFiles: nothing,
    folder: undefined,
    store,
    audiences: [],
    floor: floorOf([]),
    separateAuthorAndActivator: false,
    now: () => new Date('2026-06-01T00:00:00Z'),
    log: createLog('silent'),
  })
  running.push(policies)
  return policies
}

const put = (on: Policies, name: string) => on.put({ name, text: text(name), by: 'ann', precondition: 'absent' }, nothing)
const activate = (on: Policies, name: string) => on.activate({ name, version: 1, as: 'active', by: 'ben' }, nothing)

describe('a revocation', () => {
  it('never forgets what was revoked when the record that said so is removed, and lets others be decided anew', async () => {
    const { store: kept, loseStanding } = losingDocuments()
    const made = await start(kept)
    const { view } = await put(made, 'eu')
    await made.put({ name: 'eu', text: text('eu', 'explain: full\n'), by: 'ann', precondition: { ifMatch: view.etag } }, nothing)
    await made.activate({ name: 'eu', version: 1, as: 'revoked', reason: 'leaked', by: 'ben' }, nothing)
    await loseStanding('policies', 'eu')
    const again = await start(kept)
    for (const as of ['active', 'shadow'] as const)
      await expect(again.activate({ name: 'eu', version: 1, as, by: 'ben' }, nothing)).rejects.toEqual(
        refusedWith('policy-version-revoked'),
      )
    const entry = await again.activate({ name: 'eu', version: 2, as: 'active', by: 'ben' }, nothing)
    expect([entry.active?.version, entry.counter]).toEqual([2, 2])
    expect((await again.versions('eu')).map(({ state }) => state)).toEqual(['revoked', 'active'])
    expect((await kept.standing('policies', 'eu'))?.value).toEqual({ active: 2, shadow: null, revoked: [{ version: 1, reason: null }] })
  })

  it('lets nothing judge that was revoked, whatever the standing says', async () => {
    const { documents: store } = memoryStores()
    const first = await start(store)
    await put(first, 'eu')
    await activate(first, 'eu')
    const made = await start({ ...store, revoked: async () => [1] })
    expect([made.snapshot().get('eu'), (await made.get('eu')).active]).toEqual([undefined, null])
  })

  it('always fits, with any reason, whatever was revoked before', async () => {
    const { documents: store } = memoryStores()
    for (let latest = 0; latest < 1000; latest++)
      await store.append('policies', { name: 'eu', text: 'x', sha256: 'ab'.repeat(32), author: 'ann', created: new Date(0) }, latest)
    const reason = '"'.repeat(150)
    const before = Array.from({ length: 999 }, (_, at) => ({ version: at + 1, reason }))
    await store.advance('policies', { name: 'eu', value: { active: 1000, shadow: 1000, revoked: before }, by: 'ben', at: new Date(0) }, 0)
    const made = await start(store)
    const entry = await made.activate({ name: 'eu', version: 1000, as: 'revoked', reason, by: 'ben' }, nothing)
    expect([entry.counter, await store.revoked('policies', 'eu')]).toEqual([2, Array.from({ length: 1000 }, (_, at) => at + 1)])
  })
})
