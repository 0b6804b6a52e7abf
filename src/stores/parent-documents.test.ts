import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { forked, killForked, pair } from '../../test/channels.ts'
import { draft, keepsDocuments, move } from '../../test/stored-documents.ts'
import { createLog } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { fileStores } from './file.ts'
import { serve } from './ipc.ts'
import { memoryStores } from './memory.ts'
import { parentStores, serveStores } from './parent.ts'
import type { DocumentStore } from './stores.ts'

afterEach(killForked)
const full = () => Promise.reject(new AttestationError('store-full', 'as many versions as it takes'))
const unasked = () => Promise.reject(new Error('asked'))
const notReady = expect.objectContaining({ code: 'not-ready' })

/** A child's documents, whose parent answers every call with the same value. */
function answering(value: unknown): DocumentStore {
  const { child, parent } = pair()
  const calls = ['revision', 'names', 'versions', 'read', 'append', 'standing', 'revoked', 'advance'].map((op) => [
    `documents.${op}`,
    async () => value,
  ])
  serve(parent, 'stores', Object.fromEntries(calls) as Parameters<typeof serve>[2])
  return parentStores(child).documents
}

describe("the parent's documents in a child", () => {
  keepsDocuments(async () => {
    const { child, parent } = pair()
    serveStores(memoryStores(), parent)
    return parentStores(child).documents
  })

  it('are won by exactly one of two processes, over the files of the parent', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'assay-parent-'))
    const keys = { stored: createSecretKey(randomBytes(32)) }
    const stores = await fileStores({ dataDir, keys, mode: 'test', log: createLog('silent') })
    const runs = await Promise.all([forked(stores), forked(stores)])
    for (let i = 0; i < 10; i += 1) {
      const versions = await Promise.all(runs.map((run, who) => run('documents', 'append', 'policies', draft({ text: `${who} ${i}` }), i)))
      expect(versions.filter((each) => each !== 'conflict')).toHaveLength(1)
      const standings = await Promise.all(runs.map((run) => run('documents', 'advance', 'policies', move({ value: i }), i)))
      expect(standings.filter((each) => each !== 'conflict')).toEqual([{ ...move({ value: i }), counter: i + 1 }])
    }
    expect(await runs[0]?.('documents', 'versions', 'policies', 'fleet')).toEqual(await stores.documents.versions('policies', 'fleet'))
    expect(await stores.documents.versions('policies', 'fleet')).toHaveLength(10)
    await stores.close()
    await rm(dataDir, { recursive: true })
  })

  it('fail as they fail in the parent', async () => {
    const { child, parent } = pair()
    const memory = memoryStores()
    serveStores({ ...memory, documents: { ...memory.documents, append: full } }, parent)
    await expect(parentStores(child).documents.append('policies', draft(), 0)).rejects.toMatchObject({ code: 'store-full' })
  })

  it.each<[string, (documents: DocumentStore) => Promise<unknown>]>([
    ['another collection', (d) => d.names('other' as 'policies')],
    ['a name that is no text', (d) => d.versions('policies', 7 as unknown as string)],
    ['a version that is no number', (d) => d.read('policies', 'fleet', '1' as unknown as number)],
    ['a document without a date', (d) => d.append('policies', draft({ created: 'now' as unknown as Date }), 0)],
    ['a document without a text', (d) => d.append('policies', { ...draft(), text: 5 as unknown as string }, 0)],
    ['no document', (d) => d.append('policies', undefined as unknown as ReturnType<typeof draft>, 0)],
    ['a standing by nobody', (d) => d.advance('policies', move({ by: undefined as unknown as string }), 0)],
    ['a counter that is not finite', (d) => d.advance('policies', move(), Number.NaN)],
  ])('are not asked with %s', async (_, ask) => {
    const { child, parent } = pair()
    const memory = memoryStores()
    const documents = Object.fromEntries(Object.keys(memory.documents).map((op) => [op, unasked])) as unknown as DocumentStore
    serveStores({ ...memory, documents }, parent)
    await expect(ask(parentStores(child).documents)).rejects.toMatchObject({
      code: 'not-ready',
      message: expect.stringContaining('a message between processes'),
    })
  })

  it.each([undefined, null, 7, {}, 'conflicts', [7], { ...draft(), version: '1' }, { ...move(), counter: undefined }])(
    'count as unanswered when the parent says %j',
    async (value) => {
      const documents = answering(value)
      const calls = [
        () => documents.names('policies'),
        () => documents.versions('policies', 'fleet'),
        () => documents.append('policies', draft(), 0),
        () => documents.advance('policies', move(), 0),
      ]
      for (const call of calls) await expect(call()).rejects.toEqual(notReady)
    },
  )

  it('are absent only when the parent says so, and in conflict only when it says that', async () => {
    expect(await answering(undefined).read('policies', 'fleet', 1)).toBeUndefined()
    expect(await answering(undefined).standing('policies', 'fleet')).toBeUndefined()
    await expect(answering(null).read('policies', 'fleet', 1)).rejects.toEqual(notReady)
    await expect(answering('conflict').standing('policies', 'fleet')).rejects.toEqual(notReady)
    await expect(answering(7).revision('policies')).rejects.toEqual(notReady)
    expect(await answering('conflict').append('policies', draft(), 0)).toBe('conflict')
  })
})
