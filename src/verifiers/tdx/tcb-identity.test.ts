import { beforeAll, describe, expect, it } from 'vitest'
import { failuresOf, intelLab, type CollateralLabOfIntel, type FaultRow } from '../../../test/tdx-collateral-lab.ts'
import { MODULES } from '../../simulator/intel-levels.ts'
import { teeTcbSvn } from '../../simulator/td-report.ts'
import { tcbInfoAddress } from './address.ts'
import { SIM_FMSPC } from '../../simulator/intel-documents.ts'

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

const attributes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

describe('identity of quoting enclave and module (TDX-40 to 55)', () => {
  const rows: readonly FaultRow[] = [
    ['MISCSELECT', 'tdx-qe-miscselect-mismatch', () => ({ qe: { miscSelect: Uint8Array.of(1, 0, 0, 0) } })],
    ['ATTRIBUTES', 'tdx-qe-attributes-mismatch', () => ({ qe: { attributes: attributes('3500000000000000e700000000000000') } })],
    ['MRSIGNER', 'tdx-qe-mrsigner-mismatch', () => ({ qe: { mrSigner: new Uint8Array(32) } })],
    ['ISVPRODID', 'tdx-qe-isvprodid-mismatch', () => ({ qe: { isvProdId: 1 } })],
    [
      'DEBUG, which the mask does not cover',
      'tdx-qe-debug',
      () => ({
        qe: { attributes: attributes('1700000000000000e700000000000000') },
        ...lab.identity({ change: (all) => ({ ...all, attributesMask: 'F9FFFFFFFFFFFFFF0000000000000000' }) }),
      }),
    ],
    ['the identity of another enclave', 'tdx-qe-identity-mismatch', () => lab.identity({ change: (all) => ({ ...all, id: 'QVE' }) })],
    [
      'an identity without the signer that the module has',
      'tdx-mrsigner-seam-mismatch',
      () =>
        lab.info({
          change: (all) =>
            JSON.parse(JSON.stringify(all).replaceAll(`"mrsigner":"${'00'.repeat(48)}"`, `"mrsigner":"${'11'.repeat(48)}"`)) as object,
        }),
    ],
  ]
  it.each(rows)('%s', (_, code, changes) => {
    expect(failuresOf(lab.judge(changes()))).toEqual([code])
  })

  it('compares MISCSELECT and ATTRIBUTES under their masks', () => {
    const masks = { miscselectMask: 'FEFFFFFF', attributesMask: 'DBFFFFFFFFFFFFFF0000000000000000' }
    const changes = { qe: { miscSelect: Uint8Array.of(1, 0, 0, 0), attributes: attributes('3500000000000000ff00000000000000') } }
    expect(failuresOf(lab.judge({ ...changes, ...lab.identity({ change: (all) => ({ ...all, ...masks }) }) }))).toEqual([])
  })

  it('compares SIM_FMSPC as bytes: Intel echoes the case of the request', () => {
    expect(failuresOf(lab.judge(lab.info({ fmspc: SIM_FMSPC.toUpperCase() })))).toEqual([])
  })

  it('asks the module of major version 0 of the document itself', () => {
    expect(lab.judge({ td: { teeTcbSvn: teeTcbSvn(5, 0) } }).verdict?.tcb).toMatchObject({ module: null, module_tcb_date: null })
    expect(failuresOf(lab.judge({ td: { teeTcbSvn: teeTcbSvn(5, 0), mrSignerSeam: new Uint8Array(48).fill(1) } }))).toEqual([
      'tdx-mrsigner-seam-mismatch',
    ])
  })

  it('wants SEAMATTRIBUTES that are those of the document, and zero', () => {
    const modules = MODULES.map((each) => ({ ...each, attributes: '0100000000000000' }))
    const td = { seamAttributes: attributes('0100000000000000') }
    const codes = [lab.judge({ td }), lab.judge(lab.info({ modules })), lab.judge({ ...lab.info({ modules }), td })].map(failuresOf)
    expect(codes).toEqual(Array.from({ length: 3 }, () => ['tdx-seam-attributes-mismatch']))
  })

  it('tells a module that is not listed from a document without a list', () => {
    expect(failuresOf(lab.judge({ td: { teeTcbSvn: teeTcbSvn(5, 2) } }))).toEqual(['tdx-tdx-module-mismatch'])
    expect(failuresOf(lab.judge(lab.info({ modules: 'absent' })))).toEqual(['tdx-tcb-info-mismatch'])
  })

  it('stops at the first step that fails', () => {
    const judged = lab.judge({ qe: { isvProdId: 1, isvSvn: 0 }, td: { mrSignerSeam: new Uint8Array(48).fill(1) } })
    expect(failuresOf(judged)).toEqual(['tdx-qe-isvprodid-mismatch'])
    expect(judged.checks.filter(({ outcome }) => outcome === 'skip').map(({ id }) => id)).toEqual([
      'TDX-53',
      'TDX-54',
      'TDX-55',
      'TDX-56',
      'TDX-57',
      'TDX-58',
      'TDX-60',
    ])
  })

  it('needs no module of SGX', () => {
    const judged = lab.judge({ tee: 'sgx' })
    expect([failuresOf(judged), judged.verdict?.tcb.status, judged.verdict?.tcb.module]).toEqual([[], 'UpToDate', null])
    const v2 = { documents: { [tcbInfoAddress('sgx', SIM_FMSPC, 'standard')]: lab.intel.tcbInfo({ tee: 'sgx', version: 2 }) } }
    expect(lab.judge({ tee: 'sgx', ...v2 }).verdict?.tcb.status).toBe('UpToDate')
  })
})
