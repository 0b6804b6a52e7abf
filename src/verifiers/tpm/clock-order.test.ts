import { describe, expect, it } from 'vitest'
import type { QuoteClock } from './context.ts'
import { regressionOf } from './clock-order.ts'

const at = (clock: number, resetCount: number, restartCount: number): QuoteClock => ({ clock: BigInt(clock), resetCount, restartCount })

describe('two quotes of one key', () => {
  it.each<[string, QuoteClock, QuoteClock, ReturnType<typeof regressionOf>]>([
    ['a later clock', at(10, 3, 1), at(11, 3, 1), undefined],
    ['the same clock: a virtual TPM makes two quotes in a millisecond', at(10, 3, 1), at(10, 3, 1), undefined],
    ['an earlier clock', at(10, 3, 1), at(9, 3, 1), 'clock'],
    ['a resume', at(10, 3, 1), at(11, 3, 2), undefined],
    ['a resume taken back', at(10, 3, 1), at(11, 3, 0), 'restartCount'],
    ['a reset, which zeroes the restarts and may lose some of the clock', at(150_341, 3, 1), at(150_311, 4, 0), undefined],
    ['a reset taken back', at(10, 4, 0), at(11, 3, 5), 'resetCount'],
    ['a reset at the end of the counter’s range', at(10, 0xffff_ffff, 0), at(1, 0, 0), undefined],
    ['a reset taken back over the end of the range', at(10, 0, 0), at(11, 0xffff_ffff, 0), 'resetCount'],
    ['a restart at the end of the range', at(10, 3, 0xffff_ffff), at(11, 3, 0), undefined],
    ['half of the range: no longer "not lower"', at(10, 0, 0), at(11, 0x8000_0000, 0), 'resetCount'],
    ['just below half of the range', at(10, 0, 0), at(11, 0x7fff_ffff, 0), undefined],
    ['a clock beyond 2^53', at(0, 3, 1), { ...at(0, 3, 1), clock: 2n ** 64n - 1n }, undefined],
  ])('with %s', (_, previous, ...[next, what]) => {
    expect(regressionOf(previous, next)).toBe(what)
  })
})
