import { afterEach, describe, expect, it, vi } from 'vitest'
import { paying, standingFor } from '../../test/collateral-lab.ts'
import {
  accepted,
  answerAt,
  DOWN,
  EARLY,
  FMSPC,
  found,
  hours,
  intel,
  intelLab,
  QE_EARLY,
  ROOT,
  START,
  stopAll,
  TCB,
} from '../../test/intel-collateral-lab.ts'
import { fakeIntel } from '../simulator/intel.ts'
import type { TcbInfoRequest } from '../simulator/intel-documents.ts'
import { memoryStores } from '../stores/memory.ts'
import { qeIdentityAddress, tcbInfoAddress } from '../verifiers/tdx/address.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import { INTEL_STANDING } from './address.ts'
import type { Fetched } from './source.ts'
import { createVendor } from './vendor.ts'

const tcbInfo = (request: TcbInfoRequest = {}): Fetched => found(intel.tcbInfo(request))

afterEach(() => stopAll())

describe('a document of one family of platforms', () => {
  it('is fetched once for all who pay, kept with its mark, and at hand from then on', async () => {
    const { service, store, count } = intelLab()
    const all = await Promise.all(Array.from({ length: 64 }, () => service.obtain(paying(TCB))))
    expect(count(TCB)).toBe(1)
    expect(new Set(all.map(({ collateral }) => collateral.documents.get(TCB))).size).toBe(1)
    const [first] = all
    expect(first?.collateral.documents.get(TCB)).toBeInstanceOf(Uint8Array)
    expect(first?.collateral.marks.get(TCB)).toEqual({ number: 0n, thisUpdate: hours(-1) })
    expect(first?.expiresAt.get(TCB)).toEqual(hours(30 * 24 - 1))
    expect(await store.mark(TCB)).toEqual({ number: 0n, thisUpdate: hours(-1) })

    const restarted = intelLab({ store })
    restarted.state.answer = () => DOWN
    const { collateral } = await restarted.service.obtain({ needs: [TCB], prefix: 'p', caller: 'anonymous' })
    expect(collateral.documents.size).toBe(1)
    expect(restarted.asked).toEqual([])
  })

  it('is not fetched for those who do not pay, and then missing', async () => {
    const { service, asked } = intelLab()
    const { collateral, retryAfter } = await service.obtain({ ...paying(TCB), pay: async () => false })
    expect(collateral.missing).toEqual(new Map([[TCB, 'unavailable']]))
    expect(retryAfter).toBeGreaterThanOrEqual(1)
    expect(asked).toEqual([])
  })

  it('that the vendor does not have is missing for now, and asked for again after a pause', async () => {
    const { service, count, state } = intelLab()
    state.answer = () => ({ outcome: 'not-found' })
    for (let i = 0; i < 3; i += 1) {
      const { collateral, retryAfter } = await service.obtain(paying(TCB))
      expect([collateral.missing.get(TCB), retryAfter]).toEqual(['unavailable', 10])
    }
    expect(count(TCB)).toBe(1)
    state.now = hours(1)
    state.answer = () => undefined
    expect((await service.obtain(paying(TCB))).collateral.documents.size).toBe(1)
  })

  it('and the identity of an enclave that nobody needed before are fetched for one request, one after the other', async () => {
    const fetched: CollateralAddress[] = []
    const client = {
      fetch: async (address: CollateralAddress) => {
        fetched.push(address)
        return answerAt(START, address)
      },
    }
    const { service } = intelLab({ vendor: createVendor({ client }) })
    const needs = [tcbInfoAddress('sgx', FMSPC, 'standard'), qeIdentityAddress('sgx', 'standard')]
    expect((await service.obtain(paying(...needs))).collateral.documents.size).toBe(2)
    expect(fetched).toEqual(needs)
  })

  it('that nobody’s accepted evidence has used is asked for again after half a day, and used on if that fails', async () => {
    const { service, count, state } = intelLab()
    const first = (await service.obtain(paying(TCB))).collateral.documents.get(TCB)
    state.now = hours(11.9)
    await service.obtain(paying(TCB))
    expect(count(TCB)).toBe(1)
    state.now = hours(12)
    state.answer = () => DOWN
    expect((await service.obtain(paying(TCB))).collateral.documents.get(TCB)).toEqual(first)
    expect((await service.obtain(paying(TCB))).collateral.documents.get(TCB)).toEqual(first)
    expect(count(TCB)).toBe(2)
    state.now = hours(13)
    state.answer = () => undefined
    expect((await service.obtain(paying(TCB))).collateral.documents.get(TCB)).not.toEqual(first)
    expect(count(TCB)).toBe(3)
  })

  it('that has ended is fetched anew, and handed out all the same when that fails', async () => {
    const { service, state } = intelLab()
    await service.obtain(paying(TCB))
    state.now = hours(31 * 24)
    state.answer = () => DOWN
    const { collateral, expiresAt } = await service.obtain(paying(TCB))
    expect(collateral.documents.size).toBe(1)
    expect(expiresAt.get(TCB)).toEqual(hours(30 * 24 - 1))
  })

  it.each([
    ['of another family', () => tcbInfo({ fmspc: '50806f000000' })],
    ['for SGX', () => tcbInfo({ tee: 'sgx' })],
    ['of somebody else', () => found(fakeIntel({ now: START }).tcbInfo())],
    ['that has ended', () => tcbInfo({ issueDate: hours(-800) })],
    ['that is none', (): Fetched => ({ outcome: 'found', bytes: Uint8Array.from([1, 0, 0, 0]) })],
  ])('%s is never kept, but handed out so that its fault is named', async (_, make) => {
    const { service, store, count, state } = intelLab()
    const answer = make()
    state.answer = () => answer
    for (let i = 0; i < 2; i += 1) {
      const { collateral, expiresAt } = await service.obtain(paying(TCB))
      expect(collateral.documents.get(TCB)).toEqual(answer.outcome === 'found' ? answer.bytes : undefined)
      expect(expiresAt.get(TCB)).toEqual(new Date(0))
    }
    expect(count(TCB)).toBe(1)
    expect(await store.list()).toEqual([])
  })

  it('that is older than one that was seen takes no place, in its own set of documents', async () => {
    const { collateral: store } = memoryStores()
    await store.advanceMark(TCB, { number: 0n, thisUpdate: hours(-0.5) })
    const { service } = intelLab({ store })
    const { collateral } = await service.obtain(paying(TCB, EARLY))
    expect(collateral.marks.get(TCB)).toEqual({ number: 0n, thisUpdate: hours(-0.5) })
    expect((await store.list()).map(({ address }) => address)).toEqual([EARLY])
  })

  it('is not believed while the store does not say what was seen', async () => {
    const store = { ...memoryStores().collateral, mark: () => Promise.reject(new Error('down')) }
    const { service } = intelLab({ store })
    expect((await service.obtain(paying(TCB))).collateral.marks.get(TCB)).toBe('strictest')
    expect(await store.list()).toEqual([])
  })

  it('is forgotten for others if there are very many, and found again in the store', async () => {
    const { collateral: memory } = memoryStores()
    let reads = 0
    const get = async (address: CollateralAddress) => {
      if (address === TCB) reads += 1
      return memory.get(address)
    }
    const { service, count } = intelLab({ store: { ...memory, get } })
    const seen = Array.from({ length: 511 }, (_, n) => tcbInfoAddress('tdx', n.toString(16).padStart(12, '0'), 'standard'))
    await service.obtain(paying(TCB))
    await service.obtain({ needs: [], wants: seen, prefix: 'p', caller: 'anonymous' })
    await service.obtain(paying(TCB))
    expect(reads).toBe(1)
    await service.obtain({ needs: [], wants: [...seen, EARLY], prefix: 'p', caller: 'anonymous' })
    await service.obtain(paying(TCB))
    expect([reads, count(TCB)]).toEqual([2, 1])
  })
})

