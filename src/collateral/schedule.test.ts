import { describe, expect, it } from 'vitest'
import { nextRefresh, nextTry } from './schedule.ts'

const fetchedAt = new Date('2026-01-01T00:00:00Z')
const after = (ms: number): Date => new Date(fetchedAt.getTime() + ms)
const DAY = 86_400_000

describe('the next refresh', () => {
  it('is at half of the validity, up to a tenth earlier', () => {
    expect(nextRefresh({ fetchedAt, expiresAt: after(30 * DAY) }, { random: 0, longest: Infinity })).toEqual(after(15 * DAY))
    expect(nextRefresh({ fetchedAt, expiresAt: after(30 * DAY) }, { random: 0.5, longest: Infinity })).toEqual(after(14.25 * DAY))
  })

  it('counts no more of the validity than is said', () => {
    expect(nextRefresh({ fetchedAt, expiresAt: after(30 * DAY) }, { random: 0, longest: DAY })).toEqual(after(DAY / 2))
    expect(nextRefresh({ fetchedAt, expiresAt: after(DAY / 2) }, { random: 0, longest: DAY })).toEqual(after(DAY / 4))
  })

  it('is a minute away at least, even for a list that has ended', () => {
    expect(nextRefresh({ fetchedAt, expiresAt: after(10_000) }, { random: 0, longest: DAY })).toEqual(after(60_000))
    expect(nextRefresh({ fetchedAt, expiresAt: after(-DAY) }, { random: 0.9, longest: DAY })).toEqual(after(60_000))
  })
})

describe('the next try', () => {
  it.each([
    [1, 10_000],
    [2, 20_000],
    [4, 80_000],
    [7, 600_000],
    [1000, 600_000],
  ])('after %i failures is %i ms away', (failures, ms) => expect(nextTry(fetchedAt, failures, { random: 0 })).toEqual(after(ms)))

  it('is never before the vendor allows it, and spread by a tenth', () => {
    expect(nextTry(fetchedAt, 1, { random: 0, retryAfter: 3600 })).toEqual(after(3_600_000))
    expect(nextTry(fetchedAt, 1, { random: 0.5 })).toEqual(after(10_500))
  })
})
