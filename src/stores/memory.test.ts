import { describe, expect, it } from 'vitest'
import { memoryChallenges, memoryStores } from './memory.ts'

describe('challenges in memory', () => {
  it('draw another epoch at every start', async () => {
    const epochs = await Promise.all([memoryChallenges().epoch(), memoryChallenges().epoch()])
    expect(epochs.map((e) => e.length)).toEqual([4, 4])
    expect(epochs[0]).not.toEqual(epochs[1])
  })

  it('are spent by exactly one of many', async () => {
    const challenges = memoryChallenges()
    const spent = await Promise.all(Array.from({ length: 64 }, () => challenges.spend('a', 60)))
    expect(spent.filter(Boolean)).toHaveLength(1)
    expect(await challenges.spend('b', 60)).toBe(true)
  })

  it('keep a mark for its whole lifetime and no longer', async () => {
    let now = 0
    const challenges = memoryChallenges(() => now)
    expect(await challenges.spend('a', 10)).toBe(true)
    now = 9_999
    expect(await challenges.spend('a', 10)).toBe(false)
    now = 10_000
    expect(await challenges.spend('a', 10)).toBe(true)
  })

  it('keep a mark that sits behind a longer one', async () => {
    let now = 0
    const challenges = memoryChallenges(() => now)
    await challenges.spend('long', 100)
    await challenges.spend('short', 10)
    now = 20_000
    expect(await challenges.spend('long', 100)).toBe(false)
    expect(await challenges.spend('short', 10)).toBe(true)
  })

  it('refuse rather than forget when the table is full', async () => {
    let now = 0
    const challenges = memoryChallenges(() => now, 2)
    await challenges.spend('a', 10)
    await challenges.spend('b', 10)
    await expect(challenges.spend('c', 10)).rejects.toMatchObject({ code: 'overloaded' })
    expect(await challenges.spend('a', 10)).toBe(false)
    now = 10_001
    expect(await challenges.spend('c', 10)).toBe(true)
  })

  it('pay for one set of addresses only', async () => {
    const challenges = memoryChallenges()
    expect(await challenges.pay('a', 'x', 60)).toBe(true)
    expect(await challenges.pay('a', 'x', 60)).toBe(true)
    expect(await challenges.pay('a', 'y', 60)).toBe(false)
    expect(await challenges.spend('a', 60)).toBe(true)
  })
})

describe('documents in memory', () => {
  it('are kept as they were, whatever the caller does to the bytes', async () => {
    const { collateral } = memoryStores()
    const bytes = Uint8Array.from([1])
    await collateral.put({ address: 'amd/crl/Milan/vcek', bytes, fetchedAt: new Date(1), expiresAt: new Date(2) })
    bytes[0] = 9
    expect((await collateral.get('amd/crl/Milan/vcek'))?.bytes).toEqual(Uint8Array.from([1]))
    expect(await collateral.list()).toEqual([{ address: 'amd/crl/Milan/vcek', fetchedAt: new Date(1), expiresAt: new Date(2) }])
  })

  it('have marks that only advance', async () => {
    const { collateral } = memoryStores()
    await collateral.advanceMark('amd/crl/Milan/vcek', { number: 5n, thisUpdate: new Date(5) })
    await collateral.advanceMark('amd/crl/Milan/vcek', { number: 3n, thisUpdate: new Date(9) })
    expect(await collateral.mark('amd/crl/Milan/vcek')).toEqual({ number: 5n, thisUpdate: new Date(9) })
    expect(await collateral.mark('amd/crl/Milan/vlek')).toBeUndefined()
  })
})
