import { describe, expect, it } from 'vitest'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import type { Check } from '../verifiers/verifier.ts'
import { appraise } from './appraise.ts'
import { canonicalJson } from './canonical.ts'
import { judge, oneOf, type Question } from './check.ts'
import { differencesOf } from './difference.ts'
import { PolicyError } from './read-document.ts'
import { readPolicy } from './read-policy.ts'

/** What is wrong with a policy, in words with their place. */
function problemsOf(members: object): readonly string[] {
  try {
    readPolicy(JSON.stringify({ name: 'edge', ...members }), 'edge')
    return []
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('rules that cannot hold', () => {
  it.each<readonly [object, string]>([
    [
      { snp: { policy_values: ['0x10000'], guest_policy: { smt: 'deny' } } },
      'snp.policy_values[0]: guest_policy.smt refuses every guest with this value',
    ],
    [
      { tdx: { td_attributes: { values: ['0x1'], sept_ve_disable: 'any' } } },
      'tdx.td_attributes.values[0]: td_attributes.debug refuses every TD with this value',
    ],
    [
      { tdx: { td_attributes: { values: ['0x2000000000'] } } },
      'tdx.td_attributes.values[0]: td_attributes.sept_ve_disable refuses every TD with this value',
    ],
    [{ tdx: { xfam: { allowed: '0x3', required: '0x7' } } }, 'tdx.xfam.required: requires a bit that `allowed` does not allow'],
    [{ tdx: { xfam: { allowed: '0x3', values: ['0x7'] } } }, 'tdx.xfam.values[0]: allowed and required refuse every TD with this value'],
    [
      { tdx: { accepted_advisories: ['INTEL-SA-00001', 'INTEL-SA-00002'], denied_advisories: ['INTEL-SA-00002'] } },
      'tdx.accepted_advisories: an advisory is listed here and in denied_advisories',
    ],
    [
      { sgx: { mr_signer: ['ab'.repeat(32)], isv_prod_id: [1] }, warn: ['sgx.mr_signer'] },
      'warn[0]: says which enclaves may run where mr_enclave does not: if any may, write `sgx.mr_enclave: DANGEROUSLY_ACCEPT_ANY`',
    ],
  ])('%o', (members, problem) => expect(problemsOf(members)).toEqual([problem]))
})

const QUESTION: Question = { id: 'SNP-69', title: 'VMPL', code: 'snp-vmpl-mismatch', origin: 'policy' }

const remedyOf = (length: number): string => {
  const check = judge(QUESTION, false, { actual: 'a', expected: 'b'.repeat(length - 1) })
  return check.outcome === 'fail' ? (check.remedy ?? '') : ''
}

describe('what a refusal says', () => {
  it('repeats what was found and expected while that is short', () => {
    expect(remedyOf(100)).toMatch(/^a, needs b{99}: ./)
    expect(remedyOf(101)).not.toContain('needs b')
  })

  it('tells eight of a list, and how many there are', () => {
    expect(oneOf([1, 2, 3, 4, 5, 6, 7, 8])).toBe('one of 1, 2, 3, 4, 5, 6, 7, 8')
    expect(oneOf([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe('one of 1, 2, 3, 4, 5, 6, 7, 8, … (9 in all)')
    expect(oneOf([1])).toBe('1')
  })
})

const checks = (...outcomes: readonly ('pass' | 'skip')[]): readonly Check[] =>
  outcomes.map((outcome) => ({ id: 'a', title: 'b', outcome }))

describe('differences', () => {
  it('tell checks of one number and title apart by their order', () => {
    const [before, after] = [checks('pass', 'pass', 'pass', 'pass'), checks('pass', 'pass', 'skip', 'pass')]
    expect(differencesOf(before, after)).toEqual([{ id: 'a', title: 'b', before: before[2], after: after[2] }])
  })
})

describe('an appraisal', () => {
  it('names the sets that gave its policy values, and none where there were none', () => {
    const policy = readPolicy(JSON.stringify({ name: 'a', snp: { measurements: [soundClaims.measurement] } }), 'a')
    const used = [{ name: 'nodes', version: 3, sha256: 'ab'.repeat(32) }]
    const judged = (sets: object) =>
      appraise({
        id: 'x',
        mode: 'test',
        freshness: 'challenge',
        policy: { ...policy, ...sets },
        items: [{ type: 'snp', finding: genuine(soundClaims), fresh: true }],
        keyBinding: 'bound',
        evidenceDigest: '00',
        collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
      }).appraisal
    expect(judged({ sets: { used, ends: new Map() } }).reference_values).toEqual(used)
    expect(judged({})).not.toHaveProperty('reference_values')
  })
})

it('canonical JSON says which number it cannot hold', () => {
  expect(() => canonicalJson([1.5])).toThrow('1.5 is not a safe integer')
})
