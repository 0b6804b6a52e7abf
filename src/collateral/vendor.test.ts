import { describe, expect, it } from 'vitest'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { Fetched, FetchRequest } from './source.ts'
import { createVendor, offlineVendor, type VendorOptions } from './vendor.ts'

const vcek = (n: number): CollateralAddress => `amd/vcek/Milan/${'ab'.repeat(64)}/0-0-0-${n}`
const by = (address: CollateralAddress, prefix: string = address, caller: FetchRequest['caller'] = 'anonymous'): FetchRequest => ({
  address,
  prefix,
  caller,
})
const found: Fetched = { outcome: 'found', bytes: Uint8Array.from([1]) }

/** A vendor whose host answers as told, when told. */
function vendorWith(options: Partial<VendorOptions> = {}) {
  const asked: CollateralAddress[] = []
  const open = new Map<CollateralAddress, (answer: Fetched) => void>()
  // Not zero: the cache takes a time of zero for none.
  const time = { now: 1_000 }
  const client = {
    fetch: (address: CollateralAddress) => {
      asked.push(address)
      return new Promise<Fetched>((resolve) => open.set(address, resolve))
    },
  }
  const vendor = createVendor({ client, clock: () => time.now, ...options })
  /** Asks, and lets the host answer. */
  const answered = async (request: FetchRequest, answer: Fetched): Promise<Fetched> => {
    const result = vendor.fetch(request)
    open.get(request.address)?.(answer)
    open.delete(request.address)
    return result
  }
  return { vendor, asked, open, time, answered }
}

