import { describe, expect, it } from 'vitest'
import { AttestationError } from './problems.ts'
import { isZero, runRules, skipped, type Rule } from './checks.ts'
import { attempt } from './der-attempt.ts'

const even: Rule<number> = {
  id: 'SNP-02',
  title: 'The number is even',
  code: 'snp-report-version-unsupported',
  at: 'VERSION',
  expected: 'an even number',
  actual: (n) => `${n}`,
  holds: (n) => n % 2 === 0,
}
const small: Rule<number> = { ...even, id: 'SNP-03', title: 'The number is small', expected: 'below 10', holds: (n) => n < 10 }
const before = [skipped({ id: 'SNP-01', title: 'Before' }, 'not asked')]

describe('runRules', () => {
  it('lists what came before and what passed, with the values', () =>
    expect(runRules([even, small], 4, before)).toEqual([
      { id: 'SNP-01', title: 'Before', outcome: 'skip', actual: 'not asked' },
      { id: 'SNP-02', title: 'The number is even', outcome: 'pass', actual: '4', expected: 'an even number', origin: 'specification' },
      { id: 'SNP-03', title: 'The number is small', outcome: 'pass', actual: '4', expected: 'below 10', origin: 'specification' },
    ]))

  it('stops at the first that does not hold, with its code, field, values and remedy', () => {
    const error = attempt(() => runRules([even, small], 11, before))
    expect(error).toMatchObject({
      code: 'snp-report-version-unsupported',
      at: 'VERSION',
      message: 'The number is even: expected an even number, found 11',
      checks: [
        { id: 'SNP-01', outcome: 'skip' },
        { id: 'SNP-02', outcome: 'fail', code: 'snp-report-version-unsupported', actual: '11', remedy: expect.stringContaining('Update') },
      ],
    })
  })
})

describe('attempt', () => {
  it('gives the value, or the AttestationError', () => {
    const error = new AttestationError('snp-report-size', 'short')
    expect(attempt(() => 7)).toBe(7)
    expect(
      attempt(() => {
        throw error
      }),
    ).toBe(error)
  })

  it('lets a fault of ours pass through', () =>
    expect(() =>
      attempt(() => {
        throw new TypeError('a fault')
      }),
    ).toThrowError(TypeError))
})

describe('isZero', () => {
  it('is true of nothing but zeros', () => {
    expect([isZero(new Uint8Array(0)), isZero(new Uint8Array(3))]).toEqual([true, true])
    expect([isZero(Uint8Array.of(0, 0, 1)), isZero(Uint8Array.of(128, 0))]).toEqual([false, false])
  })
})
