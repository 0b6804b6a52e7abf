import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { collateralLab, paying, standingFor, type CollateralLab } from '../../test/collateral-lab.ts'
import { memoryStores } from '../stores/memory.ts'
import type { CollateralStore } from '../stores/stores.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { CollateralDeps } from './deps.ts'
import type { Fetched, Vendor } from './source.ts'

const [VCEK, VLEK]: [CollateralAddress, CollateralAddress] = ['amd/crl/Milan/vcek', 'amd/crl/Milan/vlek']
const DAY = 86_400_000

let lab: CollateralLab
beforeAll(async () => {
  lab = await collateralLab()
})
afterEach(() => {
  lab.kds.behave('ok')
  lab.clock.now = lab.now
  vi.useRealTimers()
})
afterAll(() => lab.close())

const crl = (change: Partial<Parameters<CollateralLab['amd']['crl']>[0]> = {}): Uint8Array => lab.amd.crl({ product: 'Milan', ...change })
const START = new Date('2026-11-23T12:00:00Z').getTime()
const days = (n: number): Date => new Date(START + n * DAY)
const mark = { number: 1n, thisUpdate: new Date(START - 3_600_000) }

/** A vendor that answers every list alike, with what it is given at the moment. */
function listVendor(first: Fetched) {
  const state = { answer: first, asked: 0 }
  const vendor: Vendor = {
    fetch: async () => {
      state.asked += 1
      return state.answer
    },
  }
  return { state, vendor }
}

/** A service over one answer for both endpoints, started. */
async function started(first: Fetched, options: Partial<CollateralDeps> = {}) {
  const { state, vendor } = listVendor(first)
  const service = lab.service({ vendor, ...options })
  await service.start()
  return { service, state, lists: async () => (await service.obtain(paying(VCEK, VLEK))).collateral }
}
const found = (bytes: Uint8Array): Fetched => ({ outcome: 'found', bytes })
const unavailable: Fetched = { outcome: 'unavailable', reason: 'down', retryAfter: 120 }

describe('revocation lists', () => {
  it('are fetched at the start, kept with their marks, and cost no request a fetch', async () => {
    const service = lab.service()
    await service.start()
    const before = lab.kds.requests.length
    const { collateral, retryAfter } = await service.obtain(paying(VCEK, VLEK))
    expect([...collateral.documents.keys()]).toEqual([VCEK, VLEK])
    expect(collateral.marks).toEqual(
      new Map([
        [VCEK, mark],
        [VLEK, mark],
      ]),
    )
    expect(retryAfter).toBeUndefined()
    expect(lab.kds.requests.length).toBe(before)
    expect(await service.problems()).toEqual([])
    expect((await service.store.get(VCEK))?.bytes).toEqual(collateral.documents.get(VCEK))
    expect(await service.store.mark(VLEK)).toEqual(mark)
  })

  it('of a restarted service come from the store, while the vendor is down', async () => {
    const { service } = await started(found(crl()))
    const again = await started(unavailable, { store: service.store })
    expect((await again.lists()).documents.size).toBe(2)
    expect(again.state.asked).toBe(0)
    expect(await again.service.problems()).toEqual([])
  })

  it('are fetched anew once half of their validity is over', async () => {
    const { service } = await started(found(crl()))
    lab.clock.now = days(15)
    const next = crl({ number: 2n, thisUpdate: days(14), nextUpdate: days(44) })
    const again = await started(found(next), { store: service.store })
    expect((await again.lists()).documents.get(VCEK)).toEqual(next)
    expect(await service.store.mark(VCEK)).toEqual({ number: 2n, thisUpdate: days(14) })
  })

  it('that cannot be fetched are missing, with the time of the next try, and say so', async () => {
    const { service } = await started(unavailable)
    const { collateral, retryAfter } = await service.obtain(paying(VCEK, VLEK))
    expect(collateral.missing).toEqual(
      new Map([
        [VCEK, 'unavailable'],
        [VLEK, 'unavailable'],
      ]),
    )
    expect(collateral.marks.size).toBe(0)
    expect(retryAfter).toBe(120)
    expect(await service.problems()).toEqual([`${VCEK}: no valid document (down)`, `${VLEK}: no valid document (down)`])
  })

  it('that are only wanted do not keep the service from being ready', async () => {
    const { service } = await started({ outcome: 'not-found' }, { standing: standingFor([VCEK, VLEK], { needed: 'wanted' }) })
    expect(await service.problems()).toEqual([])
  })

  it('keep the service from being ready as soon as they are needed, and for as long', async () => {
    const wanted = standingFor([VCEK, VLEK], { needed: 'wanted' })
    const standing = { now: wanted }
    const { service } = await started(found(crl()), { standing: () => standing.now() })
    lab.clock.now = days(30.5)
    expect(await service.problems()).toEqual([])
    standing.now = standingFor([VCEK])
    expect(await service.problems()).toEqual([expect.stringContaining(`${VCEK}: the document expired`)])
    standing.now = standingFor([VCEK, VLEK], { graceSeconds: 86_400 })
    expect(await service.problems()).toEqual([])
    standing.now = wanted
    lab.clock.now = days(31)
    expect(await service.problems()).toEqual([])
    standing.now = standingFor(['amd/crl/Turin/vcek'])
    expect(await service.problems()).toEqual(['amd/crl/Turin/vcek: not kept since the start'])
  })

  it('that have ended are handed out to be judged, and make the service unready after the longest grace', async () => {
    const { service, lists } = await started(found(crl()), { standing: standingFor([VCEK, VLEK], { graceSeconds: 86_400 }) })
    lab.clock.now = days(30.5)
    expect((await lists()).documents.size).toBe(2)
    expect(await service.problems()).toEqual([])
    lab.clock.now = days(31)
    expect(await service.problems()).toHaveLength(2)
  })

  it.each([
    ['garbage', () => Buffer.from('<html>')],
    ['signed by somebody else', () => crl({ overrides: { signWith: lab.amd.authority('Milan', 'ask') } })],
    ['expired', () => crl({ thisUpdate: days(-40), nextUpdate: days(-10) })],
  ])('that did not prove genuine (%s) are never kept, but handed out so that their fault is named', async (_, make) => {
    const bytes = new Uint8Array(make())
    const { service, lists } = await started(found(bytes))
    expect((await lists()).documents.get(VCEK)).toEqual(bytes)
    expect(await service.store.list()).toEqual([])
    expect(await service.store.mark(VCEK)).toBeUndefined()
    expect((await service.problems()).join()).toMatch(/a fetched document was refused: snp-crl/)
  })
})

