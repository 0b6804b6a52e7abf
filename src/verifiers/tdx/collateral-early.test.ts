import { beforeAll, describe, expect, it } from 'vitest'
import { intelLab, type CollateralChanges, type CollateralLabOfIntel } from '../../../test/tdx-collateral-lab.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { intelCollateral } from '../../simulator/intel.ts'
import { platformAt } from '../../simulator/intel-levels.ts'
import { qeIdentityAddress, tcbInfoAddress } from './address.ts'
import { SIM_FMSPC } from '../../simulator/intel-documents.ts'

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

const early = (changes: CollateralChanges = {}, also: CollateralChanges['documents'] = {}): CollateralChanges => ({
  ...changes,
  documents: { ...Object.fromEntries(intelCollateral(lab.intel, { updates: ['early'] })), ...changes.documents, ...also },
})
const said = (changes: CollateralChanges) => {
  const { tcb } = lab.judge(changes).verdict ?? {}
  return [tcb?.status, tcb?.early_status, tcb?.early_code]
}
const EARLY_INFO = tcbInfoAddress('tdx', SIM_FMSPC, 'early')

describe('the early documents', () => {
  it('say what is coming', () => {
    expect(said(early())).toEqual(['UpToDate', 'OutOfDate', null])
  })

  it('say nothing where one of them is not at hand, not genuine, not current or rolled back', () => {
    const silent = ['UpToDate', null, null]
    expect(said({})).toEqual(silent)
    expect(said(early({}, { [EARLY_INFO]: undefined }))).toEqual(silent)
    expect(said(early({}, { [qeIdentityAddress('tdx', 'early')]: undefined }))).toEqual(silent)
    expect(said(early({}, { [EARLY_INFO]: lab.intel.tcbInfo({ update: 'early', signWith: p256Keys().privateKey }) }))).toEqual(silent)
    expect(said(early({}, { [EARLY_INFO]: lab.intel.tcbInfo({ update: 'early', nextUpdate: lab.at(-1000) }) }))).toEqual(silent)
    expect(said(early({ marks: new Map([[EARLY_INFO, { number: 0n, thisUpdate: lab.now }]]) }))).toEqual(silent)
  })

  it('say by a code that no level is reached', () => {
    const none = lab.intel.tcbInfo({
      update: 'early',
      levels: [
        {
          ...platformAt('UpToDate'),
          sgx: Array.from({ length: 16 }, () => 255),
          tdx: Array.from({ length: 16 }, () => 0),
          status: 'UpToDate',
          date: '2026-01-01T00:00:00Z',
        },
      ],
    })
    expect(said(early({}, { [EARLY_INFO]: none }))).toEqual(['UpToDate', null, 'tdx-tcb-not-supported'])
    const revoked = lab.intel.tcbInfo({
      update: 'early',
      levels: [
        {
          ...platformAt('UpToDate'),
          sgx: platformAt('UpToDate').components,
          tdx: Array.from({ length: 16 }, () => 0),
          status: 'Revoked',
          date: '2026-01-01T00:00:00Z',
        },
      ],
    })
    expect(said(early({}, { [EARLY_INFO]: revoked }))).toEqual(['UpToDate', null, 'tdx-tcb-revoked'])
  })

  it('take no part in the evaluation number', () => {
    expect(lab.judge(early()).verdict?.tcb.tcb_evaluation_data_number).toBe(20)
  })
})