describe('what every platform needs', () => {
  it('is fetched at the start and never for a request', async () => {
    const { service, asked, state } = intelLab()
    state.answer = () => DOWN
    await service.start()
    expect(new Set(asked.map(({ address, caller }) => `${caller} ${address}`))).toEqual(
      new Set(INTEL_STANDING.map((a) => `background ${a}`)),
    )
    const before = asked.length
    const { collateral } = await service.obtain(paying(...INTEL_STANDING))
    expect(collateral.missing.size).toBe(INTEL_STANDING.length)
    expect(asked.length).toBe(before)
  })

  it('is not fetched where it is not kept fresh, either', async () => {
    const { service, asked } = intelLab({ standing: () => [] })
    expect((await service.obtain(paying(ROOT))).collateral.missing.size).toBe(1)
    await service.remember(accepted([ROOT]))
    expect(asked).toEqual([])
  })

  it('does not keep a service from being ready, unless it is required', async () => {
    const [wanted, required] = [intelLab(), intelLab({ standing: standingFor(INTEL_STANDING, { needed: 'required' }) })]
    for (const { service, state } of [wanted, required]) {
      state.answer = () => DOWN
      await service.start()
    }
    expect(await wanted.service.problems()).toEqual([])
    expect(await required.service.problems()).toHaveLength(INTEL_STANDING.length)
    const up = intelLab({ standing: standingFor(INTEL_STANDING, { needed: 'required' }) })
    await up.service.start()
    expect(await up.service.problems()).toEqual([])
  })
})