const newer = () => crl({ number: 5n, thisUpdate: days(-0.5) })

describe('rollback', () => {
  it.each([
    ['a lower number', () => crl({ number: 4n, thisUpdate: days(-0.25) })],
    ['an earlier date', () => crl({ number: 6n, thisUpdate: days(-1) })],
  ])('by %s: the older list is not kept, and the newer one stays in use', async (_, older) => {
    const { service } = await started(found(newer()))
    const kept = (await service.store.get(VCEK))?.bytes
    lab.clock.now = days(20)
    const again = await started(found(older()), { store: service.store })
    expect(again.state.asked).toBe(2)
    expect((await again.lists()).documents.get(VCEK)).toEqual(kept)
    expect((await service.store.get(VCEK))?.bytes).toEqual(kept)
    expect(await service.store.mark(VCEK)).toEqual({ number: 5n, thisUpdate: days(-0.5) })
  })

  it('with the newer list lost: the mark is handed out beside the older list, which is not kept', async () => {
    const { collateral: store } = memoryStores()
    await store.advanceMark(VCEK, { number: 5n, thisUpdate: mark.thisUpdate })
    const { lists, service } = await started(found(crl()), { store })
    const collateral = await lists()
    expect(collateral.marks.get(VCEK)).toEqual({ number: 5n, thisUpdate: mark.thisUpdate })
    expect(await store.get(VCEK)).toBeUndefined()
    expect((await service.problems()).join()).toContain('older than one that was seen before')
    expect(await store.get(VLEK)).toBeDefined()
  })

  it('by a store that gives an older list back', async () => {
    const { service } = await started(found(newer()))
    await service.store.put({ address: VCEK, bytes: crl(), fetchedAt: days(0.1), expiresAt: days(30) })
    const again = await started(unavailable, { store: service.store })
    expect((await again.lists()).documents.has(VCEK)).toBe(false)
    expect((await again.lists()).marks.get(VCEK)).toEqual({ number: 5n, thisUpdate: days(-0.5) })
  })

  it('cannot be ruled out when the mark cannot be believed: nothing is taken', async () => {
    const store = { ...memoryStores().collateral, mark: async () => 'strictest' as const }
    const { lists, service } = await started(found(crl()), { store, standing: standingFor([VCEK, VLEK], { needed: 'wanted' }) })
    expect((await lists()).marks).toEqual(
      new Map([
        [VCEK, 'strictest'],
        [VLEK, 'strictest'],
      ]),
    )
    expect(await store.get(VCEK)).toBeUndefined()
    expect(await service.problems()).toHaveLength(2)
  })

  it('cannot be ruled out while the store has never answered, nor before the start', async () => {
    const store = { ...memoryStores().collateral, mark: () => Promise.reject(new Error('down')) }
    const { lists } = await started(unavailable, { store })
    expect((await lists()).marks.get(VCEK)).toBe('strictest')
    expect((await lab.service().obtain(paying(VCEK))).collateral.marks.get(VCEK)).toBe('strictest')
  })

  it('of the clock behind a date that was signed makes the service unready', async () => {
    const { service } = await started(found(crl()), { standing: standingFor([VCEK, VLEK], { needed: 'wanted' }) })
    lab.clock.now = days(-1)
    expect((await service.problems()).join()).toMatch(/the clock is before/)
  })
})

