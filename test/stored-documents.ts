import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { processMemory } from '../src/stores/head-memory.ts'
import { openHead, type Ref } from '../src/stores/head.ts'
import { createDocumentStore } from '../src/stores/ledger.ts'
import { memoryShelf } from '../src/stores/shelf.ts'
import type { Collection, DocumentStore, DocumentVersion, Standing } from '../src/stores/stores.ts'

/** A version before it has a number. */
export type Draft = Omit<DocumentVersion, 'version'>

export const draft = (members: Partial<Draft> = {}): Draft => {
  const text = members.text ?? 'name: fleet\n'
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { name: 'fleet', author: 'alice', created: new Date('2026-01-01T00:00:00Z'), text, sha256, ...members }
}

export const move = (members: Partial<Standing> = {}): Omit<Standing, 'counter'> => ({
  name: 'fleet',
  value: { active: 1 },
  by: 'bob',
  at: new Date('2026-01-02T00:00:00Z'),
  ...members,
})

/** A log whose lines can be asked for alarms. */
export function alarmLog() {
  const lines: { alarm?: string }[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line) as { alarm?: string }) })
  return { log, alarms: (): string[] => lines.flatMap(({ alarm }) => (alarm === undefined ? [] : [alarm])) }
}

/** Documents in memory, of which somebody else may remove the record of a standing. */
export function losingDocuments() {
  const keys = { stored: createSecretKey(randomBytes(32)) }
  const shelf = memoryShelf()
  const lost = new Set<Ref>()
  const get = async (ref: Ref) => (lost.has(ref) ? undefined : shelf.get(ref))
  const store = createDocumentStore({ shelf: { ...shelf, get }, memory: processMemory(), keys, log: alarmLog().log })
  const loseStanding = async (collection: Collection, name: string): Promise<void> => {
    const seen = openHead(keys, (await shelf.head()) ?? new Uint8Array())
    const standing = seen === 'forged' ? undefined : seen.head.parts[collection].entries.get(name)?.standing
    if (standing === undefined) throw new Error('there is no standing to lose')
    lost.add(standing.ref)
  }
  return { store, loseStanding }
}

const withoutText = ({ text: _text, ...entry }: DocumentVersion) => entry

