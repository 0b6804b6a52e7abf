import { beforeAll, describe, expect, it } from 'vitest'
import {
  AT,
  failuresOf,
  intelLab,
  warningsOf,
  type CollateralChanges,
  type CollateralLabOfIntel,
} from '../../../test/tdx-collateral-lab.ts'

const HOUR = 3_600_000

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

const ended = (): CollateralChanges => {
  const window = { issueDate: lab.at(-2 * HOUR), nextUpdate: lab.at(-HOUR) }
  const list = { thisUpdate: lab.at(-2 * HOUR), nextUpdate: lab.at(-HOUR) }
  return {
    documents: {
      ...lab.root(list).documents,
      ...lab.pck(list).documents,
      [AT.info]: lab.intel.tcbInfo(window),
      [AT.identity]: lab.intel.qeIdentity(window),
    },
  }
}

describe('time (TDX-31 to 34)', () => {
  it('is tolerated by the policy’s grace for lists and documents, to the second, and told', () => {
    const graced = lab.judge({ ...ended(), rigour: { collateralGraceSeconds: 3600 } })
    expect(warningsOf(graced)).toEqual(['tdx-crl-expired', 'tdx-crl-expired', 'tdx-tcb-info-expired', 'tdx-qe-identity-expired'])
    expect([failuresOf(graced), graced.verdict?.claims.collateral_expired]).toEqual([[], true])
    expect(Math.min(...(graced.verdict?.validUntil ?? []).map((date) => date.getTime()))).toBe(lab.now.getTime())
    expect(failuresOf(lab.judge({ ...ended(), rigour: { collateralGraceSeconds: 3599 } }))).toHaveLength(4)
  })

  it('has no grace for a certificate, a list without end, the future or a revocation', () => {
    const rigour = { collateralGraceSeconds: 86_400 }
    const old = lab.intel.reissue('tcb-signing', { notAfter: lab.at(-1000) }).der
    expect(failuresOf(lab.judge({ ...lab.info({ chain: [old, lab.intel.authority('root').der] }), rigour }))).toEqual([
      'tdx-certificate-expired',
    ])
    expect(failuresOf(lab.judge({ ...lab.pck({ nextUpdate: 'absent' }), rigour }))).toEqual(['tdx-crl-expired'])
    expect(failuresOf(lab.judge({ ...lab.pck({ thisUpdate: lab.at(1000) }), rigour }))).toEqual(['tdx-crl-not-yet-valid'])
    const revoked = [lab.intel.authority('platform').serial]
    expect(failuresOf(lab.judge({ ...lab.root({ revoked, nextUpdate: lab.at(-1000) }), rigour }))).toEqual(['tdx-intermediate-ca-revoked'])
  })

  it.each([
    [0, 1, 'tdx-tcb-info-not-yet-valid'],
    [60, 60, 'none'],
    [60, 61, 'tdx-tcb-info-not-yet-valid'],
    [10_000, 300, 'none'],
    [10_000, 301, 'tdx-tcb-info-not-yet-valid'],
    [-5, 1, 'tdx-tcb-info-not-yet-valid'],
  ])('a skew of %d s lets a document begin %d s from now: %s', (skewSeconds, seconds, code) => {
    const judged = lab.judge({ ...lab.info({ issueDate: lab.at(seconds * 1000) }), rigour: { skewSeconds } })
    expect(failuresOf(judged)).toEqual(code === 'none' ? [] : [code])
  })

  it('includes both ends without a word', () => {
    const window = { issueDate: lab.now, nextUpdate: lab.now }
    const list = { thisUpdate: lab.now, nextUpdate: lab.now }
    const documents = {
      ...lab.root(list).documents,
      ...lab.pck(list).documents,
      ...lab.info(window).documents,
      ...lab.identity(window).documents,
    }
    const judged = lab.judge({ documents })
    expect([failuresOf(judged), warningsOf(judged), judged.verdict?.claims.collateral_expired]).toEqual([[], [], false])
  })

  it('does not stretch an end by the skew', () => {
    expect(failuresOf(lab.judge({ ...lab.info({ nextUpdate: lab.at(-1000) }), rigour: { skewSeconds: 300 } }))).toEqual([
      'tdx-tcb-info-expired',
    ])
  })

  it.each([[AT.info], [AT.identity], [AT.pck], [AT.root]] as const)('%s is not rolled back', (address) => {
    const mark = (thisUpdate: Date) => new Map([[address, { number: 999n, thisUpdate }]])
    expect(failuresOf(lab.judge({ marks: mark(lab.at(-HOUR)) }))).toEqual([])
    expect(failuresOf(lab.judge({ marks: mark(lab.at(-HOUR + 1000)) }))).toEqual(['tdx-collateral-rollback'])
    expect(failuresOf(lab.judge({ marks: new Map([[address, 'strictest']]) }))).toEqual(['tdx-collateral-rollback'])
  })
})
