import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx } from '../../test/intel-judged.ts'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import type { Claims } from '../verifiers/verifier.ts'
import { policyDocument } from './policy.ts'
import { readPolicy } from './read-policy.ts'
import { covers } from './rule-paths.ts'

/** Members that are no rules of their own: how a rule is asked, or what the verifiers decide. */
const NOT_RULES = [
  'snp.crl',
  'snp.masked_chip_id',
  'snp.min_build',
  'snp.id_key_enforcement',
  'tdx.collateral_grace_seconds',
  'tdx.skew_seconds',
  'tdx.xfam.ignored',
  'sgx.collateral_grace_seconds',
  'sgx.skew_seconds',
]

type Node = z.core.JSONSchema._JSONSchema

/** The members of a section, by their paths; those of minima are left to the minimum. */
function leaves(node: Node, path: string): readonly string[] {
  const members = typeof node === 'boolean' ? {} : (node.properties ?? {})
  if (Object.keys(members).length === 0 || path === 'snp.min_tcb') return [path]
  return Object.entries(members).flatMap(([name, member]) => leaves(member, path === '' ? name : `${path}.${name}`))
}

const { snp, tdx, sgx } = policyDocument.shape
const documented = leaves(z.toJSONSchema(z.strictObject({ snp, tdx, sgx }), { io: 'input', unrepresentable: 'any' }), '')
const rules = documented.filter((path) => !NOT_RULES.some((other) => covers(other, path)))

const each: readonly Claims[] = [{ snp: soundClaims }, { tdx: soundTdx }, { sgx: soundSgx }]
const checks = each.flatMap((claims) => checksOf(judgedUnder({}, claims.snp === undefined ? genuineQuote(claims) : genuine(claims.snp))))
const asked = new Set(checks.flatMap(({ rule }) => (rule === undefined ? [] : [rule])))

const DANGEROUS = /measurements|debug|migrate_ma|other_tud_bits|reserved_bits|mr_td|mr_enclave/
const readWarning = (path: string) => () => readPolicy(JSON.stringify({ name: 'a', warn: [path] }), 'a')

describe('the path of a rule', () => {
  it.each(rules)('%s is told by the check that answers for it, asked or not', (path) => {
    expect([...asked].filter((rule) => covers(path, rule))).not.toEqual([])
  })

  it.each([...asked].filter((rule) => /^(?:snp|tdx|sgx)\./.test(rule)))('%s of a check stands in the document', (rule) => {
    expect(documented.some((path) => covers(path, rule))).toBe(true)
  })

  it('stands at every check that policy makes', () => {
    expect(checks.filter(({ origin, rule }) => origin === 'policy' && rule === undefined)).toEqual([])
    expect(rules.length).toBeGreaterThan(90)
  })

  it.each(rules.filter((path) => !DANGEROUS.test(path)))('%s may be warned of', (path) => {
    expect(readWarning(path)().document.warn).toEqual([path])
  })

  it.each(rules.filter((path) => DANGEROUS.test(path)))('%s is weakened by its own word only', (path) => {
    expect(readWarning(path)).toThrow(/DANGEROUSLY_…/)
  })
})
