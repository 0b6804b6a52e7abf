import { describe, expect, it } from 'vitest'
import { crlAddress } from '../verifiers/snp/address.ts'
import { sharingRefreshes } from './shared-refreshes.ts'
import type { Fetched, FetchRequest } from './source.ts'

const LIST: FetchRequest = { address: crlAddress('Milan', 'vcek'), caller: 'background', prefix: '' }
const FOUND: Fetched = { outcome: 'found', bytes: Uint8Array.of(1) }
const DOWN: Fetched = { outcome: 'unavailable', reason: 'down' }

function vendorWith(answers: readonly (Fetched | Error)[]) {
  const asked: FetchRequest[] = []
  let now = 0
  const fetch = async (request: FetchRequest): Promise<Fetched> => {
    const answer = answers[asked.length] ?? DOWN
    asked.push(request)
    if (answer instanceof Error) throw answer
    return answer
  }
  return { asked, vendor: sharingRefreshes({ fetch }, () => now), pass: (milliseconds: number) => void (now += milliseconds) }
}

describe('sharing refreshes', () => {
  it('asks once for all that ask at the same time, and for those that come a little later', async () => {
    const { asked, vendor, pass } = vendorWith([FOUND])
    expect(await Promise.all([vendor.fetch(LIST), vendor.fetch(LIST), vendor.fetch(LIST)])).toEqual([FOUND, FOUND, FOUND])
    pass(59_999)
    expect(await vendor.fetch(LIST)).toEqual(FOUND)
    expect(asked).toHaveLength(1)
  })

  it('asks again after a minute, so that a refresh brings the new list', async () => {
    const newer: Fetched = { outcome: 'found', bytes: Uint8Array.of(2) }
    const { vendor, pass } = vendorWith([FOUND, newer])
    await vendor.fetch(LIST)
    pass(60_000)
    expect(await vendor.fetch(LIST)).toEqual(newer)
  })

  it('asks again soon after a failure', async () => {
    const { vendor, pass } = vendorWith([DOWN, FOUND])
    expect(await vendor.fetch(LIST)).toEqual(DOWN)
    pass(4_999)
    expect(await vendor.fetch(LIST)).toEqual(DOWN)
    pass(1)
    expect(await vendor.fetch(LIST)).toEqual(FOUND)
  })

  it('keeps no answer that was thrown', async () => {
    const { vendor } = vendorWith([new Error('broken'), FOUND])
    await expect(vendor.fetch(LIST)).rejects.toThrow('broken')
    expect(await vendor.fetch(LIST)).toEqual(FOUND)
  })

  it('keeps lists apart, and lets fetches for requests pass', async () => {
    const { asked, vendor } = vendorWith([FOUND, FOUND, FOUND, FOUND])
    await vendor.fetch(LIST)
    await vendor.fetch({ ...LIST, address: crlAddress('Milan', 'vlek') })
    await vendor.fetch({ ...LIST, caller: 'anonymous' })
    await vendor.fetch({ ...LIST, caller: 'anonymous' })
    expect(asked).toHaveLength(4)
  })
})
