import { describe, expect, it } from 'vitest'
import { createBudget } from './budget.ts'

const yes = { granted: 'yes' }

describe('the budget of a vendor host', () => {
  it('keeps half of its tokens for authenticated callers', () => {
    const budget = createBudget({ burst: 4, refillMs: 10_000, clock: () => 0 })
    expect([budget.take('anonymous'), budget.take('anonymous')]).toEqual([yes, yes])
    expect(budget.take('anonymous')).toEqual({ granted: 'no', retryAfter: 10 })
    expect([budget.take('authenticated'), budget.take('authenticated')]).toEqual([yes, yes])
    expect(budget.take('authenticated')).toEqual({ granted: 'no', retryAfter: 10 })
    expect(budget.take('anonymous')).toEqual({ granted: 'no', retryAfter: 30 })
  })

  it('refills one token after the other, and never beyond its burst', () => {
    let now = 0
    const budget = createBudget({ burst: 4, refillMs: 10_000, clock: () => now })
    for (let i = 0; i < 4; i += 1) budget.take('authenticated')
    now = 9_000
    expect(budget.take('authenticated')).toEqual({ granted: 'no', retryAfter: 1 })
    now = 10_000
    expect(budget.take('authenticated')).toEqual(yes)
    now = 10_000_000
    const many = Array.from({ length: 6 }, () => budget.take('authenticated').granted)
    expect(many).toEqual(['yes', 'yes', 'yes', 'yes', 'no', 'no'])
  })

  it('honours a pause that the vendor asked for, the longest of several', () => {
    let now = 0
    const budget = createBudget({ burst: 4, refillMs: 10_000, clock: () => now })
    budget.pause(60)
    budget.pause(5)
    expect(budget.take('authenticated')).toEqual({ granted: 'no', retryAfter: 60 })
    now = 59_999
    expect(budget.take('authenticated')).toEqual({ granted: 'no', retryAfter: 1 })
    now = 60_000
    expect(budget.take('authenticated')).toEqual(yes)
  })
})
