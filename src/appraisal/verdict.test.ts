import { describe, expect, it } from 'vitest'
import type { Check } from '../verifiers/verifier.ts'
import { highestRanked, statusOfChecks, worstStatus } from './verdict.ts'

const passed: Check = { id: 'a', title: 'b', outcome: 'pass' }
const skipped: Check = { id: 'a', title: 'b', outcome: 'skip' }
const warned: Check = { id: 'a', title: 'b', outcome: 'warn', code: 'snp-vmpl-mismatch' }
const failed: Check = { id: 'a', title: 'b', outcome: 'fail', code: 'snp-vmpl-mismatch' }

describe('statusOfChecks', () => {
  it.each([
    [[passed, skipped], 'affirming'],
    [[passed, warned], 'warning'],
    [[passed, warned, failed], 'contraindicated'],
    [[], 'contraindicated'],
    [[skipped], 'contraindicated'],
    [[warned], 'contraindicated'],
  ] as const)('of %o is %s', (checks, status) => expect(statusOfChecks(checks)).toBe(status))
})

describe('worstStatus', () => {
  it('is that of the worst part, and of nothing the worst there is', () => {
    expect(worstStatus(['affirming', 'warning', 'affirming'])).toBe('warning')
    expect(worstStatus(['affirming', 'contraindicated', 'warning'])).toBe('contraindicated')
    expect(worstStatus(['affirming', 'none'])).toBe('none')
    expect(worstStatus(['affirming'])).toBe('affirming')
    expect(worstStatus([])).toBe('contraindicated')
  })
})

describe('highestRanked', () => {
  it('is the first in the table of problems, whatever the order', () => {
    expect(highestRanked(['snp-vmpl-mismatch', 'snp-signature-invalid', 'snp-chain-invalid'])).toBe('snp-chain-invalid')
    expect(highestRanked(['snp-vmpl-mismatch', 'collateral-unavailable'])).toBe('collateral-unavailable')
    expect(highestRanked([])).toBeUndefined()
  })
})
