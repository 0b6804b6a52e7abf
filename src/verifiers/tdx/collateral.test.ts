import { beforeAll, describe, expect, it } from 'vitest'
import { AT, failuresOf, intelLab, type CollateralChanges, type CollateralLabOfIntel } from '../../../test/tdx-collateral-lab.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { createMemo } from '../../service/memo.ts'
import { anchorsOf } from '../anchors.ts'
import { judgeCollateral } from './collateral.ts'

const HOUR = 3_600_000

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

describe('the healthy case', () => {
  it('has a verdict, and every check is made once or for each of its subjects', () => {
    const { checks, verdict, undecided } = lab.judge()
    expect([failuresOf({ checks }), undecided, verdict?.tcb.status]).toEqual([[], undefined, 'UpToDate'])
    const ids = new Set(checks.map(({ id }) => id))
    const numbers = [
      27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 47, 48, 49, 50, 51, 53, 54, 55, 56, 57, 58, 59, 60, 88,
    ]
    expect([...ids].toSorted()).toEqual(numbers.map((number) => `TDX-${number}`))
    expect(checks.every(({ outcome }) => outcome === 'pass')).toBe(true)
  })

  it('ends with the first of all that was relied on', () => {
    const until = lab.judge().verdict?.validUntil.map((date) => date.getTime()) ?? []
    expect(new Date(Math.min(...until))).toEqual(lab.at(30 * 24 * HOUR - HOUR))
    // Root, CA and leaf of the PCK, twice signer and root of a signing chain, two lists, two documents.
    expect(until).toHaveLength(11)
  })

  it('says what it relied on', () => {
    const { claims, tcb } = lab.judge().verdict ?? {}
    expect(claims).toMatchObject({
      pck_crl_num: '1',
      root_ca_crl_num: '1',
      collateral_expired: false,
      latest_issue_date: '2026-11-23T11:00:00Z',
    })
    expect(claims?.earliest_expiration_date).toBe('2026-12-23T11:00:00Z')
    expect(claims?.root_key_id).toMatch(/^[0-9a-f]{96}$/)
    expect([tcb?.shortfall, tcb?.needed_tcb_date, tcb?.launch, tcb?.current]).toEqual([[], null, null, null])
  })

  it('is the same from memory, and remembers no failure', () => {
    const input = lab.input()
    const first = judgeCollateral(input)
    expect(judgeCollateral(input)).toEqual(first)
    const spoiled = lab.input({ ...lab.info({ signWith: p256Keys().privateKey }), context: { memo: input.context.memo } })
    expect([failuresOf(judgeCollateral(spoiled)), failuresOf(judgeCollateral(spoiled))]).toEqual([
      ['tdx-tcb-info-invalid-signature'],
      ['tdx-tcb-info-invalid-signature'],
    ])
  })

  it.each<[string, () => CollateralChanges, object]>([
    ['list of the root', () => lab.root({ number: 7n, thisUpdate: lab.at(-9 * HOUR) }), { root_ca_crl_num: '7' }],
    ['list of the PCK authority', () => lab.pck({ number: 8n, thisUpdate: lab.at(-9 * HOUR) }), { pck_crl_num: '8' }],
    ['TCB info', () => lab.info({ nextUpdate: lab.at(HOUR) }), { earliest_expiration_date: '2026-11-23T13:00:00Z' }],
    ['QE identity', () => lab.identity({ nextUpdate: lab.at(2 * HOUR) }), { earliest_expiration_date: '2026-11-23T14:00:00Z' }],
  ])('tells of another %s as soon as it is there', (_, changes, told) => {
    const before = lab.input()
    judgeCollateral(before)
    const replaced = { ...before, collateral: lab.input(changes()).collateral }
    const { verdict } = judgeCollateral(replaced)
    expect(verdict?.claims).toMatchObject(told)
    // Nobody has seen this chain before, so that nothing of it is remembered.
    expect(judgeCollateral({ ...replaced, pck: { ...before.pck } }).verdict).toEqual(verdict)
  })

  it('remembers for one mode and one set of anchors alone', () => {
    const input = lab.input()
    expect(failuresOf(judgeCollateral(input))).toEqual([])
    const chains = ['tdx-tcb-signing-chain-invalid', 'tdx-tcb-signing-chain-invalid']
    expect(failuresOf(judgeCollateral({ ...input, context: { ...input.context, mode: 'production' } }))).toEqual(chains)
    expect(failuresOf(judgeCollateral({ ...input, anchors: anchorsOf([], []) }))).toEqual(chains)
  })

  it('puts nothing into memory that is not proven', () => {
    const kept: string[] = []
    const table = { get: () => undefined, set: (key: string) => void kept.push(key) }
    const memo = { ...createMemo(), tdx: { ...createMemo().tdx, crl: table, tcbInfo: table, qeIdentity: table } }
    const { privateKey: signWith } = p256Keys()
    const spoiled = {
      ...lab.root({ overrides: { signWith: { privateKey: signWith } } }).documents,
      ...lab.pck({ overrides: { signWith: { privateKey: signWith } } }).documents,
      ...lab.info({ signWith }).documents,
      ...lab.identity({ chain: [] }).documents,
    }
    expect(failuresOf(lab.judge({ documents: spoiled, context: { memo } }))).toHaveLength(4)
    expect(kept).toEqual([])
    lab.judge({ context: { memo } })
    expect(kept).toHaveLength(4)
  })

  it('judges dates, revocation and rollback anew where documents are remembered', () => {
    const input = lab.input()
    judgeCollateral(input)
    const later = { ...input, context: { ...input.context, now: lab.at(31 * 24 * HOUR) } }
    expect(failuresOf(judgeCollateral(later))).toEqual(['tdx-crl-expired', 'tdx-tcb-info-expired', 'tdx-qe-identity-expired'])
    const marks = new Map([[AT.info, 'strictest' as const]])
    expect(failuresOf(judgeCollateral({ ...input, collateral: { ...input.collateral, marks } }))).toEqual(['tdx-collateral-rollback'])
  })
})

describe('documents that are not there (TDX-88)', () => {
  it.each([[AT.info], [AT.identity]] as const)('%s', (address) => {
    const judged = lab.judge({ documents: { [address]: undefined } })
    expect([failuresOf(judged), judged.undecided, judged.verdict]).toEqual([
      ['collateral-unavailable'],
      'collateral-unavailable',
      undefined,
    ])
  })

  it('decide nothing against a revocation that was found', () => {
    const revoked = [lab.intel.authority('tcb-signing').serial]
    const judged = lab.judge({ documents: { ...lab.root({ revoked }).documents, [AT.identity]: undefined } })
    expect([failuresOf(judged), judged.undecided]).toEqual([['collateral-unavailable', 'tdx-tcb-signing-cert-revoked'], undefined])
  })

  it('are told with everything else that is wrong', () => {
    const all = { [AT.info]: undefined, [AT.identity]: undefined, [AT.pck]: undefined, [AT.root]: undefined }
    const judged = lab.judge({ documents: all })
    expect([failuresOf(judged), judged.undecided]).toEqual([
      ['tdx-root-crl-missing', 'tdx-pck-crl-missing', 'collateral-unavailable'],
      'collateral-unavailable',
    ])
  })
})
