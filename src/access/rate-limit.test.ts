import { describe, expect, it } from 'vitest'
import { createRateLimits } from './rate-limit.ts'

const limited = expect.objectContaining({ code: 'rate-limited' })

const countPassed = async (take: () => Promise<void>, times: number): Promise<number> => {
  const outcomes = await Promise.allSettled(Array.from({ length: times }, () => take()))
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

describe('take', () => {
  it('lets so many through and tells the rest how long to wait', async () => {
    const limits = createRateLimits({ requests: 5, seconds: 3600 })
    expect(await countPassed(() => limits.take('192.0.2.0/24'), 20)).toBe(5)
    const error: unknown = await limits.take('192.0.2.0/24').catch((reason: unknown) => reason)
    expect(error).toEqual(limited)
    const { retryAfter } = error as { retryAfter: number }
    expect(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 3600).toBe(true)
  })

  it('tells to wait for what is left of the time', async () => {
    const limits = createRateLimits({ requests: 1, seconds: 100_000 })
    await limits.take('a')
    const error: unknown = await limits.take('a').catch((reason: unknown) => reason)
    expect(error).toHaveProperty('message', 'too many requests from this network or caller')
    const { retryAfter } = error as { retryAfter: number }
    expect(retryAfter > 50_000 && retryAfter <= 100_000).toBe(true)
  })

  it('counts each prefix for itself', async () => {
    const limits = createRateLimits({ requests: 1, seconds: 3600 })
    await limits.take('192.0.2.0/24')
    await expect(limits.take('198.51.100.0/24')).resolves.toBeUndefined()
    await expect(limits.take('192.0.2.0/24')).rejects.toEqual(limited)
  })

  it('forgets the prefix that was longest unseen when there are too many, and none that is in use', async () => {
    const limits = createRateLimits({ requests: 2, seconds: 3600, known: 2 })
    await limits.take('a')
    await limits.take('b')
    await limits.take('a')
    await limits.take('c')
    await expect(limits.take('a')).rejects.toEqual(limited)
    expect(await countPassed(() => limits.take('b'), 3)).toBe(2)
  })

  it('gives the allowance anew when its time is over', async () => {
    const limits = createRateLimits({ requests: 1, seconds: 1 })
    await limits.take('a')
    await expect(limits.take('a')).rejects.toEqual(limited)
    await expect.poll(() => countPassed(() => limits.take('a'), 1), { timeout: 10_000, interval: 200 }).toBe(1)
  })
})

describe('check', () => {
  it('refuses where nothing is left, and takes nothing', async () => {
    const limits = createRateLimits({ requests: 2, seconds: 3600 })
    for (let i = 0; i < 5; i++) await limits.check('a')
    await limits.take('a')
    await limits.check('a')
    await limits.take('a')
    await expect(limits.check('a')).rejects.toEqual(limited)
    await expect(limits.check('b')).resolves.toBeUndefined()
  })
})