const background = async (first: Fetched, options: Partial<CollateralDeps> = {}) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  return started(first, options)
}

describe('in the background', () => {
  it('a failed fetch is tried again, and a list is refreshed before it ends', async () => {
    const { state, lists } = await background({ outcome: 'unavailable', reason: 'down' })
    state.answer = found(crl())
    lab.clock.now = new Date(lab.now.getTime() + 10_000)
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await lists()).documents.size).toBe(2)
    expect(state.asked).toBe(4)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state.asked).toBe(4)
    const next = crl({ number: 2n, thisUpdate: days(15), nextUpdate: days(45) })
    state.answer = found(next)
    lab.clock.now = days(16)
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await lists()).documents.get(VLEK)).toEqual(next)
  })

  it('what another replica fetched is taken from the store', async () => {
    const { service, state, lists } = await background(found(crl()))
    const next = crl({ number: 2n, thisUpdate: days(0.5), nextUpdate: days(30) })
    lab.clock.now = days(1)
    await service.store.advanceMark(VCEK, { number: 2n, thisUpdate: days(0.5) })
    await service.store.put({ address: VCEK, bytes: next, fetchedAt: days(0.9), expiresAt: days(30) })
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await lists()).documents.get(VCEK)).toEqual(next)
    expect(state.asked).toBe(2)
  })

  it('a list of which another replica has seen a newer one is fetched at once, and not ready until then', async () => {
    const { service, state, lists } = await background(found(crl()))
    lab.clock.now = days(1)
    await service.store.advanceMark(VCEK, { number: 2n, thisUpdate: days(0.5) })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await service.problems()).toEqual([`${VCEK}: a newer document was seen than the one at hand`])
    expect(state.asked).toBe(3)
    const next = crl({ number: 2n, thisUpdate: days(0.5), nextUpdate: days(30) })
    state.answer = found(next)
    lab.clock.now = days(1.1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await lists()).documents.get(VCEK)).toEqual(next)
    expect(await service.problems()).toEqual([])
  })

  it('what the store could not take is given to it again', async () => {
    const { collateral: memory } = memoryStores()
    const disk = { state: 'full' }
    const unlessFull = async (write: () => Promise<void>): Promise<void> => {
      if (disk.state === 'full') throw new Error('disk full')
      await write()
    }
    const store: CollateralStore = {
      ...memory,
      put: (document) => unlessFull(() => memory.put(document)),
      advanceMark: (...args) => unlessFull(() => memory.advanceMark(...args)),
    }
    const { lists } = await background(found(crl()), { store })
    expect((await lists()).documents.size).toBe(2)
    expect((await lists()).marks.get(VCEK)).toEqual(mark)
    expect(await memory.list()).toEqual([])
    disk.state = 'free'
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await memory.list()).toHaveLength(2)
    expect(await memory.mark(VLEK)).toEqual(mark)
  })

  it('nothing happens after the service was stopped', async () => {
    const { service, state } = await background(unavailable)
    await service.stop()
    lab.clock.now = days(1)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(state.asked).toBe(2)
  })
})
