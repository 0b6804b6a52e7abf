import { afterEach, describe, expect, it } from 'vitest'
import { setText } from '../../test/reference-sets.ts'
import { losingDocuments } from '../../test/stored-documents.ts'
import type { ReferenceChange } from '../appraisal/reference-standing.ts'
import { memoryStores } from '../stores/memory.ts'
import type { DocumentStore } from '../stores/stores.ts'
import { createLog } from '../telemetry/log.ts'
import { createReferences, type References } from './references.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const nothing = async () => {}
const refusedWith = (code: string) => expect.objectContaining({ code })

const running: References[] = []
afterEach(() => {
  for (const references of running.splice(0)) references.stop()
})

async function start(store: DocumentStore, separateAuthorAndActivator = false): Promise<References> {
  const log = createLog('silent')
  const deps = { store, log, readFixed: () => new Map(), recordFiles: nothing, separateAuthorAndActivator, now: () => NOW }
  const references = await createReferences(deps)
  running.push(references)
  return references
}

const put = (on: References, text = setText([1])) => on.put({ name: 'nodes', text, by: 'ann', precondition: 'absent' }, nothing)
const decide = (on: References, change: ReferenceChange, by = 'ben') => on.decide({ name: 'nodes', change, by }, nothing)
const until = (date: string): ReferenceChange => ({ version: 1, state: 'deprecated', until: `${date}T00:00:00Z` })
const stood = async (on: References) => (await on.versions('nodes')).map(({ standing }) => standing)

describe('a revocation of reference values', () => {
  it('is not forgotten when the record that said so is removed, and others can be decided anew', async () => {
    const { store, loseStanding } = losingDocuments()
    const first = await start(store)
    const { view } = await put(first)
    await first.put({ name: 'nodes', text: setText([2]), by: 'ann', precondition: { ifMatch: view.etag } }, nothing)
    await decide(first, { version: 1, state: 'revoked', reason: 'leaked build' })
    await loseStanding('reference-values', 'nodes')
    const again = await start(store)
    const revoked = { state: 'revoked', reason: 'the reason was lost' }
    expect(await stood(again)).toEqual([revoked, { state: 'draft' }])
    await expect(decide(again, { version: 1, state: 'active' })).rejects.toEqual(refusedWith('reference-values-version-revoked'))
    expect((await decide(again, { version: 2, state: 'active' })).inForce.map(({ version }) => version)).toEqual([2])
    expect(await stood(again)).toEqual([revoked, { state: 'active' }])
  })

  it('holds whatever the standing says', async () => {
    const { documents: store } = memoryStores()
    const first = await start(store)
    await put(first)
    await decide(first, { version: 1, state: 'active' })
    const made = await start({ ...store, revoked: async () => [1] })
    expect((await made.get('nodes')).inForce).toEqual([])
  })

  it('always fits, with any reason, whatever was revoked before', async () => {
    const { documents: store } = memoryStores()
    for (let latest = 0; latest < 1000; latest++)
      await store.append('reference-values', { name: 'nodes', text: 'x', sha256: 'ab'.repeat(32), author: 'ann', created: NOW }, latest)
    const reason = '"'.repeat(150)
    const versions = Object.fromEntries(Array.from({ length: 999 }, (_, at) => [`${at + 1}`, { state: 'revoked', reason }]))
    await store.advance('reference-values', { name: 'nodes', value: { versions }, by: 'ben', at: NOW }, 0)
    expect((await decide(await start(store), { version: 1000, state: 'revoked', reason })).counter).toBe(2)
    expect(await store.revoked('reference-values', 'nodes')).toHaveLength(1000)
  })
})

describe('where nobody may bring into force what he wrote', () => {
  it('nobody may let it count for longer, and anybody may let it end sooner', async () => {
    const made = await start(memoryStores().documents, true)
    await put(made)
    await decide(made, { version: 1, state: 'active' })
    await decide(made, until('2026-07-01'), 'ann')
    await expect(decide(made, until('2026-07-02'), 'ann')).rejects.toEqual(refusedWith('activator-is-author'))
    await decide(made, until('2026-06-15'), 'ann')
    await decide(made, until('2026-07-02'))
    expect(await stood(made)).toEqual([{ state: 'deprecated', until: '2026-07-02T00:00:00.000Z' }])
  })
})
