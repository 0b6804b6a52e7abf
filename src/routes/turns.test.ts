import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createTurns } from './turns.ts'

/** Turns by a clock that moves when a test says so. */
function turnsAt(start: number) {
  let now = start
  return { turns: createTurns(() => now), pass: (milliseconds: number) => (now += milliseconds) }
}

describe('turns', () => {
  it('begin behind others, last two milliseconds, and end', async () => {
    const { turns, pass } = turnsAt(0)
    await turns.next()
    pass(1.9)
    expect(turns.next()).toBeUndefined()
    pass(0.1)
    expect(turns.next()).toBeInstanceOf(Promise)
  })

  it('are given one after the other, and between two of them others work', async () => {
    const { turns, pass } = turnsAt(0)
    const seen: string[] = []
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        await turns.next()
        seen.push(name)
        pass(2)
      }
    }
    const others = async (): Promise<void> => {
      for (let i = 0; i < 6; i += 1) {
        await setImmediate()
        seen.push('-')
      }
    }
    await Promise.all([work('a'), work('b'), others()])
    expect(seen.join('')).toBe('a-b-a-b-a-b-')
  })
})
