import { describe, expect, it } from 'vitest'
import { goodTcb } from '../../../test/snp-claims.ts'
import { reaches, sameTcb } from './tcb.ts'

describe('reaches', () => {
  it('compares each part that is stated', () => {
    expect(reaches(goodTcb, { bootloader: 4, snp: 24 })).toBe(true)
    expect(reaches(goodTcb, { bootloader: 5, snp: 0 })).toBe(false)
    expect(reaches(goodTcb, {})).toBe(true)
  })

  it('does not find a part that the processor does not have', () => {
    expect(reaches(goodTcb, { fmc: 0 })).toBe(false)
    expect(reaches({ ...goodTcb, fmc: 0 }, { fmc: 0 })).toBe(true)
  })
})

describe('sameTcb', () => {
  it('sees any difference, in either direction, also a part that one side lacks', () => {
    expect(sameTcb(goodTcb, { ...goodTcb })).toBe(true)
    expect(sameTcb(goodTcb, { ...goodTcb, tee: 1 })).toBe(false)
    expect(sameTcb({ ...goodTcb, tee: 1 }, goodTcb)).toBe(false)
    expect(sameTcb({ ...goodTcb, fmc: 0 }, goodTcb)).toBe(false)
  })
})