/** What every store of operators' documents does. `open` gives an empty one. */
export function keepsDocuments(open: () => Promise<DocumentStore>): void {
  it('gives back every version as it was written, and lists them', async () => {
    const store = await open()
    const first = await store.append('policies', draft(), 0)
    const second = await store.append('policies', draft({ text: 'name: fleet # ü\r\n', author: 'eve' }), 1)
    expect(first).toEqual({ ...draft(), version: 1 })
    expect(second).toEqual({ ...draft({ text: 'name: fleet # ü\r\n', author: 'eve' }), version: 2 })
    expect(await store.read('policies', 'fleet', 1)).toEqual(first)
    expect(await store.read('policies', 'fleet', 2)).toEqual(second)
    expect(await store.versions('policies', 'fleet')).toEqual([first, second].map((v) => withoutText(v as DocumentVersion)))
  })

  it('has nothing under other names, numbers and in the other collection', async () => {
    const store = await open()
    await store.append('policies', draft(), 0)
    expect(await store.read('policies', 'fleet', 2)).toBeUndefined()
    expect(await store.read('policies', 'fleet', 0)).toBeUndefined()
    expect(await store.read('policies', '__proto__', 1)).toBeUndefined()
    expect(await store.read('reference-values', 'fleet', 1)).toBeUndefined()
    expect(await store.versions('reference-values', 'fleet')).toEqual([])
    expect(await store.standing('policies', 'fleet')).toBeUndefined()
    expect(await store.names('reference-values')).toEqual([])
  })

  it('names what it holds in alphabetical order', async () => {
    const store = await open()
    for (const name of ['zeta', 'Alpha', 'beta-1.2_3']) await store.append('reference-values', draft({ name }), 0)
    expect(await store.names('reference-values')).toEqual(['Alpha', 'beta-1.2_3', 'zeta'])
  })

  it('appends only behind the latest version', async () => {
    const store = await open()
    expect(await store.append('policies', draft(), 1)).toBe('conflict')
    await store.append('policies', draft(), 0)
    expect(await store.append('policies', draft({ text: 'other' }), 0)).toBe('conflict')
    expect(await store.append('policies', draft({ text: 'other' }), 2)).toBe('conflict')
    expect(await store.versions('policies', 'fleet')).toHaveLength(1)
  })

  it('replaces a standing only by the next one', async () => {
    const store = await open()
    expect(await store.advance('policies', move(), 0)).toBe('conflict')
    await store.append('policies', draft(), 0)
    expect(await store.advance('policies', move(), 1)).toBe('conflict')
    expect(await store.advance('policies', move(), 0)).toEqual({ ...move(), counter: 1 })
    expect(await store.advance('policies', move({ value: 2 }), 0)).toBe('conflict')
    expect(await store.advance('policies', move({ value: { active: 2, shadow: null }, by: 'eve' }), 1)).toEqual({
      ...move({ value: { active: 2, shadow: null }, by: 'eve' }),
      counter: 2,
    })
    expect(await store.standing('policies', 'fleet')).toMatchObject({ counter: 2, by: 'eve', value: { active: 2, shadow: null } })
    expect(await store.versions('policies', 'fleet')).toHaveLength(1)
  })

  it('keeps the standing when a version is added', async () => {
    const store = await open()
    await store.append('policies', draft(), 0)
    await store.advance('policies', move(), 0)
    await store.append('policies', draft({ text: 'second' }), 1)
    expect(await store.standing('policies', 'fleet')).toEqual({ ...move(), counter: 1 })
  })

  it('never forgets what was revoked, whatever later standings say', async () => {
    const store = await open()
    for (const latest of [0, 1, 2]) await store.append('policies', draft({ text: `text ${latest}` }), latest)
    expect(await store.revoked('policies', 'fleet')).toEqual([])
    await store.advance('policies', { ...move(), revoked: [3] }, 0)
    await store.advance('policies', { ...move(), revoked: [1, 3] }, 1)
    await store.advance('policies', move(), 2)
    await store.append('policies', draft({ text: 'text 3' }), 3)
    expect(await store.revoked('policies', 'fleet')).toEqual([1, 3])
    expect(await store.revoked('reference-values', 'fleet')).toEqual([])
    await expect(store.advance('policies', { ...move(), revoked: [5] }, 3)).rejects.toThrow(/a version that is not there is revoked/)
  })

  it('tells by its revision what changed, and where', async () => {
    const store = await open()
    const told: (string | undefined)[] = []
    const tell = async () => void told.push(await store.revision('policies'))
    const others = await store.revision('reference-values')
    await tell()
    await store.append('policies', draft(), 0)
    await tell()
    await store.advance('policies', move(), 0)
    await tell()
    expect(new Set(told).size).toBe(3)
    expect(await store.append('policies', draft(), 0)).toBe('conflict')
    expect(await store.revision('policies')).toBe(told.at(-1))
    expect(await store.revision('reference-values')).toBe(others)
  })

  it('lets exactly one of many win each version and each standing, and loses none of other names', async () => {
    const store = await open()
    const texts = Array.from({ length: 8 }, (_, i) => `text ${i}`)
    const appended = await Promise.all(texts.map((text) => store.append('policies', draft({ text }), 0)))
    const won = appended.filter((each) => each !== 'conflict')
    expect(won).toHaveLength(1)
    expect(await store.read('policies', 'fleet', 1)).toEqual(won[0])
    const moved = await Promise.all(texts.map((value) => store.advance('policies', move({ value }), 0)))
    const advanced = moved.filter((each) => each !== 'conflict')
    expect(advanced).toHaveLength(1)
    expect(await store.standing('policies', 'fleet')).toEqual(advanced[0])
    const named = await Promise.all(['a', 'b', 'c', 'd'].map((name) => store.append('reference-values', draft({ name }), 0)))
    expect(named).not.toContain('conflict')
    expect(await store.names('reference-values')).toEqual(['a', 'b', 'c', 'd'])
  })

  it('takes a document of 1 MiB and none that is larger', async () => {
    const store = await open()
    const text = 'ü'.repeat(512 * 1024)
    await store.append('policies', draft({ text }), 0)
    expect((await store.read('policies', 'fleet', 1))?.text === text).toBe(true)
    await expect(store.append('policies', draft({ text: `${text}x` }), 1)).rejects.toMatchObject({ code: 'request-too-large' })
    expect(await store.versions('policies', 'fleet')).toHaveLength(1)
  })
}
