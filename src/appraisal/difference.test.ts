import { describe, expect, it } from 'vitest'
import type { Check } from '../verifiers/verifier.ts'
import { differencesOf } from './difference.ts'

const pass = (id: string, title: string, expected = 'x'): Check => ({ id, title, outcome: 'pass', expected, actual: 'x' })
const fail = (id: string, title: string, expected = 'x'): Check => ({
  id,
  title,
  outcome: 'fail',
  code: 'policy-denied',
  expected,
  actual: 'y',
})

describe('the difference of two appraisals', () => {
  it('is nothing where every check ends alike, whatever was found', () => {
    expect(differencesOf([pass('A', 'a')], [{ ...pass('A', 'a'), actual: 'z' }])).toEqual([])
  })

  it.each<[string, Check, Check]>([
    ['another outcome', pass('A', 'a'), fail('A', 'a')],
    ['another expectation', pass('A', 'a', 'x'), pass('A', 'a', 'y')],
    ['a question that is no longer put', pass('A', 'a'), { id: 'A', title: 'a', outcome: 'skip' }],
  ])('is %s', (_, before, after) => {
    expect(differencesOf([pass('B', 'b'), before], [pass('B', 'b'), after])).toEqual([{ id: 'A', title: 'a', before, after }])
  })

  it('names what only one of them asks, what only the first asks last', () => {
    const [gone, come] = [pass('A', 'a'), fail('B', 'b')]
    expect(differencesOf([gone], [come])).toEqual([
      { id: 'B', title: 'b', before: undefined, after: come },
      { id: 'A', title: 'a', before: gone, after: undefined },
    ])
  })

  it('tells checks of one number by title, and of one title by order', () => {
    const before = [pass('A', 'a'), pass('A', 'a'), pass('A', 'b')]
    const after = [pass('A', 'a'), fail('A', 'a'), pass('A', 'b')]
    expect(differencesOf(before, after)).toEqual([{ id: 'A', title: 'a', before: before[1], after: after[1] }])
  })
})