const wanting = (...wants: readonly CollateralAddress[]) => ({ ...paying(TCB), wants })

describe('what is only wanted', () => {
  it('is never fetched for a request, and never missing', async () => {
    const { service, asked } = intelLab()
    const { collateral, retryAfter } = await service.obtain(wanting(EARLY, QE_EARLY, 'amd/crl/Milan/vcek'))
    expect([...collateral.documents.keys()]).toEqual([TCB])
    expect([collateral.missing.size, retryAfter]).toEqual([0, undefined])
    expect(asked.map(({ address }) => address)).toEqual([TCB])
  })

  it('is fetched in the background once evidence that wants it was accepted, and then handed out', async () => {
    const { service, asked } = intelLab()
    await service.start()
    const before = asked.length
    await service.obtain(wanting(EARLY, QE_EARLY))
    await service.remember(accepted([TCB, ROOT], [EARLY, QE_EARLY]))
    await vi.waitFor(async () => expect((await service.obtain(wanting(EARLY, QE_EARLY))).collateral.documents.size).toBe(3))
    expect(asked.slice(before).map(({ address, caller }) => [address, caller])).toEqual([
      [TCB, 'anonymous'],
      [EARLY, 'background'],
      [QE_EARLY, 'background'],
    ])
    expect((await service.obtain(wanting(EARLY))).collateral.marks.has(EARLY)).toBe(true)
  })

  it('comes from the store, which is asked once a minute at most', async () => {
    const { collateral: memory } = memoryStores()
    let reads = 0
    const get = async (address: CollateralAddress) => {
      if (address === EARLY) reads += 1
      return memory.get(address)
    }
    const { service, state } = intelLab({ store: { ...memory, get } })
    for (let i = 0; i < 5; i += 1) expect((await service.obtain(wanting(EARLY))).collateral.documents.has(EARLY)).toBe(false)
    expect(reads).toBe(1)
    const early = answerAt(START, EARLY)
    await memory.put({
      address: EARLY,
      bytes: early.outcome === 'found' ? early.bytes : new Uint8Array(),
      fetchedAt: START,
      expiresAt: hours(700),
    })
    state.now = hours(0.02)
    for (let i = 0; i < 5; i += 1) expect((await service.obtain(wanting(EARLY))).collateral.documents.has(EARLY)).toBe(true)
    expect(reads).toBe(2)
  })

  it('is not handed out once it has ended', async () => {
    const { service, store, state } = intelLab()
    const early = answerAt(START, EARLY)
    await store.put({
      address: EARLY,
      bytes: early.outcome === 'found' ? early.bytes : new Uint8Array(),
      fetchedAt: START,
      expiresAt: hours(700),
    })
    expect((await service.obtain(wanting(EARLY))).collateral.documents.has(EARLY)).toBe(true)
    state.now = hours(720)
    expect((await service.obtain(wanting(EARLY))).collateral.documents.has(EARLY)).toBe(false)
  })
})
