import { afterEach, describe, expect, it } from 'vitest'
import { alarmLog } from '../../test/stored-documents.ts'
import { digestOf, setText, versionOf } from '../../test/reference-sets.ts'
import { isListed } from '../appraisal/listed.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import type { VersionStanding } from '../appraisal/reference-standing.ts'
import { readReferenceSet } from '../appraisal/reference-values.ts'
import type { ReferenceSets } from '../appraisal/resolve-references.ts'
import { memoryStores } from '../stores/memory.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { FileDocument, RecordFiles } from './files.ts'
import { createReferences, type References } from './references.ts'

const POLICY = readPolicy(JSON.stringify({ name: 'edge', snp: { measurements: [{ set: 'nodes' }] } }), 'edge.yaml')

const running: References[] = []
afterEach(() => {
  for (const references of running.splice(0)) references.stop()
})

/** A service's sets over a store in memory, with a clock that stands. */
async function lab(fixed: ReferenceSets = new Map()) {
  const { documents: store } = memoryStores()
  const world = {
    now: new Date('2026-06-01T00:00:00Z'),
    clock: 0,
    fixed,
    moved: false,
    still: true,
    broken: false,
    again: 0,
    recorded: new Array<readonly FileDocument[]>(),
  }
  const { log } = alarmLog()
  const readFixed = () => {
    if (world.fixed.size > 5) throw new Error('the folder is wrong')
    return world.fixed
  }
  const recordFiles: RecordFiles = async (documents) => {
    if (world.broken) throw new AttestationError('audit-unavailable', 'the audit log cannot be written')
    world.recorded.push(documents)
  }
  const start = async (): Promise<References> => {
    const folder = { changed: async () => world.moved, taken: async () => world.still, again: () => void world.again++ }
    const [now, clock] = [() => world.now, () => world.clock]
    const references = await createReferences({ store, log, readFixed, recordFiles, separateAuthorAndActivator: false, now, clock }, folder)
    running.push(references)
    return references
  }
  const add = async (text: string, expected: number, name = 'nodes') => {
    const sha256 = name === 'nodes' ? readReferenceSet(text, name).sha256 : 'ab'.repeat(32)
    await store.append('reference-values', { name, text, sha256, author: 'alice', created: world.now }, expected)
  }
  const stand = async (versions: Readonly<Record<string, VersionStanding>>, counter: number) => {
    await store.advance('reference-values', { name: 'nodes', value: { versions }, by: 'bob', at: world.now }, counter)
  }
  return { world, store, start, add, stand }
}

const measurements = (references: References) => references.moment()(POLICY).document.snp.measurements
const silent = () => Promise.reject(new AttestationError('not-ready', 'no answer'))
const active: VersionStanding = { state: 'active' }

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof AttestationError ? error.code : String(error)
  }
}

