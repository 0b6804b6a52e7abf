import { describe, expect, it } from 'vitest'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import { problemOf } from '../verifiers/problems.ts'
import type { Check } from '../verifiers/verifier.ts'
import { appraise } from './appraise.ts'
import { readPolicy } from './read-policy.ts'
import { appraisalForReader, checksForReader } from './visibility.ts'

const secret = 'ab'.repeat(48)
const { appraisal } = appraise({
  id: 'x',
  mode: 'production',
  freshness: 'challenge',
  policy: readPolicy(`name: a\nsnp: {measurements: [${secret}], host_data: ["${'cd'.repeat(32)}"], csp_ids: ["CN=only-us"]}`, 'a'),
  items: [{ type: 'snp', finding: genuine(soundClaims), fresh: true }],
  keyBinding: 'bound',
  evidenceDigest: '00',
  collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
})

describe('what a reader sees', () => {
  it('hides from anonymous callers what the operator wrote, and keeps outcome, code and what they sent', () => {
    const shown = appraisalForReader(appraisal, { reader: 'anonymous', explain: 'minimal' })
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(JSON.stringify(shown)).not.toContain('cd'.repeat(32))
    expect(shown.evidence[0]?.checks.map(({ id, outcome }) => [id, outcome])).toEqual(
      appraisal.evidence[0]?.checks.map(({ id, outcome }) => [id, outcome]),
    )
    expect(shown.evidence[0]?.checks.find((check) => check.id === 'SNP-63')).toEqual({
      id: 'SNP-63',
      title: 'MEASUREMENT is on the policy’s list',
      origin: 'policy',
      outcome: 'fail',
      code: 'snp-measurement-mismatch',
      actual: soundClaims.measurement,
      remedy: problemOf('snp-measurement-mismatch').remedy,
    })
  })

  it('hides from anonymous callers which sets of reference values the policy names', () => {
    const named = { ...appraisal, reference_values: [{ name: 'nodes', version: 1, sha256: '00' }] }
    expect('reference_values' in appraisalForReader(named, { reader: 'anonymous', explain: 'minimal' })).toBe(false)
    expect(appraisalForReader(named, { reader: 'viewer', explain: 'minimal' })).toEqual(named)
  })

  it('hides from anonymous callers what the policy makes of advisories, not whether they apply', () => {
    const [before, after] = [appraisal, appraisalForReader(appraisal, { reader: 'anonymous', explain: 'minimal' })].map(
      ({ evidence }) => evidence[0]?.advisories ?? [],
    )
    expect(before?.map(({ mode }) => mode)).toEqual(['refuse', 'report'])
    expect(after).toEqual(before?.map(({ id, applies, url }) => ({ id, applies, url })))
  })

  it('shows facts of vendor and specification to everybody', () => {
    const shown = appraisalForReader(appraisal, { reader: 'anonymous', explain: 'minimal' })
    expect(shown.evidence[0]?.checks.find((check) => check.id === 'SNP-51')).toHaveProperty('expected')
  })

  it.each([
    ['a viewer', { reader: 'viewer', explain: 'minimal' }],
    ['everybody under explain: full', { reader: 'anonymous', explain: 'full' }],
  ] as const)('shows everything to %s', (_, view) => expect(appraisalForReader(appraisal, view)).toEqual(appraisal))

  it('hides the expectation and the particular remedy of a check that does not say whose they are', () => {
    const check: Check = { id: 'a', title: 'b', outcome: 'warn', code: 'snp-vmpl-mismatch', expected: 'c', remedy: `use ${secret}` }
    const remedy = problemOf('snp-vmpl-mismatch').remedy
    expect(checksForReader([check], { reader: 'anonymous', explain: 'minimal' })).toEqual([
      { id: 'a', title: 'b', outcome: 'warn', code: 'snp-vmpl-mismatch', remedy },
    ])
  })
})
