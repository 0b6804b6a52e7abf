import { beforeAll, describe, expect, it } from 'vitest'
import { failuresOf, intelLab, type CollateralChanges, type CollateralLabOfIntel } from '../../../test/tdx-collateral-lab.ts'
import { MODULES, platformAt } from '../../simulator/intel-levels.ts'
import { teeTcbSvn } from '../../simulator/td-report.ts'
import type { TcbClaims } from './claims.ts'

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

const tcbOf = (changes: CollateralChanges): TcbClaims => {
  const { verdict, checks } = lab.judge(changes)
  if (verdict === undefined) throw new Error(failuresOf({ checks }).join(', '))
  return verdict.tcb
}
const failures = (changes: CollateralChanges): readonly string[] => failuresOf(lab.judge(changes))
const ones = (svn = 1): number[] => Array.from({ length: 16 }, () => svn)
/** One level that asks for 1 of everything, and what it means. */
const ONE = { sgx: ones(), tdx: ones(), pcesvn: 1, status: 'UpToDate', date: '2024-01-01T00:00:00Z' } as const
const oneLevel = () => lab.info({ levels: [ONE] })
const svnWith = (index: number, value: number): Uint8Array => Uint8Array.from(ones().map((svn, at) => (at === index ? value : svn)))
/** A module of major version 1, minor 5, everything else as `svn`. */
const ofModule = (svn: Uint8Array): Uint8Array => Uint8Array.from([5, 1, ...svn.subarray(2)])
const at15 = (launch: Uint8Array, current: Uint8Array): CollateralChanges => ({ td: { teeTcbSvn: launch, teeTcbSvn2: current } })

describe('the level that a platform reaches (section 5.2)', () => {
  it.each([...ones().keys()])('takes every SGX component: %d', (index) => {
    const low = { ...oneLevel(), pck: { components: ones().map((svn, at) => (at === index ? 0 : svn)), pcesvn: 1 } }
    const high = { ...oneLevel(), pck: { components: ones(), pcesvn: 1 } }
    const td = { teeTcbSvn: ofModule(svnWith(0, 1)) }
    expect([failures({ ...low, td }), failures({ ...high, td })]).toEqual([['tdx-tcb-not-supported'], []])
  })

  it('takes PCESVN', () => {
    const td = { teeTcbSvn: ofModule(svnWith(0, 1)) }
    expect(failures({ ...oneLevel(), pck: { components: ones(), pcesvn: 0 }, td })).toEqual(['tdx-tcb-not-supported'])
  })

  it.each([...ones().keys()].slice(2))('takes TDX component %d whatever the module', (index) => {
    const pck = { components: ones(), pcesvn: 1 }
    const low = svnWith(index, 0)
    expect(failures({ ...oneLevel(), pck, td: { teeTcbSvn: ofModule(low) } })).toEqual(['tdx-tcb-not-supported'])
    expect(
      failures({
        ...lab.info({ levels: [{ ...ONE, tdx: [1, 0, ...ones().slice(2)] }] }),
        pck,
        td: { teeTcbSvn: Uint8Array.from([1, 0, ...low.subarray(2)]) },
      }),
    ).toEqual(['tdx-tcb-not-supported'])
  })

  it('takes TDX components 0 and 1 only of a module of major version 0', () => {
    const pck = { components: ones(), pcesvn: 1 }
    const asks = (first: number, second: number) => lab.info({ levels: [{ ...ONE, tdx: [first, second, ...ones().slice(2)] }] })
    const major0 = Uint8Array.from([3, 0, ...ones().slice(2)])
    expect(failures({ ...asks(3, 0), pck, td: { teeTcbSvn: major0 } })).toEqual([])
    expect(failures({ ...asks(4, 0), pck, td: { teeTcbSvn: major0 } })).toEqual(['tdx-tcb-not-supported'])
    expect(failures({ ...asks(0, 1), pck, td: { teeTcbSvn: major0 } })).toEqual(['tdx-tcb-not-supported'])
    // The module answers for itself: 255 is more than its minor version 5, and than its major version 1.
    expect(failures({ ...asks(255, 255), pck, td: { teeTcbSvn: ofModule(svnWith(0, 1)) } })).toEqual([])
  })

  it('takes the module of its own major version, in any case of letters', () => {
    const modules = [
      { id: 'tdx_0a', levels: [{ isvsvn: 5, status: 'OutOfDate', date: '2024-01-01T00:00:00Z' }] },
      { id: 'TDX_01', levels: [{ isvsvn: 5, status: 'UpToDate', date: '2024-01-01T00:00:00Z' }] },
    ]
    expect(tcbOf({ ...lab.info({ modules }), td: { teeTcbSvn: teeTcbSvn(5, 10) } }).module).toBe('OutOfDate')
    expect(tcbOf({ ...lab.info({ modules }), td: { teeTcbSvn: teeTcbSvn(5, 1) } }).module).toBe('UpToDate')
    expect(failures({ ...lab.info({ modules }), td: { teeTcbSvn: teeTcbSvn(5, 160) } })).toEqual(['tdx-tdx-module-mismatch'])
  })
})

