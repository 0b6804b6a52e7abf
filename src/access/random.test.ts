import { describe, expect, it } from 'vitest'
import { randomName } from './random.ts'

describe('a random name', () => {
  it('has the length asked for and is never given twice, however many are drawn', () => {
    const names = Array.from({ length: 2000 }, () => randomName(12))
    expect(names.every((name) => name.length === 12)).toBe(true)
    expect(new Set(names.map((name) => name.toString('hex'))).size).toBe(names.length)
  })

  it('stays as it was when later ones are drawn', () => {
    const name = randomName(16)
    const text = name.toString('hex')
    for (let i = 0; i < 1000; i++) randomName(16)
    expect(name.toString('hex')).toBe(text)
    expect(text).not.toBe('00'.repeat(16))
  })
})
