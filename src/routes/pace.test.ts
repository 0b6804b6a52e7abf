import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { paced } from './pace.ts'

const KIB = 1024

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** What one portion takes in milliseconds, and its bytes. */
type Portion = readonly [after: number, bytes: number]

/** A sender, and whether it was told that no more is wanted. */
function sending(portions: readonly Portion[]) {
  const told = { returned: false }
  async function* send() {
    try {
      for (const [after, bytes] of portions) {
        await new Promise((resolve) => void setTimeout(resolve, after))
        yield new Uint8Array(bytes)
      }
    } finally {
      told.returned = true
    }
  }
  return { portions: send(), told }
}

/** When the body ended, and how; `work`: milliseconds that each portion keeps its reader busy. */
async function read(portions: readonly Portion[], work = 0): Promise<{ bytes: number; ended: string; at: number }> {
  const seen = { bytes: 0, ended: 'whole', at: 0 }
  const reading = async (): Promise<void> => {
    for await (const { byteLength } of paced(sending(portions).portions)) {
      seen.bytes += byteLength
      if (work > 0) await new Promise((resolve) => void setTimeout(resolve, work))
    }
  }
  const began = performance.now()
  const done = reading()
    .catch((error: unknown) => (seen.ended = String((error as { code?: string }).code)))
    .finally(() => (seen.at = performance.now() - began))
  await vi.advanceTimersByTimeAsync(1_000_000)
  await done
  return seen
}

const times = (count: number, portion: Portion): readonly Portion[] => Array<Portion>(count).fill(portion)

describe('the pace of a long body', () => {
  it('lets whoever is fast enough through, to the end', async () => {
    expect(await read(times(100, [1000, 64 * KIB]))).toMatchObject({ bytes: 6400 * KIB, ended: 'whole' })
  })

  it('ends a body on which nothing arrives for ten seconds', async () => {
    expect(await read([[20_000, 1]])).toEqual({ bytes: 0, ended: 'request-timeout', at: 10_000 })
    expect(await read([...times(100, [10, 64 * KIB]), [20_000, 1]])).toEqual({ bytes: 6400 * KIB, ended: 'request-timeout', at: 11_000 })
    expect(await read(times(10, [9_999, 1024 * KIB]))).toMatchObject({ bytes: 10_240 * KIB, ended: 'whole' })
  })

  it('ends a body that trickles, after ten seconds and what its bytes are worth', async () => {
    expect(await read(times(100, [1000, 1]))).toMatchObject({ bytes: 10, ended: 'request-timeout' })
    // Half as fast as it must be: ten seconds more last for ten more.
    const half = await read(times(100, [1000, 32 * KIB]))
    expect(half).toEqual({ bytes: 19 * 32 * KIB, ended: 'request-timeout', at: 19_500 })
  })

  it('ends a body after two minutes, however much comes', async () => {
    expect(await read(times(200, [1100, 1024 * KIB]))).toMatchObject({ ended: 'request-timeout', at: 120_000 })
  })

  it('does not count what the reader takes', async () => {
    expect(await read(times(100, [10, 1]), 5_000)).toMatchObject({ bytes: 100, ended: 'whole' })
  })

  it('tells the source when no more is wanted', async () => {
    vi.useRealTimers()
    const { portions, told } = sending(times(3, [0, 1]))
    for await (const _ of paced(portions)) break
    expect(told.returned).toBe(true)
  })
})
