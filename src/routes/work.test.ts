import { describe, expect, it } from 'vitest'
import { createWork } from './work.ts'

const overloaded = expect.objectContaining({ code: 'overloaded', retryAfter: 1 })

describe('work under way', () => {
  it('runs as much as allowed and refuses the rest at once', async () => {
    const work = createWork({ bodyBytes: 1, inFlight: 2 })
    const gate = Promise.withResolvers<string>()
    const running = [work.run(() => gate.promise), work.run(() => gate.promise)]
    await expect(work.run(async () => 'more')).rejects.toEqual(overloaded)
    gate.resolve('done')
    expect(await Promise.all(running)).toEqual(['done', 'done'])
    expect(await work.run(async () => 'again')).toBe('again')
  })

  it('has a quarter as many places for requests that are judged while they arrive, and takes none of the others for them', async () => {
    const work = createWork({ bodyBytes: 1, inFlight: 5 })
    const gate = Promise.withResolvers<string>()
    const running = [work.runStreamed(() => gate.promise), work.runStreamed(() => gate.promise)]
    await expect(work.runStreamed(async () => 'more')).rejects.toEqual(overloaded)
    expect(await work.run(async () => 'other')).toBe('other')
    gate.resolve('done')
    expect(await Promise.all(running)).toEqual(['done', 'done'])
    expect(await work.runStreamed(async () => 'again')).toBe('again')
  })

  it('gives the place back when a task fails', async () => {
    const work = createWork({ bodyBytes: 1, inFlight: 1 })
    await expect(work.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await work.run(async () => 'next')).toBe('next')
  })

  it('holds bytes up to 32 of the largest bodies', () => {
    const work = createWork({ bodyBytes: 10, inFlight: 1 })
    const release = work.hold(320)
    expect(() => work.hold(1)).toThrow(overloaded)
    release()
    expect(() => work.hold(320)).not.toThrow()
  })
})
