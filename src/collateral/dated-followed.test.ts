import { afterEach, describe, expect, it, vi } from 'vitest'
import { paying } from '../../test/collateral-lab.ts'
import { accepted, DOWN, EARLY, hours, intelLab, QE_EARLY, ROOT, stopAll, TCB } from '../../test/intel-collateral-lab.ts'
import { memoryStores } from '../stores/memory.ts'
import { tcbInfoAddress } from '../verifiers/tdx/address.ts'
import type { CollateralAddress } from '../verifiers/verifier.ts'

afterEach(async () => {
  vi.useRealTimers()
  await stopAll()
})

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const fakeTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

describe('in the background', () => {
  it('documents of accepted evidence are refreshed twice a day, others are not', async () => {
    fakeTimers()
    const { service, count, state } = intelLab()
    const other = tcbInfoAddress('tdx', '50806f000000', 'standard')
    await service.start()
    await service.obtain(paying(TCB, other))
    await service.remember(accepted([TCB]))
    await later(60_000)
    expect([count(TCB), count(ROOT)]).toEqual([1, 1])
    state.now = hours(12)
    await later(60_000)
    expect([count(TCB), count(ROOT), count(other)]).toEqual([2, 2, 1])
    state.now = hours(24.1)
    await later(60_000)
    expect([count(TCB), count(other)]).toEqual([3, 1])
  })

  it('a document that another replica refreshed is taken from the store', async () => {
    fakeTimers()
    const [one, two] = [intelLab(), intelLab()]
    const shared = intelLab({ store: one.store })
    await one.service.start()
    await shared.service.start()
    for (const { service } of [one, shared]) {
      await service.obtain(paying(TCB))
      await service.remember(accepted([TCB]))
    }
    expect([one.count(TCB), shared.count(TCB)]).toEqual([1, 0])
    one.state.now = hours(12)
    await later(60_000)
    shared.state.now = hours(12.1)
    await later(60_000)
    expect([one.count(TCB), shared.count(TCB)]).toEqual([2, 0])
    expect((await shared.service.obtain(paying(TCB))).fetchedAt.get(TCB)).toEqual(hours(12))
    expect(two.asked).toEqual([])
  })

  it('a document of which a newer one was seen elsewhere carries no verdict any more', async () => {
    fakeTimers()
    const { service, store, count, state } = intelLab()
    await service.start()
    await service.obtain(paying(TCB))
    await service.remember(accepted([TCB]))
    await store.advanceMark(TCB, { number: 0n, thisUpdate: hours(0.5) })
    state.now = hours(1)
    state.answer = () => DOWN
    await later(60_000)
    expect(count(TCB)).toBe(2)
    const { collateral, expiresAt } = await service.obtain(paying(TCB))
    expect(collateral.marks.get(TCB)).toEqual({ number: 0n, thisUpdate: hours(0.5) })
    expect(expiresAt.get(TCB)).toEqual(new Date(0))
  })

  it('a document that is already followed is not looked at again for every acceptance', async () => {
    const { collateral: memory } = memoryStores()
    let reads = 0
    const mark = async (address: CollateralAddress) => {
      if (address === EARLY) reads += 1
      return memory.mark(address)
    }
    const { service } = intelLab({ store: { ...memory, mark } })
    await service.start()
    for (let i = 0; i < 5; i += 1) await service.remember(accepted([], [EARLY]))
    await service.stop()
    expect(reads).toBe(1)
  })

  it('nothing is followed after the service was stopped, or before it was started', async () => {
    const { service, asked } = intelLab()
    await service.remember(accepted([TCB], [EARLY]))
    await service.start()
    await service.stop()
    const before = asked.length
    expect(asked.some(({ address }) => address === EARLY)).toBe(true)
    await service.remember(accepted([], [QE_EARLY]))
    expect(asked.length).toBe(before)
  })
})

describe('the listing', () => {
  it('names kind and next refresh; what nobody refreshes has none', async () => {
    const { service } = intelLab()
    await service.start()
    await service.obtain(paying(TCB))
    const rows = await service.status()
    expect(rows.map(({ kind, next_refresh: next }) => [kind, next])).toEqual([
      ['pck-crl', hours(12).toISOString()],
      ['pck-crl', hours(12).toISOString()],
      ['qe-identity', hours(12).toISOString()],
      ['root-ca-crl', hours(12).toISOString()],
      ['tcb-info', null],
    ])
    await service.remember(accepted([TCB]))
    expect((await service.status()).at(-1)?.next_refresh).toBe(hours(12).toISOString())
  })
})
