import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Audience } from '../access/audiences.ts'
import { loadConfig } from '../config.ts'
import { fixedPolicies } from '../config/policies.ts'
import { memoryStores } from '../stores/memory.ts'
import type { DocumentStore } from '../stores/stores.ts'
import { createLog } from '../telemetry/log.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { createPolicies } from './create.ts'
import type { PoliciesDeps } from './deps.ts'
import type { Policies } from './policies.ts'
import { floorOf } from './reading.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const MEASUREMENT = 'ab'.repeat(48)
const text = (name: string, more = '') => `name: ${name}\nsnp: {measurements: ['${MEASUREMENT}']}\n${more}`
const audience = (policies: readonly string[]): Audience => ({
  name: 'a',
  policies,
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce: 'refuse',
})
const nothing = async () => {}

let folder: string
let store: DocumentStore
let policies: Policies | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-policies-'))
  store = memoryStores().documents
})
afterEach(() => {
  policies?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function start(deps: Partial<PoliciesDeps> = {}): Promise<Policies> {
  const { config } = loadConfig({ environment: { ASSAY_POLICY_DIR: folder }, readText: () => '' })
  policies = await createPolicies({
    readFixed: () => fixedPolicies(config),
    folder,
    recordFiles: nothing,
    store,
    audiences: [audience(['strict'])],
    floor: floorOf([]),
    separateAuthorAndActivator: false,
    now: () => NOW,
    log: createLog('silent'),
    ...deps,
  })
  return policies
}

const put = (on: Policies, name: string, body = text(name)) => on.put({ name, text: body, by: 'ann', precondition: 'absent' }, nothing)
const activate = (on: Policies, name: string, by = 'ben') => on.activate({ name, version: 1, as: 'active', by }, nothing)
const write = (name: string, body: string) => writeFileSync(join(folder, name), body)
const unwritable = new AttestationError('audit-unavailable', 'the audit log cannot be written')
const refusedWith = (code: string) => expect.objectContaining({ code })
/** Two looks and some. */
const SOON = { timeout: 6000 }

describe('the policy folder', () => {
  it('is followed: what comes, changes and goes', async () => {
    write('eu.yaml', text('eu'))
    const made = await start()
    const before = made.snapshot()
    const first = before.get('eu')?.reference.sha256
    write('eu.yaml', text('eu', 'explain: full\n'))
    write('us.yaml', text('us'))
    await expect.poll(() => made.snapshot().get('us'), SOON).toBeDefined()
    expect(made.snapshot().get('eu')?.document.explain).toBe('full')
    // Whoever took a snapshot keeps it.
    expect([before.get('eu')?.reference.sha256, before.get('us')]).toEqual([first, undefined])
    rmSync(join(folder, 'eu.yaml'))
    await expect.poll(() => made.snapshot().get('eu'), SOON).toBeUndefined()
    expect(made.alarms()).toEqual([])
  })

  it.each<[string, () => void]>([
    ['a file cannot be read', () => write('us.yaml', 'name: us\nx: 1\n')],
    ['a file is below the floor', () => write('us.yaml', text('us', '').replace('}', ', guest_policy: {debug: DANGEROUSLY_ALLOW}}'))],
    ['two files have one name', () => write('us.yaml', text('eu'))],
    ['a preset is named', () => write('us.yaml', text('strict'))],
    ['an audience would lose its policy', () => rmSync(join(folder, 'eu.yaml'))],
    ['an audience would be weakened', () => write('eu.yaml', text('eu', 'issue_on: warning\n'))],
    ['the folder goes away', () => rmSync(folder, { recursive: true })],
  ])('stays as it was, with an alarm, when %s', async (_, harm) => {
    write('eu.yaml', text('eu'))
    const made = await start({ audiences: [audience(['eu', 'strict'])] })
    const before = made.snapshot().get('eu')
    harm()
    await expect.poll(() => made.alarms(), SOON).toEqual([expect.stringContaining('policy folder')])
    expect([made.snapshot().get('eu'), made.snapshot().get('us'), made.problems()]).toEqual([before, undefined, []])
  })

  it('is taken again when it is mended', async () => {
    write('eu.yaml', text('eu'))
    const made = await start()
    write('us.yaml', 'name: us\nx: 1\n')
    await expect.poll(() => made.alarms(), SOON).toHaveLength(1)
    write('new', text('us'))
    renameSync(join(folder, 'new'), join(folder, 'us.yaml'))
    await expect.poll(() => made.snapshot().get('us'), SOON).toBeDefined()
    expect(made.alarms()).toEqual([])
  })

  it('counts at the start once it is recorded', async () => {
    write('eu.yaml', text('eu'))
    const recordFiles = vi.fn(nothing)
    const made = await start({ recordFiles })
    const sha256 = made.snapshot().get('eu')?.reference.sha256
    expect(recordFiles.mock.calls).toEqual([[[{ name: 'eu', version: 1, sha256 }]]])
    await expect(start({ recordFiles: () => Promise.reject(unwritable) })).rejects.toBe(unwritable)
  })

  it('stays as it was, with an alarm, while its change cannot be recorded, and counts when it can', async () => {
    write('eu.yaml', text('eu'))
    let refused = 0
    let isBroken = false
    const recordFiles = async () => {
      if (isBroken) throw (refused++, unwritable)
    }
    const made = await start({ recordFiles })
    isBroken = true
    write('us.yaml', text('us'))
    await expect.poll(() => refused, SOON).toBeGreaterThan(1)
    expect(made.snapshot().get('us')).toBeUndefined()
    expect(made.alarms()).toEqual(['the policy folder changed, which cannot be written to the audit log; what was there before counts'])
    isBroken = false
    await expect.poll(() => made.snapshot().get('us'), SOON).toBeDefined()
    expect(made.alarms()).toEqual([])
  }, 15_000)

  it('has nothing recorded that does not come to count', async () => {
    write('eu.yaml', text('eu'))
    const recordFiles = vi.fn(nothing)
    const made = await start({ recordFiles, audiences: [audience(['eu', 'strict'])] })
    rmSync(join(folder, 'eu.yaml'))
    await expect.poll(() => made.alarms(), SOON).toHaveLength(1)
    expect(recordFiles).toHaveBeenCalledTimes(1)
  })

  it('is not read while it moves', async () => {
    write('eu.yaml', text('eu'))
    let reads = 0
    const { config } = loadConfig({ environment: { ASSAY_POLICY_DIR: folder }, readText: () => '' })
    const made = await start({ readFixed: () => (reads++, fixedPolicies(config)) })
    write('us.yaml', text('us'))
    let second = 0
    const moving = setInterval(() => utimesSync(join(folder, 'us.yaml'), ++second, second), 100)
    await new Promise((resolve) => setTimeout(resolve, 3500))
    expect(reads).toBe(1)
    clearInterval(moving)
    await expect.poll(() => made.snapshot().get('us'), SOON).toBeDefined()
  }, 15_000)
})

const forged = async () => undefined
const silent = () => Promise.reject(new AttestationError('not-ready', 'the shared store does not answer'))

describe('a store that is not to be believed', () => {
  it('keeps no service from starting, which decides nothing until the store can be believed', async () => {
    await put(await start(), 'eu')
    policies?.stop()
    let revision: () => Promise<string | undefined> = forged
    const made = await start({ store: { ...store, revision: () => revision() } })
    expect(() => made.snapshot()).toThrow(refusedWith('not-ready'))
    expect(made.problems()).toEqual(['the policies cannot be confirmed'])
    await expect(made.list()).rejects.toEqual(refusedWith('not-ready'))
    // Another failure does not make what was never read known.
    revision = () => Promise.reject(new Error('the disk is gone'))
    await expect(made.list()).rejects.toThrow('the disk is gone')
    expect(() => made.snapshot()).toThrow(refusedWith('not-ready'))
    revision = () => store.revision('policies')
    expect((await made.list()).map(({ name }) => name)).toContain('eu')
    expect(made.snapshot().get('strict')).toBeDefined()
  })

  it('does not start on any other failure', async () => {
    await expect(start({ store: { ...store, revision: () => Promise.reject(new Error('newer')) } })).rejects.toThrow('newer')
  })
})

/** Somebody else's decision. */
const faster = async () =>
  void (await store.advance('policies', { name: 'eu', value: { active: null, shadow: null, revoked: [] }, by: 'x', at: NOW }, 0))

describe('what moved while it was read', () => {
  it('of the folder is not taken', async () => {
    write('eu.yaml', text('eu'))
    const { config } = loadConfig({ environment: { ASSAY_POLICY_DIR: folder }, readText: () => '' })
    let reads = 0
    const readFixed = () => {
      const fixed = fixedPolicies(config)
      // The second reading finds a file that is gone when it has ended.
      if (++reads === 2) rmSync(join(folder, 'us.yaml'))
      return fixed
    }
    const made = await start({ readFixed })
    const seen = new Set<boolean>()
    const watching = setInterval(() => seen.add(made.snapshot().get('us') === undefined), 20)
    write('us.yaml', text('us'))
    await expect.poll(() => reads, SOON).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    clearInterval(watching)
    expect([...seen]).toEqual([true])
  }, 15_000)

  it('of the store is read once more for whoever wrote it', async () => {
    const held = Promise.withResolvers<void>()
    let holding = false
    const revision: DocumentStore['revision'] = async (collection) => {
      const found = await store.revision(collection)
      if (holding) await held.promise
      return found
    }
    const made = await start({ store: { ...store, revision } })
    holding = true
    // This one has asked before anything is written, and hears the answer late.
    const early = made.list()
    await Promise.resolve()
    const written = put(made, 'eu')
    setTimeout(() => {
      holding = false
      held.resolve()
    }, 50)
    expect((await written).view).toMatchObject({ name: 'eu', latest: { version: 1 } })
    await early
  })
})

describe('the store', () => {
  it('gives way to a file of the same name', async () => {
    const other = await start()
    await put(other, 'eu')
    await activate(other, 'eu')
    other.stop()
    write('eu.yaml', text('eu', 'explain: full\n'))
    const made = await start()
    expect([made.snapshot().get('eu')?.document.explain, made.alarms()]).toEqual(['full', ['a stored policy counts for nothing']])
    await expect(made.activate({ name: 'eu', version: 1, as: 'active', by: 'ben' }, nothing)).rejects.toEqual(
      refusedWith('policy-managed-by-files'),
    )
  })

  it.each<[string, Partial<PoliciesDeps>]>([
    ['a floor that was raised', { floor: () => [{ path: 'x', message: 'below' }] }],
    ['an audience that it would weaken', { audiences: [audience(['eu', 'strict'])] }],
  ])('counts for nothing against %s', async (_, later) => {
    const first = await start()
    await put(first, 'eu', text('eu', 'issue_on: warning\n'))
    await activate(first, 'eu')
    expect(first.snapshot().get('eu')).toBeDefined()
    first.stop()
    const second = await start(later)
    expect([second.snapshot().get('eu'), second.alarms()[0]]).toEqual([undefined, 'a stored policy counts for nothing'])
  })

  it.each<[string, Partial<DocumentStore>]>([
    ['a version that is no longer there', { read: async () => undefined }],
    [
      'a standing that nobody of ours wrote',
      { standing: async (_, name) => ({ name, counter: 7, value: { active: 'x' }, by: 'x', at: NOW }) },
    ],
  ])('counts for nothing with %s', async (_, broken) => {
    const first = await start()
    await put(first, 'eu')
    await activate(first, 'eu')
    first.stop()
    const second = await start({ store: { ...store, ...broken } })
    expect([second.snapshot().get('eu'), second.alarms()]).toEqual([undefined, ['a stored policy counts for nothing']])
  })

  it('is believed for half a minute after it last answered', async () => {
    let now = 0
    let down = false
    const revision: DocumentStore['revision'] = (collection) => (down ? silent() : store.revision(collection))
    const made = await start({ clock: () => now, store: { ...store, revision } })
    down = true
    now = 30_000
    await expect(made.list()).rejects.toEqual(refusedWith('not-ready'))
    expect(made.snapshot().get('strict')).toBeDefined()
    now = 30_001
    expect(() => made.snapshot()).toThrow(refusedWith('not-ready'))
    expect(made.problems()).toEqual(['the policies cannot be confirmed'])
    down = false
    await expect.poll(() => made.problems(), SOON).toEqual([])
    expect(made.snapshot().get('strict')).toBeDefined()
  })

  it('is not believed at all when it shows an older head', async () => {
    let revision: () => Promise<string | undefined> = () => store.revision('policies')
    const made = await start({ store: { ...store, revision: () => revision() } })
    revision = forged
    await expect.poll(() => made.problems(), SOON).toHaveLength(1)
    expect(() => made.snapshot()).toThrow(refusedWith('not-ready'))
    // Nor while it gives no answer after that.
    revision = silent
    await expect(made.list()).rejects.toEqual(refusedWith('not-ready'))
    expect(() => made.snapshot()).toThrow(refusedWith('not-ready'))
    revision = () => store.revision('policies')
    await made.list()
    expect(made.snapshot().get('strict')).toBeDefined()
  })

  it('keeps out of force what nobody recorded, and what lost a race', async () => {
    const made = await start()
    await put(made, 'eu')
    await expect(
      made.activate({ name: 'eu', version: 1, as: 'active', by: 'ben' }, () => Promise.reject(new Error('no line'))),
    ).rejects.toThrow('no line')
    expect(made.snapshot().get('eu')).toBeUndefined()
    await expect(made.activate({ name: 'eu', version: 1, as: 'active', by: 'ben' }, faster)).rejects.toEqual(refusedWith('policy-conflict'))
    expect(made.snapshot().get('eu')).toBeUndefined()
  })

  it('asks for a second person where the operator does', async () => {
    const made = await start({ separateAuthorAndActivator: true })
    await put(made, 'eu')
    await expect(activate(made, 'eu', 'ann')).rejects.toEqual(refusedWith('activator-is-author'))
    expect((await activate(made, 'eu', 'ben')).active?.version).toBe(1)
  })

  it('is read anew only when it changed, and each version once', async () => {
    const read = vi.spyOn(store, 'read')
    const made = await start()
    await put(made, 'eu')
    await activate(made, 'eu')
    const before = read.mock.calls.length
    for (let i = 0; i < 5; i++) await made.list()
    expect(read.mock.calls.length).toBe(before)
    await put(made, 'us')
    expect(read.mock.calls.slice(before).filter(([, name]) => name === 'eu')).toEqual([])
  })

  it('is forgotten when it counts for nothing, and read again when it does', async () => {
    const made = await start()
    const { view } = await put(made, 'eu')
    await activate(made, 'eu')
    await made.put({ name: 'eu', text: text('eu', 'explain: full\n'), by: 'ann', precondition: { ifMatch: view.etag } }, nothing)
    const read = vi.spyOn(store, 'read')
    const reads = () => read.mock.calls.filter(([, , version]) => version === 1).length
    await made.activate({ name: 'eu', version: 2, as: 'active', by: 'ben' }, nothing)
    expect([made.snapshot().get('eu')?.document.explain, reads()]).toEqual(['full', 0])
    await activate(made, 'eu')
    // Once to be decided on, and once to judge.
    expect([made.snapshot().get('eu')?.document.explain, reads()]).toEqual(['minimal', 2])
  })
})

describe('an audience whose policy is not there yet', () => {
  it('raises an alarm until it is', async () => {
    const made = await start({ audiences: [audience(['eu'])] })
    expect(made.alarms()).toEqual(['a policy that an audience may use is not there'])
    await put(made, 'eu')
    expect(made.alarms()).toHaveLength(1)
    await activate(made, 'eu')
    expect(made.alarms()).toEqual([])
  })
})
