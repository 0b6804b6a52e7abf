import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { alarmLog, draft, keepsDocuments, move } from '../../test/stored-documents.ts'
import { DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts'
import { openHead, type Ref } from './head.ts'
import { processMemory } from './head-memory.ts'
import { createDocumentStore } from './ledger.ts'
import { memoryStores } from './memory.ts'
import { memoryShelf, type Shelf } from './shelf.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { DocumentStore } from './stores.ts'

const keys = { stored: createSecretKey(randomBytes(32)) }

function opened(limits: Partial<DocumentLimits> = {}) {
  const { log, alarms } = alarmLog()
  const shelf = memoryShelf()
  const parts = { shelf, memory: processMemory(), keys, log }
  return { store: createDocumentStore(parts, { ...DOCUMENT_LIMITS, ...limits }), alarms, parts }
}

/** A shelf that does something of its own in one place. */
const on = (shelf: Shelf, members: Partial<Shelf>): DocumentStore => {
  const { log } = alarmLog()
  return createDocumentStore({ shelf: { ...shelf, ...members }, memory: processMemory(), keys, log })
}

/** Where a store keeps the standing of `fleet`. */
async function refOfStanding({ parts }: ReturnType<typeof opened>): Promise<Ref> {
  const seen = openHead(keys, (await parts.shelf.head()) ?? new Uint8Array())
  const standing = seen === 'forged' ? undefined : seen.head.parts.policies.entries.get('fleet')?.standing
  return standing?.ref ?? 'none'
}

describe('documents in memory', () => {
  keepsDocuments(async () => memoryStores().documents)

  it('are kept as they were, whatever the caller does to what he gave or was given', async () => {
    const { documents } = memoryStores()
    const created = new Date(1000)
    const value = { active: 1 }
    await documents.append('policies', draft({ created }), 0)
    const given = await documents.advance('policies', move({ value }), 0)
    created.setTime(5)
    value.active = 9
    if (given !== 'conflict') (given.value as { active: number }).active = 7
    expect((await documents.read('policies', 'fleet', 1))?.created).toEqual(new Date(1000))
    expect((await documents.standing('policies', 'fleet'))?.value).toEqual({ active: 1 })
  })
})

describe('a store of documents', () => {
  it('takes as many names, versions and bytes as its limits say, and keeps working', async () => {
    const { store } = opened({ names: 3, versions: 4, allVersions: 6, allBytes: 1000 })
    const put = (name: string, latest: number, text = 'x') => store.append('policies', draft({ name, text }), latest)
    for (const latest of [0, 1, 2, 3]) await put('a', latest)
    await expect(put('a', 4)).rejects.toMatchObject({ code: 'store-full', message: expect.stringContaining('versions of this document') })
    await put('b', 0)
    await expect(put('c', 0, 'x'.repeat(996))).rejects.toMatchObject({ code: 'store-full', message: expect.stringContaining('bytes') })
    await put('c', 0, 'x'.repeat(995))
    await expect(put('c', 1)).rejects.toMatchObject({ code: 'store-full', message: expect.stringContaining('many versions as') })
    await expect(put('d', 0)).rejects.toMatchObject({ code: 'store-full', message: expect.stringContaining('documents') })
    expect(await store.advance('policies', move({ name: 'a' }), 0)).toMatchObject({ counter: 1 })
    expect(await store.append('reference-values', draft({ name: 'd' }), 0)).toMatchObject({ version: 1 })
    expect(await store.names('policies')).toEqual(['a', 'b', 'c'])
  })

  it('holds a thousand versions of one document and ten thousand in all', async () => {
    const { store } = opened()
    for (let latest = 0; latest < 1000; latest += 1) await store.append('policies', draft({ text: `version ${latest + 1}` }), latest)
    await expect(store.append('policies', draft(), 1000)).rejects.toMatchObject({ code: 'store-full' })
    expect(await store.versions('policies', 'fleet')).toHaveLength(1000)
    expect(await store.read('policies', 'fleet', 707)).toMatchObject({ version: 707, text: 'version 707' })
    expect(DOCUMENT_LIMITS).toEqual({ names: 1_000, versions: 1_000, allVersions: 10_000, allBytes: 268_435_456 })
  })

  it.each<[string, Parameters<typeof draft>[0]]>([
    ['a name with a separator', { name: 'a/b' }],
    ['a name with a colon', { name: 'a:b' }],
    ['no name', { name: '' }],
    ['a name that begins with a dot', { name: '.a' }],
    ['a long name', { name: 'a'.repeat(129) }],
    ['no digest', { sha256: 'AB' }],
    ['no author', { author: '' }],
    ['a long author', { author: 'a'.repeat(257) }],
    ['no date', { created: new Date(Number.NaN) }],
  ])('takes no version with %s', async (_, members) => {
    const { store } = opened()
    await expect(store.append('policies', draft(members), 0)).rejects.toThrow(/operators’ documents: not a/)
    expect(await store.names('policies')).toEqual([])
  })

  it('takes no standing that is not JSON, is too large, or is nobody’s', async () => {
    const { store } = opened()
    await store.append('policies', draft(), 0)
    await expect(store.advance('policies', move({ value: undefined }), 0)).rejects.toThrow(/not JSON/)
    await expect(store.advance('policies', move({ value: 'x'.repeat(512 * 1024 - 1) }), 0)).rejects.toMatchObject({
      code: 'request-too-large',
    })
    await expect(store.advance('policies', move({ by: '' }), 0)).rejects.toThrow(/author/)
    expect(await store.advance('policies', move({ value: 'x'.repeat(512 * 1024 - 2) }), 0)).toMatchObject({ counter: 1 })
  })

  it('remembers what was revoked when the standing is lost, also when it is set anew', async () => {
    const made = opened()
    const { store, parts, alarms } = made
    for (const latest of [0, 1]) await store.append('policies', draft({ text: `text ${latest}` }), latest)
    await store.advance('policies', { ...move(), revoked: [1] }, 0)
    const lost = await refOfStanding(made)
    const get = async (ref: Ref) => (ref === lost ? undefined : parts.shelf.get(ref))
    const without = createDocumentStore({ ...parts, memory: processMemory(), shelf: { ...parts.shelf, get } })
    expect([await without.standing('policies', 'fleet'), await without.revoked('policies', 'fleet')]).toEqual([undefined, [1]])
    expect(alarms()).toEqual(['operators-record-forged'])
    expect(await without.advance('policies', move({ value: 'anew' }), 0)).toMatchObject({ counter: 2 })
    expect(await without.revoked('policies', 'fleet')).toEqual([1])
  })

  it('writes nothing when the shelf fails, and goes on when it works again', async () => {
    const { store, parts } = opened()
    await store.append('policies', draft(), 0)
    const failing = on(parts.shelf, { commit: () => Promise.reject(new Error('disk full')) })
    await expect(failing.append('policies', draft(), 1)).rejects.toMatchObject({ code: 'not-ready', cause: { message: 'disk full' } })
    await expect(failing.advance('policies', move(), 0)).rejects.toMatchObject({ code: 'not-ready' })
    expect(await store.versions('policies', 'fleet')).toHaveLength(1)
    expect(await store.advance('policies', move(), 0)).toMatchObject({ counter: 1 })
  })

  it('tells from its revision no answer from a head that is not to be believed', async () => {
    const { store, parts } = opened()
    await store.append('policies', draft(), 0)
    const silent = on(parts.shelf, { headStart: () => Promise.reject(new AttestationError('not-ready', 'no answer')) })
    await expect(silent.revision('policies')).rejects.toThrow('no answer')
    const other = on(parts.shelf, { head: async () => new Uint8Array([1]) })
    expect(await other.revision('policies')).toBeUndefined()
  })

  it('gives up when others change the head all the time', async () => {
    const busy = on(opened().parts.shelf, { commit: async () => false })
    await expect(busy.append('policies', draft(), 0)).rejects.toMatchObject({ code: 'not-ready', retryAfter: 1 })
  })

  it('takes no record for another that was sealed under the same name and counter', async () => {
    const [here, there] = [opened(), opened()]
    await here.store.append('policies', draft(), 0)
    await there.store.append('policies', draft(), 0)
    await here.store.advance('policies', move({ value: 'here' }), 0)
    const ref = await refOfStanding(here)
    await there.store.advance('policies', move({ value: 'there' }), 0)
    const foreign = await refOfStanding(there)
    const exchanged = {
      ...here.parts.shelf,
      get: (asked: Ref) => (asked === ref ? there.parts.shelf.get(foreign) : here.parts.shelf.get(asked)),
    }
    expect(await there.store.standing('policies', 'fleet')).toMatchObject({ value: 'there' })
    expect(await createDocumentStore({ ...here.parts, shelf: exchanged }).standing('policies', 'fleet')).toBeUndefined()
    expect(here.alarms()).toEqual(['operators-record-forged'])
  })

  it('looks again when a record was replaced between the head and the record', async () => {
    const { store, parts, alarms } = opened()
    await store.append('policies', draft(), 0)
    await store.advance('policies', move(), 0)
    let meanwhile: (() => Promise<unknown>) | undefined
    const get = async (ref: Ref) => {
      const change = meanwhile
      meanwhile = undefined
      await change?.()
      return parts.shelf.get(ref)
    }
    const slow = createDocumentStore({ ...parts, shelf: { ...parts.shelf, get } })
    meanwhile = () => store.append('policies', draft({ text: 'second' }), 1)
    expect(await slow.versions('policies', 'fleet')).toHaveLength(2)
    meanwhile = () => store.advance('policies', move({ value: 2 }), 1)
    expect(await slow.standing('policies', 'fleet')).toMatchObject({ counter: 2, value: 2 })
    expect(alarms()).toEqual([])
  })

  it('is not alarmed by a reading of the head that was overtaken', async () => {
    const { store, parts, alarms } = opened()
    await store.append('policies', draft(), 0)
    const [held, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const head = async () => {
      const bytes = await parts.shelf.head()
      arrived.resolve()
      await held.promise
      return bytes
    }
    const slow = createDocumentStore({ ...parts, shelf: { ...parts.shelf, head } }).names('policies')
    await arrived.promise
    await store.append('policies', draft({ name: 'other' }), 0)
    held.resolve()
    expect(await slow).toEqual(['fleet'])
    expect(await store.names('policies')).toEqual(['fleet', 'other'])
    expect(alarms()).toEqual([])
  })
})
