import { describe, expect, it } from 'vitest'
import { AttestationRefused } from './problems.ts'
import { rememberInMemory } from './replay.ts'

describe('the memory of proofs', () => {
  it('knows a name until its time, and refuses when it is full', async () => {
    let now = 1_000_000
    const seen = rememberInMemory(() => new Date(now), 2)
    const until = (ms: number): Date => new Date(now + ms)
    expect([await seen('a', until(10_000)), await seen('b', until(20_000)), await seen('a', until(10_000))]).toEqual([false, false, true])
    expect(() => seen('c', until(1))).toThrow(AttestationRefused)
    expect(() => seen('c', until(1))).toThrow(expect.objectContaining({ code: 'replay-memory-full', status: 503, facts: { most: 2 } }))
    expect(await seen('b', until(1))).toBe(true)
    now += 9999
    expect(await seen('a', until(1))).toBe(true)
    now += 1
    // It has expired, but the last sweep is less than a second ago.
    expect(await seen('a', until(30_000))).toBe(false)
    now += 20_000
    expect([await seen('b', until(5)), await seen('b', until(5))]).toEqual([false, true])
  })
})
