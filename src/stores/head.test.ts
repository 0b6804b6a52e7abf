import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alarmLog } from '../../test/stored-documents.ts'
import { fileMemory } from './head-memory.ts'
import { EMPTY, follows, type Head, type HeadEntry, openHead, sealHead, withEntry } from './head.ts'
import { openRecord, sealRecord } from './record.ts'

const keys = { stored: createSecretKey(randomBytes(32)) }
const ref = (digit: string): string => digit.repeat(64)
const place = { collection: 'policies', name: 'fleet' } as const
const entry: HeadEntry = { latest: 3, bytes: 30, versions: ref('a'), standing: { counter: 2, ref: ref('b'), revoked: [1, 3] } }
const other: HeadEntry = { latest: 1, bytes: 1, versions: ref('c') }
const seen = withEntry(withEntry(EMPTY.head, { collection: 'reference-values', name: '__proto__' }, other), place, entry)
const changed = (members: Partial<HeadEntry>): Head => withEntry(seen, place, { ...entry, ...members })

/** What is in a sealed head. */
function valueOf(head: Head): Uint8Array {
  const record = openRecord(keys, { purpose: 'operators-head', name: 'documents' }, sealHead(keys, head))
  if (record === 'forged') throw new Error('not sealed')
  return record.value
}

describe('a head', () => {
  it('opens to what was sealed, in its order and with every name', () => {
    const bytes = Uint8Array.from(sealHead(keys, seen))
    expect(openHead(keys, bytes)).toEqual({ bytes, head: seen })
    expect(openHead(keys, sealHead(keys, EMPTY.head))).toMatchObject({ head: EMPTY.head })
  })

  it('is forged when another key sealed it, and when its value is none', () => {
    expect(openHead({ stored: createSecretKey(randomBytes(32)) }, sealHead(keys, seen))).toBe('forged')
    const named = { purpose: 'operators-head', name: 'documents', counter: 1 } as const
    expect(openHead(keys, sealRecord(keys, { ...named, value: Buffer.from('{"policies":{}}') }))).toBe('forged')
  })

  it('of before there were keys in it has none', () => {
    const { policies, 'reference-values': sets } = JSON.parse(Buffer.from(valueOf(seen)).toString('utf8'))
    const named = { purpose: 'operators-head', name: 'documents', counter: seen.counter } as const
    const old = sealRecord(keys, { ...named, value: Buffer.from(JSON.stringify({ policies, 'reference-values': sets })) })
    expect(openHead(keys, old)).toMatchObject({ head: seen })
  })

  it.each<[string, Head]>([
    ['with a new version', changed({ latest: 4, versions: ref('d') })],
    ['with a new standing', changed({ standing: { counter: 3, ref: ref('d'), revoked: [1, 2, 3] } })],
    ['with many of both', changed({ latest: 9, versions: ref('d'), standing: { counter: 9, ref: ref('e'), revoked: [1, 3] } })],
    ['with another document', withEntry(seen, { collection: 'policies', name: 'new' }, other)],
    ['with keys', withEntry(seen, { collection: 'token-keys', name: 'public-keys' }, other)],
  ])('may be followed by one %s', (_, found) => {
    expect(follows(found, seen)).toBe(true)
    expect(follows(seen, found)).toBe(false)
  })

  it.each<[string, Head]>([
    ['that is the same but for its bytes', seen],
    ['with a lower counter', { ...changed({ latest: 4, versions: ref('d') }), counter: seen.counter - 1 }],
    ['that lacks a document', { ...seen, counter: 9, parts: { ...seen.parts, policies: { counter: 9, entries: new Map() } } }],
    [
      'that lacks a document of the other collection',
      { ...seen, counter: 9, parts: { ...seen.parts, 'reference-values': { counter: 9, entries: new Map() } } },
    ],
    ['whose collection went back', { ...seen, counter: 9, parts: { ...seen.parts, policies: { ...seen.parts.policies, counter: 0 } } }],
    ['with fewer versions', changed({ latest: 2, versions: ref('d') })],
    ['with as many versions, but others', changed({ versions: ref('d') })],
    ['with an earlier standing', changed({ standing: { counter: 1, ref: ref('b'), revoked: [1, 3] } })],
    ['with another standing under the same counter', changed({ standing: { counter: 2, ref: ref('d'), revoked: [1, 3] } })],
    ['that forgets a revocation', changed({ standing: { counter: 3, ref: ref('d'), revoked: [1, 2] } })],
    ['without a standing', withEntry(seen, place, { latest: 3, bytes: 30, versions: ref('a') })],
  ])('may not be followed by one %s', (_, found) => {
    expect(follows(found, seen)).toBe(false)
  })
})

const sealed = (head: Head) => ({ bytes: sealHead(keys, head), head })

describe('the memory of the highest head', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-head-'))
    path = join(folder, 'highest-head')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const open = () => fileMemory({ path, keys, log: alarmLog().log })

  it('outlives the process and only rises, however many raise it at once', async () => {
    const memory = await open()
    const heads = Array.from({ length: 20 }, (_, i) => sealed({ ...seen, counter: i + 1 }))
    await Promise.all(heads.toReversed().map((head) => memory.raise(head)))
    await memory.raise(sealed(EMPTY.head))
    expect(memory.highest()).toMatchObject({ head: { counter: 20 } })
    expect((await open()).highest()).toMatchObject({ head: { counter: 20 } })
  })

  it('that cannot be written says so, remembers all the same, and is written by the next', async () => {
    const memory = await open()
    await rm(folder, { recursive: true })
    await expect(memory.raise(sealed(seen))).rejects.toThrow(/ENOENT/)
    expect(memory.highest()).toMatchObject({ head: seen })
    await mkdir(folder)
    await memory.raise(sealed(EMPTY.head))
    expect((await open()).highest()).toMatchObject({ head: seen })
  })

  it('that somebody else changed trusts no head', async () => {
    await (await open()).raise(sealed(seen))
    const bytes = await readFile(path)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    await writeFile(path, bytes)
    const { log, alarms } = alarmLog()
    const memory = await fileMemory({ path, keys, log })
    await memory.raise(sealed({ ...seen, counter: 99 }))
    expect(memory.highest()).toBe('forged')
    expect(alarms()).toEqual(['operators-head-forged'])
  })
})