describe('a vendor', () => {
  it('is asked once for concurrent misses of one address, whoever they are', async () => {
    const { vendor, asked, open } = vendorWith()
    const all = Array.from({ length: 64 }, (_, i) => vendor.fetch(by(vcek(1), `prefix ${i % 3}`)))
    open.get(vcek(1))?.(found)
    expect(new Set(await Promise.all(all))).toEqual(new Set([found]))
    expect(asked).toEqual([vcek(1)])
  })

  it('is asked by one prefix for one document at a time', async () => {
    const { vendor, asked, open, answered } = vendorWith()
    const first = vendor.fetch(by(vcek(1), 'p'))
    expect(await vendor.fetch(by(vcek(2), 'p'))).toMatchObject({ outcome: 'unavailable', retryAfter: 2 })
    open.get(vcek(1))?.(found)
    await first
    expect(await answered(by(vcek(2), 'p'), found)).toEqual(found)
    expect(asked).toEqual([vcek(1), vcek(2)])
  })

  it('is not asked beyond the budget, and says when to come back', async () => {
    const { asked, answered, time } = vendorWith()
    for (const n of [1, 2]) expect(await answered(by(vcek(n)), found)).toEqual(found)
    expect(await answered(by(vcek(3)), found)).toEqual({
      outcome: 'unavailable',
      reason: 'the budget of this vendor is spent',
      retryAfter: 10,
    })
    expect(await answered(by(vcek(3), 'p', 'authenticated'), found)).toEqual(found)
    expect(asked).toHaveLength(3)
    time.now = 21_000
    expect(await answered(by(vcek(4)), found)).toEqual(found)
  })

  it('leaves the revocation lists a budget that no caller can spend', async () => {
    const { answered } = vendorWith()
    for (let n = 0; n < 6; n += 1) await answered(by(vcek(n), String(n), 'authenticated'), found)
    for (const list of ['Milan/vcek', 'Milan/vlek', 'Genoa/vcek', 'Genoa/vlek', 'Turin/vcek', 'Turin/vlek'])
      expect(await answered(by(`amd/crl/${list}`, '', 'background'), found)).toEqual(found)
    expect(await answered(by('amd/crl/Milan/vcek', '', 'background'), found)).toMatchObject({ outcome: 'unavailable', retryAfter: 10 })
  })

  it('gives the service as much of a budget of its own as is said', async () => {
    const { answered } = vendorWith({ backgroundBurst: 2 })
    const outcomes = []
    for (const list of ['Milan/vcek', 'Milan/vlek', 'Genoa/vcek'])
      outcomes.push((await answered(by(`amd/crl/${list}`, '', 'background'), found)).outcome)
    expect(outcomes).toEqual(['found', 'found', 'unavailable'])
  })

  it('is not asked again for ten minutes for what it does not have', async () => {
    const { asked, answered, time } = vendorWith()
    expect(await answered(by(vcek(1)), { outcome: 'not-found' })).toEqual({ outcome: 'not-found' })
    time.now = 600_000
    expect(await answered(by(vcek(1)), found)).toEqual({ outcome: 'not-found' })
    time.now = 602_000
    expect(await answered(by(vcek(1)), found)).toEqual(found)
    expect(asked).toHaveLength(2)
  })

  it('is left alone for as long as it asks, for every document', async () => {
    const { asked, answered, time } = vendorWith()
    await answered(by(vcek(1)), { outcome: 'unavailable', reason: '429', retryAfter: 60 })
    expect(await answered(by(vcek(1)), found)).toEqual({ outcome: 'unavailable', reason: '429', retryAfter: 60 })
    expect(await answered(by(vcek(2)), found)).toMatchObject({ outcome: 'unavailable', retryAfter: 60 })
    expect(await answered(by('amd/crl/Milan/vcek', '', 'background'), found)).toMatchObject({ outcome: 'unavailable', retryAfter: 60 })
    time.now = 61_000
    expect(await answered(by(vcek(2)), found)).toEqual(found)
    expect(asked).toEqual([vcek(1), vcek(2)])
  })

  it('is not asked again at once for what has just failed', async () => {
    const { asked, answered, time } = vendorWith()
    await answered(by(vcek(1)), { outcome: 'unavailable', reason: 'reset' })
    expect(await answered(by(vcek(1)), found)).toEqual({ outcome: 'unavailable', reason: 'reset', retryAfter: 10 })
    time.now = 11_001
    expect(await answered(by(vcek(1)), found)).toEqual(found)
    expect(asked).toHaveLength(2)
  })

  it('is free again for a prefix whose fetch threw', async () => {
    let tries = 0
    const client = { fetch: () => ((tries += 1) === 1 ? Promise.reject(new Error('broken')) : Promise.resolve(found)) }
    const vendor = createVendor({ client, clock: () => 1_000 })
    await expect(vendor.fetch(by(vcek(1), 'p'))).rejects.toThrow('broken')
    expect(await vendor.fetch(by(vcek(1), 'p'))).toEqual(found)
  })

  it('forgets the oldest of more missing documents than it can remember', async () => {
    let asked = 0
    const counting = {
      fetch: async (): Promise<Fetched> => {
        asked += 1
        return { outcome: 'not-found' }
      },
    }
    const vendor = createVendor({ client: counting, burst: 100_000, clock: () => 1_000 })
    for (let n = 0; n < 10_001; n += 1) await vendor.fetch(by(`amd/vcek/Milan/${'ab'.repeat(64)}/${n}`, '', 'authenticated'))
    await vendor.fetch(by(`amd/vcek/Milan/${'ab'.repeat(64)}/10000`, '', 'authenticated'))
    expect(asked).toBe(10_001)
    await vendor.fetch(by(`amd/vcek/Milan/${'ab'.repeat(64)}/0`, '', 'authenticated'))
    expect(asked).toBe(10_002)
  })
})

describe('no vendor', () => {
  it('has nothing, and is looked at again in an hour', async () => {
    expect(await offlineVendor.fetch(by(vcek(1)))).toEqual({ outcome: 'unavailable', reason: 'no vendor may be asked', quiet: true })
    expect(await offlineVendor.fetch(by(vcek(1), '', 'background'))).toMatchObject({ outcome: 'unavailable', retryAfter: 3600 })
  })
})