describe('createReferences', () => {
  it('fills a policy with what is stored and active, under the policy’s own name and digest', async () => {
    const { start, add, stand } = await lab()
    await add(setText([1]), 0)
    await add(setText([2]), 1)
    await stand({ 1: active, 2: active }, 0)
    const references = await start()
    expect(measurements(references)).toEqual([digestOf(1), digestOf(2)])
    expect(references.moment()(POLICY).reference).toEqual(POLICY.reference)
    expect(Object.isFrozen(references.moment()(POLICY).document.snp)).toBe(true)
  })

  it('gives a draft nothing, then its values once it is active, then nothing once it is revoked', async () => {
    const { start, add, stand } = await lab()
    await add(setText([1]), 0)
    const references = await start()
    expect(measurements(references)).toEqual([{ set: 'nodes', state: 'version 1 draft' }])
    await stand({ 1: active }, 0)
    await references.refresh()
    expect(measurements(references)).toEqual([digestOf(1)])
    await stand({ 1: { state: 'revoked', reason: 'leaked build' } }, 1)
    await references.refresh()
    expect(measurements(references)).toEqual([{ set: 'nodes', state: 'version 1 revoked: leaked build' }])
  })

  it('stops at the very moment at which a set ends, without anybody asking the store', async () => {
    const { world, start, add, stand } = await lab()
    await add(setText([1], { valid: { until: '2026-07-01T00:00:00Z' } }), 0)
    await stand({ 1: active }, 0)
    const references = await start()
    world.now = new Date('2026-06-30T23:59:59.999Z')
    expect(measurements(references)).toEqual([digestOf(1)])
    world.now = new Date('2026-07-01T00:00:00Z')
    expect(measurements(references)).toEqual([{ set: 'nodes', state: 'version 1 expired 2026-07-01T00:00:00.000Z' }])
  })

  it('fills each policy once until something changes', async () => {
    const { start, add, stand } = await lab()
    await add(setText([1]), 0)
    await stand({ 1: active }, 0)
    const references = await start()
    const before = references.moment()(POLICY)
    await references.refresh()
    expect(references.moment()(POLICY)).toBe(before)
    await add(setText([2]), 1)
    await references.refresh()
    expect(references.moment()(POLICY)).not.toBe(before)
  })

  it('is the same from the beginning of a request to its end, whatever is revoked meanwhile', async () => {
    const { start, add, stand } = await lab()
    await add(setText([1]), 0)
    await stand({ 1: active }, 0)
    const references = await start()
    const moment = references.moment()
    await stand({ 1: { state: 'revoked', reason: 'leaked build' } }, 1)
    await references.refresh()
    expect(moment(POLICY).document.snp.measurements).toEqual([digestOf(1)])
    expect(measurements(references)).not.toContain(digestOf(1))
  })

  it('leaves a policy alone that names no set, even when the store cannot be asked', async () => {
    const { world, start } = await lab()
    const references = await start()
    const plain = readPolicy(JSON.stringify({ name: 'plain', snp: { measurements: [digestOf(1)] } }), 'plain.yaml')
    world.clock = 31_000
    expect(references.moment()(plain)).toBe(plain)
  })

  it('lets nothing count that nobody could confirm for half a minute', async () => {
    const { world, store, start } = await lab()
    const references = await start()
    const { revision } = store
    Object.assign(store, { revision: silent })
    world.clock = 30_000
    await expect(references.refresh()).rejects.toThrow('no answer')
    expect(codeOf(() => references.moment()(POLICY))).toBeUndefined()
    Object.assign(store, { revision })
    world.clock = 30_001
    expect(codeOf(() => references.moment()(POLICY))).toBe('not-ready')
    expect(references.problems()).toEqual(['the sets of reference values cannot be confirmed'])
    await references.refresh()
    expect(codeOf(() => references.moment()(POLICY))).toBeUndefined()
  })

  it('lets nothing count once the store says that it was put back', async () => {
    const { store, start } = await lab()
    const references = await start()
    Object.assign(store, { revision: async () => undefined })
    await expect(references.refresh()).rejects.toMatchObject({ code: 'not-ready' })
    expect(codeOf(() => references.moment()(POLICY))).toBe('not-ready')
    // Nor while it gives no answer after that.
    Object.assign(store, { revision: silent })
    await expect(references.refresh()).rejects.toThrow('no answer')
    expect(codeOf(() => references.moment()(POLICY))).toBe('not-ready')
  })

  it.each([
    ['is no set', 'name: [', 'nodes'],
    ['has another name', setText([1], { name: 'other' }), 'nodes'],
  ])('takes nothing of a stored text that %s, and raises an alarm', async (_, text) => {
    const { store, start, stand, world } = await lab()
    await store.append('reference-values', { name: 'nodes', text, sha256: 'ab'.repeat(32), author: 'alice', created: world.now }, 0)
    await stand({ 1: active }, 0)
    const references = await start()
    expect(measurements(references)).toEqual([{ set: 'nodes', state: 'version 1 unreadable' }])
    expect(references.alarms()).toEqual(['a stored set of reference values counts for nothing'])
  })

  it('does not read the texts of drafts and of what was revoked', async () => {
    const { store, start, add, stand } = await lab()
    for (const version of [1, 2, 3]) await add(setText([version]), version - 1)
    await stand({ 2: active, 3: { state: 'revoked', reason: 'leaked build' } }, 0)
    const asked: number[] = []
    const { read } = store
    Object.assign(store, { read: async (...wanted: Parameters<typeof read>) => (asked.push(wanted[2]), read(...wanted)) })
    await start()
    expect(asked).toEqual([2])
  })

  it('takes nothing of a set whose standing it does not understand', async () => {
    const { store, start, add, world } = await lab()
    await add(setText([1]), 0)
    await store.advance(
      'reference-values',
      { name: 'nodes', value: { versions: { 1: { state: 'trusted' } } }, by: 'bob', at: world.now },
      0,
    )
    const references = await start()
    expect(measurements(references)).toEqual([{ set: 'nodes', state: 'version 1 draft' }])
    expect(references.alarms()).toHaveLength(1)
  })

  it('lets files hide stored sets of the same name', async () => {
    const { start, add, stand } = await lab(new Map([['nodes', [versionOf(7, active)]]]))
    await add(setText([1]), 0)
    await stand({ 1: active }, 0)
    const references = await start()
    expect(measurements(references)).toEqual([digestOf(7)])
    expect(references.alarms()).toHaveLength(1)
  })

  it('reads a changed folder within seconds, and keeps what was there when the new is wrong', async () => {
    const { world, start } = await lab(new Map([['nodes', [versionOf(1, active)]]]))
    const references = await start()
    Object.assign(world, { fixed: new Map([['nodes', [versionOf(2, active)]]]), moved: true })
    await expect.poll(() => measurements(references), { timeout: 5_000 }).toEqual([digestOf(2)])
    Object.assign(world, { fixed: new Map(Array.from({ length: 6 }, (_, at) => [`s${at}`, []])), moved: true })
    await expect.poll(() => references.alarms(), { timeout: 5_000 }).toHaveLength(1)
    expect(measurements(references)).toEqual([digestOf(2)])
  })

  it('fills nothing when it starts with a store that is not to be believed, until it is', async () => {
    const { store, start, add, stand } = await lab()
    await add(setText([1]), 0)
    await stand({ 1: active }, 0)
    const { revision } = store
    Object.assign(store, { revision: () => Promise.reject(new AttestationError('not-ready', 'a forged head')) })
    const references = await start()
    expect(codeOf(() => references.moment()(POLICY))).toBe('not-ready')
    expect(references.problems()).toEqual(['the sets of reference values cannot be confirmed'])
    Object.assign(store, { revision })
    await references.refresh()
    expect(measurements(references)).toEqual([digestOf(1)])
    Object.assign(store, { revision: () => Promise.reject(new Error('newer')) })
    await expect(start()).rejects.toThrow('newer')
  })

  it('keeps what was there while a change cannot be recorded, and takes it when it can', async () => {
    const { world, start } = await lab(new Map([['nodes', [versionOf(1, active)]]]))
    const references = await start()
    expect(world.recorded).toEqual([[expect.objectContaining({ name: 'nodes', version: 1, standing: active })]])
    Object.assign(world, { fixed: new Map([['nodes', [versionOf(2, active)]]]), moved: true, broken: true })
    await expect
      .poll(() => references.alarms(), { timeout: 5_000 })
      .toEqual([expect.stringContaining('cannot be written to the audit log')])
    expect([measurements(references), world.again]).toEqual([[digestOf(1)], 1])
    world.broken = false
    await expect.poll(() => measurements(references), { timeout: 5_000 }).toEqual([digestOf(2)])
    expect([references.alarms(), world.recorded.length]).toEqual([[], 2])
    Object.assign(world, { broken: true })
    await expect(start()).rejects.toMatchObject({ code: 'audit-unavailable' })
  }, 15_000)

  it('takes nothing of a folder that moves while it is read', async () => {
    const { world, start } = await lab(new Map([['nodes', [versionOf(1, active)]]]))
    const references = await start()
    Object.assign(world, { fixed: new Map([['nodes', [versionOf(2, active)]]]), moved: true, still: false })
    await new Promise((resolve) => void setTimeout(resolve, 1_500))
    expect(measurements(references)).toEqual([digestOf(1)])
    world.still = true
    await expect.poll(() => measurements(references), { timeout: 5_000 }).toEqual([digestOf(2)])
  })

  it('looks a value up by hash, so that a thousand cost what one does', async () => {
    const { start, add, stand } = await lab()
    await add(setText(Array.from({ length: 1_000 }, (_, at) => at)), 0)
    await stand({ 1: active }, 0)
    const listed = measurements(await start())
    if (typeof listed !== 'object') throw new Error('no list')
    expect([isListed(listed, digestOf(999)), isListed(listed, digestOf(1_000))]).toEqual([true, false])
  })
})