describe('the verdict', () => {
  it('has the earliest of the dates and all advisories once, in order', () => {
    const levels = [{ ...ONE, date: '2024-05-01T00:00:00Z', advisories: ['INTEL-SA-00009', 'INTEL-SA-00002'] }]
    const modules = [
      {
        id: 'TDX_01',
        levels: [{ isvsvn: 1, status: 'OutOfDate', date: '2023-05-01T00:00:00Z', advisories: ['INTEL-SA-00002', 'INTEL-SA-00001'] }],
      },
    ]
    const qe = [{ isvsvn: 1, status: 'UpToDate', date: '2024-03-01T00:00:00Z', advisories: ['INTEL-SA-00003'] }]
    const documents = {
      ...lab.info({ levels, modules, evaluationNumber: 20 }).documents,
      ...lab.identity({ levels: qe, evaluationNumber: 19 }).documents,
    }
    const tcb = tcbOf({
      documents,
      pck: { components: ones(9), pcesvn: 9 },
      td: { teeTcbSvn: Uint8Array.from([5, 1, ...ones(9).slice(2)]) },
    })
    expect(tcb).toMatchObject({
      status: 'OutOfDate',
      platform: 'UpToDate',
      module: 'OutOfDate',
      qe: 'UpToDate',
      tcb_date: '2023-05-01T00:00:00Z',
      platform_tcb_date: '2024-05-01T00:00:00Z',
      module_tcb_date: '2023-05-01T00:00:00Z',
      qe_tcb_date: '2024-03-01T00:00:00Z',
      advisory_ids: ['INTEL-SA-00001', 'INTEL-SA-00002', 'INTEL-SA-00003', 'INTEL-SA-00009'],
      tcb_evaluation_data_number: 19,
      tcb_info_evaluation_data_number: 20,
      qe_identity_evaluation_data_number: 19,
    })
  })

  it('of a TD 1.5 shows launch and current, and Intel’s answer beside ours', () => {
    const tcb = tcbOf(at15(teeTcbSvn(5, 1, 7), teeTcbSvn(4, 1, 6)))
    expect([tcb.status, tcb.qvl_status, tcb.launch?.status, tcb.current?.status]).toEqual([
      'OutOfDate',
      'UpToDate',
      'UpToDate',
      'OutOfDate',
    ])
    // The current TCB decided, so date and advisories are those of both.
    expect([tcb.tcb_date, tcb.launch?.tcb_date, tcb.current?.tcb_date]).toEqual([
      tcb.current?.tcb_date,
      '2025-08-13T00:00:00Z',
      '2024-11-13T00:00:00Z',
    ])
    expect(tcb.advisory_ids).toEqual(tcb.current?.advisory_ids)
    expect(tcb.shortfall.map(({ component }) => component)).toEqual(['tdx component 2', 'tdx module'])
  })

  it('of a TD that should be relaunched has the date of its launch', () => {
    const tcb = tcbOf(at15(teeTcbSvn(5, 1, 6), teeTcbSvn(5, 1, 7)))
    expect([tcb.status, tcb.qvl_status, tcb.tcb_date]).toEqual(['TDRelaunchAdvised', 'TDRelaunchAdvised', '2024-11-13T00:00:00Z'])
  })

  it.each([
    ['launch', at15(teeTcbSvn(5, 1, 5), teeTcbSvn(5)), 'tdx-tcb-revoked'],
    ['current', at15(teeTcbSvn(5), teeTcbSvn(5, 1, 5)), 'tdx-tcb-revoked'],
    ['current module', at15(teeTcbSvn(5), teeTcbSvn(2)), 'tdx-tcb-revoked'],
    ['current module below all levels', at15(teeTcbSvn(5), teeTcbSvn(1)), 'tdx-tdx-module-tcb-not-supported'],
    ['current module of a major version without identity', at15(teeTcbSvn(5), teeTcbSvn(5, 9)), 'tdx-tdx-module-tcb-not-supported'],
    ['current platform below all levels', at15(teeTcbSvn(5), teeTcbSvn(5, 1, 0)), 'tdx-tcb-not-supported'],
  ])('fails by %s', (_, changes, code) => {
    expect(failures(changes)).toEqual([code])
  })

  it('may go from one major version to another', () => {
    expect(tcbOf(at15(teeTcbSvn(5, 1), teeTcbSvn(5, 3))).status).toBe('UpToDate')
  })
})

