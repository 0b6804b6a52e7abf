import { beforeAll, describe, expect, it } from 'vitest'
import {
  AT,
  UNKNOWN_EXTENSION,
  failuresOf,
  intelLab,
  type CollateralChanges,
  type CollateralLabOfIntel,
  type FaultRow,
} from '../../../test/tdx-collateral-lab.ts'
import { basicConstraints } from '../../simulator/der.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import { anchorsOf } from '../anchors.ts'

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

const rootDer = (): Uint8Array => lab.intel.authority('root').der
const chained = (chain: readonly Uint8Array[]): CollateralChanges => lab.info({ chain })
const signer = (overrides: Parameters<CollateralLabOfIntel['intel']['reissue']>[1]): CollateralChanges =>
  chained([lab.intel.reissue('tcb-signing', overrides).der, rootDer()])

describe('the TCB signing chain (TDX-35)', () => {
  const rows: readonly FaultRow[] = [
    ['a signer with another name', 'tdx-tcb-signing-chain-invalid', () => signer({ commonName: 'Intel SGX TCB Signin' })],
    [
      'a signer that is an authority',
      'tdx-tcb-signing-chain-invalid',
      () => signer({ extensions: (all) => all.map((one) => (one.oid === '2.5.29.19' ? basicConstraints('ca') : one)) }),
    ],
    [
      'a signer without a standard extension',
      'tdx-tcb-signing-chain-invalid',
      () => signer({ extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.14') }),
    ],
    [
      'a signer with a critical extension that nobody knows',
      'tdx-tcb-signing-chain-invalid',
      () => signer({ extensions: (all) => [...all, UNKNOWN_EXTENSION] }),
    ],
    ['a signer under the PCK CA', 'tdx-tcb-signing-chain-invalid', () => signer({ signedBy: lab.intel.authority('platform') })],
    ['a signer that signs itself', 'tdx-tcb-signing-chain-invalid', () => signer({ signedBy: lab.intel.authority('tcb-signing') })],
    ['three certificates', 'tdx-tcb-signing-chain-invalid', () => chained([lab.intel.authority('tcb-signing').der, rootDer(), rootDer()])],
    ['two roots', 'tdx-tcb-signing-chain-invalid', () => chained([rootDer(), rootDer()])],
    [
      'garbage in front',
      'tdx-tcb-signing-chain-invalid',
      () => ({ documents: { [AT.info]: { ...lab.intel.tcbInfo(), issuerChain: Uint8Array.of(0x30, 0x00) } } }),
    ],
  ]
  it.each(rows)('%s', (_, code, changes) => {
    expect(failuresOf(lab.judge(changes()))).toEqual([code])
  })

  it.each([
    ['lacks an extension', () => lab.intel.reissue('root', { extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.14') }).der],
    [
      'is no authority',
      () =>
        lab.intel.reissue('root', {
          extensions: (all) => all.map((one) => (one.oid === '2.5.29.19' ? basicConstraints('end-entity') : one)),
        }).der,
    ],
    [
      'has another name',
      () =>
        lab.intel.reissue('root', {
          commonName: 'Intel SGX Root',
          signedBy: { ...lab.intel.authority('root'), commonName: 'Intel SGX Root' },
        }).der,
    ],
  ] as const)('must not have a root that %s, though it has the pinned key', (_, make) => {
    expect(failuresOf(lab.judge(chained([lab.intel.authority('tcb-signing').der, make()])))).toEqual(['tdx-tcb-signing-chain-invalid'])
  })

  it('may have a root that was re-issued with the pinned key', () => {
    expect(failuresOf(lab.judge(chained([lab.intel.authority('tcb-signing').der, lab.intel.reissue('root').der])))).toEqual([])
  })

  it('must end in the root of the PCK chain, even where another root is trusted, too', () => {
    const other = fakeIntel({ now: lab.now })
    const anchors = anchorsOf([], [...lab.intel.anchors(), ...other.anchors()])
    const documents = { [AT.info]: other.tcbInfo() }
    expect(failuresOf(lab.judge({ anchors, documents }))).toEqual(['tdx-tcb-signing-chain-invalid'])
  })

  it('is nothing to a production process', () => {
    expect(failuresOf(lab.judge({ context: { mode: 'production' } }))).toEqual([
      'tdx-tcb-signing-chain-invalid',
      'tdx-tcb-signing-chain-invalid',
    ])
  })

  it('may hold a re-issued certificate with the same key', () => {
    expect(failuresOf(lab.judge(signer({})))).toEqual([])
  })
})
