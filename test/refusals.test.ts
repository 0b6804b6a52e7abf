import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writtenChecks } from '../scripts/written-checks.ts'
import { mendersOf, refusalsPage } from '../scripts/refusals-page.ts'
import { SPECIFICATION_CHECKS } from '../scripts/specification-checks.ts'
import { PROBLEM_CODES } from '../src/verifiers/problems.ts'

const PAGE = resolve(import.meta.dirname, '../docs/refusals.md')

describe('docs/refusals.md', () => {
  it('is the one that the tables make', () => {
    expect(refusalsPage()).toBe(readFileSync(PAGE, 'utf8'))
  })

  it('has every code once, and says who mends it', () => {
    const rows = refusalsPage().match(/^\| `[^`]+` \|/gm) ?? []
    expect(rows.toSorted()).toEqual(PROBLEM_CODES.map((code) => `| \`${code}\` |`).toSorted())
    expect(PROBLEM_CODES.filter((code) => mendersOf(code).length === 0)).toEqual([])
  })

  it.each([
    ['snp-tcb-reported-below-minimum', ['owner of the host', 'owner of the guest']],
    ['snp-measurement-mismatch', ['owner of the guest', 'operator']],
    ['tdx-crl-expired', ['operator']],
    ['tdx-certificate-expired', ['owner of the host', 'operator']],
    ['collateral-expired', ['caller', 'operator']],
    ['snp-report-size', ['caller']],
  ] as const)('%s is mended by %j', (code, menders) => {
    expect(mendersOf(code)).toEqual(menders)
  })
})

describe('the numbered checks', () => {
  it('hold every code of a technology, and no check twice', () => {
    const known = new Set(SPECIFICATION_CHECKS.flatMap(([, , codes]) => codes))
    expect(PROBLEM_CODES.filter((code) => /^(?:snp|tdx|sgx|tpm)-/.test(code) && !known.has(code))).toEqual([])
    const ids = SPECIFICATION_CHECKS.map(([id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('are those under which the rules of the code are written', () => {
    const written = [...writtenChecks()].flatMap(([code, ids]) => ids.map((id) => `${id} ${code}`))
    const specified = new Set(SPECIFICATION_CHECKS.flatMap(([id, , codes]) => codes.map((code) => `${id} ${code}`)))
    // A search that found nothing would be content with any table.
    expect(written.length).toBeGreaterThan(100)
    expect(written.filter((pair) => !specified.has(pair))).toEqual([])
  })
})