describe('the shortfall (section 5.8)', () => {
  it('names what the newest level has that the platform lacks, with the words of the document', () => {
    const tcb = tcbOf({ pck: platformAt('OutOfDate'), td: { teeTcbSvn: teeTcbSvn(4, 1, 6) }, qe: { isvSvn: 3 } })
    expect(tcb.shortfall).toEqual([
      { component: 'sgx component 7', actual: 5, needed: 9, category: 'OS/VMM', type: 'SEAMLDR ACM' },
      { component: 'tdx component 2', actual: 6, needed: 7, category: 'OS/VMM', type: 'TDX Late Microcode Update' },
      { component: 'tdx module', actual: 4, needed: 5, category: null, type: null },
      { component: 'qe', actual: 3, needed: 5, category: null, type: null },
    ])
    expect(tcb.needed_tcb_date).toBe('2025-08-13T00:00:00Z')
  })

  it('names PCESVN', () => {
    const levels = [ONE, { ...ONE, pcesvn: 0, status: 'OutOfDate', date: '2023-01-01T00:00:00Z' }]
    const tcb = tcbOf({ ...lab.info({ levels }), pck: { components: ones(), pcesvn: 0 }, td: { teeTcbSvn: ofModule(svnWith(0, 1)) } })
    expect(tcb.shortfall).toEqual([{ component: 'pcesvn', actual: 0, needed: 1, category: null, type: null }])
    expect(tcb.needed_tcb_date).toBe('2024-01-01T00:00:00Z')
  })

  it('leaves TDX components 0 and 1 to a module that has levels', () => {
    const levels = [
      { ...ONE, tdx: [9, 9, ...ones().slice(2)] },
      { ...ONE, tdx: ones(0), date: '2023-01-01T00:00:00Z' },
    ]
    const pck = { components: ones(), pcesvn: 1 }
    expect(tcbOf({ ...lab.info({ levels }), pck, td: { teeTcbSvn: ofModule(svnWith(0, 1)) } }).shortfall).toEqual([])
    const major0 = Uint8Array.from([5, 0, ...ones().slice(2)])
    expect(tcbOf({ ...lab.info({ levels }), pck, td: { teeTcbSvn: major0 } }).shortfall.map(({ component }) => component)).toEqual([
      'tdx component 0',
      'tdx component 1',
    ])
  })

  it('looks at modules of their own major version', () => {
    const modules = [
      ...MODULES.filter(({ id }) => id !== 'TDX_03'),
      { id: 'TDX_03', levels: [{ isvsvn: 1, status: 'UpToDate', date: '2024-01-01T00:00:00Z' }] },
    ]
    expect(tcbOf({ ...lab.info({ modules }), td: { teeTcbSvn: teeTcbSvn(1, 3) } }).shortfall).toEqual([])
  })
})
