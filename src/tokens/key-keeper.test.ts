import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditLine } from '../access/audit.ts'
import { memoryStores } from '../stores/memory.ts'
import { createLog } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { tokenKeyFiles } from './key-files.ts'
import { keepTokenKeys, rotationRequest, type KeeperParts, type KeptKeys } from './key-keeper.ts'
import { createKeyRing } from './key-ring.ts'
import { loadTokenKeys, temporaryTokenKey } from './keys.ts'
import { keyTimes } from './published-key.ts'
import { publishedKeysIn } from './published-keys.ts'

const MINUTE = 60_000
let folder = ''
let now = 0
let audit: AuditLine[] = []
const kept: KeptKeys[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keeper-'))
  now = Date.parse('2026-11-24T08:00:00Z')
  audit = []
})
afterEach(async () => {
  for (const { stop } of kept.splice(0)) stop()
  await rm(folder, { recursive: true })
})

const partsIn = (place: string, more: Partial<KeeperParts> = {}): KeeperParts => ({
  folder: place,
  files: tokenKeyFiles({ algorithms: ['ES256'], named: {}, folder: place, mode: 'production' }),
  published: publishedKeysIn(stores.documents),
  denied: new Set(),
  times: keyTimes(300, 900),
  now: () => new Date(now),
  log: createLog('silent'),
  audit: { append: async (line) => void audit.push(line), close: async () => {} },
  rotateMs: undefined,
  everyMs: 3_600_000,
  ...more,
})

let stores = memoryStores()
beforeEach(() => {
  stores = memoryStores()
})

async function keep(more: Partial<KeeperParts> = {}, place = folder) {
  const machine = await keepTokenKeys(partsIn(place, more))
  kept.push(machine)
  return machine.ring
}

/** Every machine looks, as each does every second. */
async function look(): Promise<void> {
  for (const machine of kept) await machine.look()
}

/** Time goes by, and everything that is to be done is done each minute. */
async function pass(minutes: number): Promise<void> {
  for (let left = minutes; left > 0; left -= 1) {
    now += Math.min(1, left) * MINUTE
    await look()
  }
}

/** What was there before is there no more but for its files. */
const end = () => kept.splice(0).forEach(({ stop }) => stop())

/** Whoever verifies a token has what the key set says now, or said some time ago. */
const kids = (ring: KeptKeys['ring']) => ring.shown().map(({ kid }) => kid)
const signer = (ring: KeptKeys['ring']) => ring.signing('ES256', new Date(now + 15 * MINUTE)).kid
const acts = () => audit.map(({ action, token_key: key }) => [action, key?.kid])

/** The key file as if it had been written so long ago. */
const written = (ago: number) => utimes(join(folder, 'token-key'), new Date(now - ago), new Date(now - ago))

async function ask(): Promise<void> {
  await writeFile(rotationRequest(folder), '')
  await look()
}

describe('the keys of a machine', () => {
  it('sign from their first day on, and say so in the audit log', async () => {
    const ring = await keep()
    expect(kids(ring)).toEqual([signer(ring)])
    expect(ring.problems()).toEqual([])
    expect(audit).toMatchObject([
      {
        action: 'token-key-published',
        outcome: 'changed',
        caller: 'service',
        token_key: { kid: signer(ring), alg: 'ES256', signs_from: '2026-11-24T08:00:00.000Z' },
      },
    ])
  })

  it('are replaced when somebody asks: shown first, then signing, then shown no more', async () => {
    const ring = await keep()
    const old = signer(ring)
    await ask()
    const [, fresh = ''] = kids(ring)
    expect([kids(ring), await readdir(folder)]).toEqual([[old, fresh], ['token-key']])
    await pass(9)
    expect(signer(ring)).toBe(old)
    await pass(1)
    expect(signer(ring)).toBe(fresh)
    expect(acts()).toContainEqual(['token-key-retiring', old])
    // The private half goes when every process has gone over, the public half when its last token has ended.
    await pass(9)
    expect(ring.filed()).toHaveLength(2)
    await pass(2)
    expect(ring.filed().map(({ kid }) => kid)).toEqual([fresh])
    expect(kids(ring)).toEqual([old, fresh])
    await pass(10)
    expect(kids(ring)).toEqual([fresh])
    await pass(10)
    expect(acts()).toEqual([
      ['token-key-published', old],
      ['token-key-published', fresh],
      ['token-key-retiring', old],
      ['token-key-removed', old],
    ])
  })

  it('have one successor at a time', async () => {
    const ring = await keep()
    await ask()
    await ask()
    expect(await readdir(folder)).toEqual(['token-key'])
    expect(ring.filed()).toHaveLength(2)
  })

  it('are replaced on schedule', async () => {
    const ring = await keep({ rotateMs: 60 * MINUTE })
    await written(59 * MINUTE)
    await look()
    expect(ring.filed()).toHaveLength(1)
    await written(60 * MINUTE)
    await look()
    expect(ring.filed()).toHaveLength(2)
    await written(60 * MINUTE)
    await look()
    expect(ring.filed()).toHaveLength(2)
  })

  it('are the same after a restart, also in the middle of a rotation', async () => {
    const ring = await keep()
    await ask()
    const before = kids(ring)
    end()
    const again = await keep()
    expect([kids(again), signer(again)]).toEqual([before, before[0]])
    await pass(10)
    expect(signer(again)).toBe(before[1])
  })

  it('sign at once after a long rest', async () => {
    const before = signer(await keep())
    end()
    now += 60 * MINUTE
    expect(signer(await keep())).toBe(before)
  })

  it('are another’s once it is lost: a new one waits until no cache lacks it', async () => {
    const lost = signer(await keep())
    end()
    await rm(join(folder, 'token-key'))
    const ring = await keep()
    expect(kids(ring)).toContain(lost)
    expect(() => signer(ring)).toThrow('the ES256 token key signs from 2026-11-24T08:10:00.000Z')
    expect(ring.problems()).toEqual([expect.stringContaining('signs from 2026-11-24T08:10:00.000Z')])
    await pass(10)
    expect(signer(ring)).not.toBe(lost)
  })

  it('count no more when the operator denies them', async () => {
    const stolen = signer(await keep())
    kept.splice(0).forEach(({ stop }) => stop())
    const denied = new Set([stolen])
    const none = await keep({ denied })
    expect(kids(none)).toEqual([])
    expect(() => signer(none)).toThrow('no ES256 token key is published now')
    end()
    await rm(join(folder, 'token-key'))
    const ring = await keep({ denied })
    expect(kids(ring)).toEqual([signer(ring)])
  })

  it('are not published where that cannot be recorded', async () => {
    let refuses = true
    const append = async (line: AuditLine) => {
      if (refuses) throw new AttestationError('audit-unavailable', 'the disk is full')
      audit.push(line)
    }
    const ring = await keep({ audit: { append, close: async () => {} } })
    expect(kids(ring)).toEqual([])
    expect(() => signer(ring)).toThrow('no ES256 token key is published now')
    refuses = false
    await look()
    expect(kids(ring)).toEqual([signer(ring)])
  })
})

