import { describe, expect, it } from 'vitest'
import { attempt, readable } from './der-attempt.ts'
import { AttestationError } from './problems.ts'

const malformed = new AttestationError('evidence-malformed', 'no')
const refuse = (): number => {
  throw malformed
}
const fail = (): number => {
  throw new RangeError('ours')
}

describe('an attempt to read', () => {
  it('gives what was read', () => expect([attempt(() => 1), readable(() => 1)]).toEqual([1, 1]))
  it('gives the refusal, or nothing', () => expect([attempt(refuse), readable(refuse)]).toEqual([malformed, undefined]))
  it('lets faults of ours through', () => {
    expect(() => attempt(fail)).toThrow(RangeError)
    expect(() => readable(fail)).toThrow(RangeError)
  })
})
