import { describe, expect, it } from 'vitest'
import { policyFromShorthand } from '../../test/policy-shorthand.ts'
import type { PolicyShorthand } from '../../test/policy-shorthand.ts'
import type { Decoded } from '../../test/snp-claims.ts'
import { claimsFromDecoded, genuine } from '../../test/snp-claims.ts'
import { vectorJson, vectorsPresent } from '../../test/vectors.ts'
import { appraise } from './appraise.ts'
import type { ActivePolicy } from './policy-set.ts'
import { readPolicy } from './read-policy.ts'
import { codesOf } from './verdict.ts'

type Case = {
  readonly case: string
  readonly class?: string
  readonly decoded?: Decoded
  readonly policy?: PolicyShorthand | null
  readonly expected: { readonly verdict: string; readonly codes: readonly string[]; readonly default_policy_findings?: readonly string[] }
}

const casesOf = (path: string): readonly Case[] => (vectorsPresent() ? (vectorJson(path) as { cases: readonly Case[] }).cases : [])

const refusals = (decoded: Decoded, policy: ActivePolicy): readonly string[] => {
  const { appraisal } = appraise({
    id: 'x',
    mode: 'test',
    freshness: 'none',
    policy,
    items: [{ type: 'snp', finding: genuine(claimsFromDecoded(decoded)), fresh: false }],
    keyBinding: 'not-asked',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  })
  return codesOf(
    appraisal.evidence.flatMap((item) => item.checks),
    'fail',
  )
}

const anyMeasurement = readPolicy('{"name": "defaults", "snp": {"measurements": "DANGEROUSLY_ACCEPT_ANY"}}', 'test')

/** The order of TCBs is no option (section 2.1), except that of reported and committed, which is on unless a policy turns it off. */
const ALWAYS: readonly string[] = ['pol-reported-above-current', 'pol-committed-above-current', 'pol-reported-above-committed']
/** Its committed TCB equals the current one, so it is above both. */
const BESIDES: Readonly<Record<string, readonly string[]>> = { 'pol-reported-above-current': ['snp-tcb-reported-above-committed'] }

describe.skipIf(!vectorsPresent())('the policy cases of the synthetic vectors', () => {
  const cases = casesOf('snp/_synthetic/MANIFEST.json').filter((row) => row.class === 'policy' && row.case !== 'pol-author-inconsistent')

  it('are there', () => expect(cases.length).toBeGreaterThan(30))

  it.each(cases.map((row) => [row.case, row] as const))('%s is refused for exactly what it names', (name, row) => {
    expect(refusals(row.decoded as Decoded, policyFromShorthand(row.policy))).toEqual([...row.expected.codes, ...(BESIDES[name] ?? [])])
  })

  it.each(cases.map((row) => [row.case, row] as const))('%s is accepted when its option is not named', (name, row) => {
    const expected = ALWAYS.includes(name) ? [...row.expected.codes, ...(BESIDES[name] ?? [])] : []
    expect(refusals(row.decoded as Decoded, policyFromShorthand({}))).toEqual(expected)
  })
})

describe.skipIf(!vectorsPresent())('the good synthetic vectors under the defaults', () => {
  const cases = casesOf('snp/_synthetic/MANIFEST.json').filter((row) => row.case.startsWith('ok-') && row.case !== 'ok-milan-v2')

  it.each(cases.map((row) => [row.case, row] as const))('%s is accepted', (_, row) => {
    expect(refusals(row.decoded as Decoded, anyMeasurement)).toEqual([])
  })
})

describe.skipIf(!vectorsPresent())('the genuine vectors under the defaults', () => {
  const cases = casesOf('snp/MANIFEST.json').filter((row) => row.expected.verdict === 'pass' && row.decoded !== undefined)

  it('are there', () => expect(cases.length).toBeGreaterThan(20))

  it.each(cases.map((row) => [row.case, row] as const))('%s gets the findings of its manifest', (_, row) => {
    const findings = (row.expected.default_policy_findings ?? []).filter((code) => !code.startsWith('info:'))
    expect(refusals(row.decoded as Decoded, anyMeasurement).toSorted()).toEqual(findings.toSorted())
  })
})
