import { describe, expect, it } from 'vitest'
import { goodTcb, soundClaims } from '../../../test/snp-claims.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import type { SnpPolicy } from '../policy.ts'
import { strict } from '../strict.ts'
import { tcbMinima } from './minima.ts'

type Stated = NonNullable<NonNullable<SnpPolicy['min_tcb']>['reported']>

/** The answer about REPORTED_TCB under these minima. */
function reported(stated: Stated, claims: SnpClaims): Check {
  const [check] = tcbMinima({ claims, policy: { ...strict.document.snp, min_tcb: { reported: stated } } })
  if (check === undefined) throw new Error('no answer')
  return check
}

/** One that reaches little. */
const low = { ...soundClaims, reported_tcb: { bootloader: 3, tee: 0, snp: 23, microcode: 209 } }

const lowRule = (stated: Stated): string | undefined => reported(stated, low).rule

describe('minima of a TCB', () => {
  it('say part by part what is missing, in the numbers of whoever updates firmware', () => {
    expect(reported({ milan: goodTcb }, low)).toMatchObject({
      rule: 'snp.min_tcb.reported.milan',
      remedy: expect.stringMatching(/^bootloader 0x3, needs 0x4; snp 0x17, needs 0x18; microcode 0xd1, needs 0xdb: ./),
    })
  })

  it('say so of a part that the processor does not have', () => {
    expect(reported({ turin: { fmc: 0 } }, { ...soundClaims, product: 'Turin' })).toMatchObject({
      outcome: 'fail',
      rule: 'snp.min_tcb.reported.turin.fmc',
      expected: 'at least fmc 0',
      remedy: expect.stringMatching(/^fmc none, needs 0x0: ./),
    })
  })

  it('are those of product and model together, each of which may be anything', () => {
    expect(reported({ milan: 'any', cpuid: { '19_01': 'any' } }, low)).toMatchObject({ outcome: 'pass', expected: 'any and any' })
    expect(reported({ milan: { snp: 23 }, cpuid: { '19_01': { microcode: 210 } } }, low)).toMatchObject({
      outcome: 'fail',
      rule: 'snp.min_tcb.reported.cpuid.19_01.microcode',
      expected: 'at least snp 23 and at least microcode 210',
    })
  })

  it('name the rule that all shortfalls have in common', () => {
    expect(lowRule({ milan: { snp: 24, bootloader: 4 } })).toBe('snp.min_tcb.reported.milan')
    expect(lowRule({ milan: { snp: 24 }, cpuid: { '19_01': { snp: 25 } } })).toBe('snp.min_tcb.reported')
    expect(lowRule({ milan: { snp: 24, bootloader: 2 } })).toBe('snp.min_tcb.reported.milan.snp')
  })

  it('by product hold for a report that names no model, minima by model refuse it', () => {
    const nameless = { ...soundClaims, version: 2, cpuid: null }
    expect(reported({ milan: { snp: 24 } }, nameless)).toMatchObject({ outcome: 'pass', expected: 'at least snp 24' })
    expect(reported({ milan: { snp: 25 } }, nameless).outcome).toBe('fail')
    expect(reported({ milan: 'any', cpuid: { '19_01': 'any' } }, nameless)).toMatchObject({
      outcome: 'fail',
      rule: 'snp.min_tcb.reported',
      expected: 'a report that names its model, because minima are stated by model',
    })
  })

  it('refuse what has none: "none for this one" is not "any"', () => {
    expect(reported({ genoa: 'any', cpuid: { '19_11': 'any' } }, soundClaims)).toMatchObject({
      outcome: 'fail',
      rule: 'snp.min_tcb.reported',
      expected: 'a product or model for which the policy states a minimum; it has none for Milan',
    })
  })

  it('find a model by family and model in two digits each', () => {
    const turin = { ...soundClaims, product: 'Turin', cpuid: { family: 0x1a, model: 0x02, stepping: 1 } } as const
    expect(reported({ cpuid: { '1a_02': { snp: 25 }, '1a_20': 'any' } }, turin).rule).toBe('snp.min_tcb.reported.cpuid.1a_02.snp')
  })
})