/** The data folder of another replica. */
const other = () => mkdtemp(join(folder, 'replica-'))

describe('several replicas', () => {
  it('show each other’s keys; one that joins signs when every key set has its key', async () => {
    const a = await keep({}, await other())
    const b = await keep({}, await other())
    await look()
    expect(kids(a)).toEqual(kids(b))
    expect(kids(a)).toHaveLength(2)
    expect(signer(a)).toBe(kids(a)[0])
    expect(() => signer(b)).toThrow('signs from 2026-11-24T08:10:00.000Z')
    await pass(10)
    expect(signer(b)).toBe(kids(a)[1])
  })

  it('that have one key sign with it at once', async () => {
    const key = temporaryTokenKey('ES256')
    const path = join(folder, 'mounted.pem')
    await writeFile(path, String(key.privateKey.export({ format: 'pem', type: 'pkcs8' })), { mode: 0o600 })
    const files = tokenKeyFiles({ algorithms: ['ES256'], named: { ES256: path }, folder, mode: 'production' })
    const [a, b] = [await keep({ files }), await keep({ files })]
    expect([signer(a), signer(b)]).toEqual([key.kid, key.kid])
    await ask()
    expect(await readdir(folder)).toEqual(['mounted.pem'])
    // What somebody put there is theirs to change.
    expect(await loadTokenKeys({ alg: 'ES256', path, mode: 'production', absent: 'refuse' })).toHaveLength(1)
  })

  it('publish all when all begin at once', async () => {
    const places = await Promise.all(Array.from({ length: 8 }, other))
    const rings = await Promise.all(places.map((place) => keep({}, place)))
    await look()
    for (const ring of rings) expect(kids(ring)).toHaveLength(8)
  })
})

const pem = () => String(temporaryTokenKey('ES256').privateKey.export({ format: 'pem', type: 'pkcs8' }))

/** A machine with a key that somebody mounted, which signs. */
async function mounted() {
  const path = join(folder, 'mounted.pem')
  await writeFile(path, pem(), { mode: 0o600 })
  const files = tokenKeyFiles({ algorithms: ['ES256'], named: { ES256: path }, folder, mode: 'production' })
  const ring = await keep({ files })
  return { path, ring, old: signer(ring) }
}

describe('a key that is mounted', () => {
  it('is read again when it changes, and the one before signs until every key set has the new one', async () => {
    const { path, ring, old } = await mounted()
    await writeFile(path, pem())
    await look()
    expect([kids(ring).length, signer(ring)]).toEqual([2, old])
    await pass(10)
    expect(signer(ring)).toBe(kids(ring)[1])
    await look()
    expect(ring.held()).toHaveLength(1)
  })

  it('stays in use when what takes its place cannot be used', async () => {
    const { path, ring, old } = await mounted()
    await writeFile(path, pem())
    await chmod(path, 0o644)
    await pass(10)
    expect(signer(ring)).toBe(old)
  })
})

describe('a ring', () => {
  it('has the keys of another process’s files, and goes on without the store while what it knows lasts', async () => {
    await keep()
    let gone = false
    const published = publishedKeysIn(stores.documents)
    const revision = async () => {
      if (gone) throw new Error('the store is away')
      return published.revision()
    }
    const ring = await createKeyRing(partsIn(folder, { published: { ...published, revision } }))
    expect(ring.problems()).toEqual(['no ES256 token key is published now'])
    await ring.look()
    expect([ring.problems(), ring.areCurrent()]).toEqual([[], true])
    gone = true
    now += 5 * MINUTE
    await ring.look()
    expect([kids(ring), ring.areCurrent()]).toEqual([[signer(ring)], false])
    now += MINUTE + 1
    expect(() => signer(ring)).toThrow('no ES256 token key is published now')
  })

  it('believes nothing of a store that was put back', async () => {
    await keep()
    const published = publishedKeysIn(stores.documents)
    let believed = true
    const ring = await createKeyRing(
      partsIn(folder, { published: { ...published, revision: async () => (believed ? published.revision() : undefined) } }),
    )
    await ring.look()
    expect(kids(ring)).toHaveLength(1)
    believed = false
    await ring.look()
    expect(kids(ring)).toEqual([])
    expect(() => signer(ring)).toThrow('no ES256 token key is published now')
  })
})
