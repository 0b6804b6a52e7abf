import { describe, expect, it } from 'vitest'
import { rememberInMemory } from './replay.ts'

const full = expect.objectContaining({ code: 'replay-memory-full', status: 503, facts: { most: 2 } })

/** A memory of two names, and a clock that the test moves, in milliseconds. */
function memory() {
  let now = 1_000_000
  const seen = rememberInMemory(() => new Date(now), 2)
  return { seen: (name: string, ms: number) => seen(name, new Date(now + ms)), pass: (ms: number) => void (now += ms) }
}

describe('the memory of proofs', () => {
  it('knows a name until its time', () => {
    const { seen, pass } = memory()
    expect([seen('a', 10), seen('a', 10)]).toEqual([false, true])
    pass(9)
    expect(seen('a', 10)).toBe(true)
    pass(1)
    expect([seen('a', 10), seen('a', 10)]).toEqual([false, true])
  })

  it('refuses when it is full of names that could still be used, and takes known ones all the same', () => {
    const { seen, pass } = memory()
    expect([seen('a', 5000), seen('b', 5000)]).toEqual([false, false])
    expect(() => seen('c', 1)).toThrow(full)
    expect(seen('b', 1)).toBe(true)
    pass(4999)
    expect(() => seen('c', 1)).toThrow(full)
    expect([seen('a', 1), seen('b', 1)]).toEqual([true, true])
  })

  it('forgets what has expired, but does not look for it more than once a second', () => {
    const { seen, pass } = memory()
    expect([seen('a', 100), seen('b', 5000)]).toEqual([false, false])
    expect(() => seen('c', 1)).toThrow(full)
    pass(999)
    expect(() => seen('c', 1)).toThrow(full)
    expect(seen('a', 1)).toBe(false)
    pass(1)
    expect([seen('c', 1), seen('b', 1)]).toEqual([false, true])
    expect(() => seen('d', 1)).toThrow(full)
  })

  it('looks for what has expired exactly at its time', () => {
    const { seen, pass } = memory()
    expect([seen('a', 2000), seen('b', 2001)]).toEqual([false, false])
    pass(2000)
    expect([seen('c', 1), seen('b', 1)]).toEqual([false, true])
  })

  it('has the time of this machine and room for 100,000 where nobody says more', () => {
    const seen = rememberInMemory()
    const until = new Date(Date.now() + 60_000)
    expect([seen('a', until), seen('a', until), seen('b', new Date(0)), seen('b', new Date(0))]).toEqual([false, true, false, false])
    for (let i = 0; i < 99_998; i += 1) seen(`${i}`, until)
    expect(seen('a', until)).toBe(true)
    expect(seen('one more, in the place of b', until)).toBe(false)
    expect(() => seen('too many', until)).toThrow(expect.objectContaining({ facts: { most: 100_000 } }))
  })
})
