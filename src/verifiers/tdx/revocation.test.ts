import { beforeAll, describe, expect, it } from 'vitest'
import {
  AT,
  UNKNOWN_EXTENSION,
  bare,
  failuresOf,
  intelLab,
  type CollateralLabOfIntel,
  type FaultRow,
} from '../../../test/tdx-collateral-lab.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import { anchorsOf } from '../anchors.ts'
import { judgeCollateral } from './collateral.ts'
import { pckCrlAddress } from './address.ts'

const HOUR = 3_600_000

let lab: CollateralLabOfIntel
beforeAll(() => {
  lab = intelLab()
})

describe('revocation lists (TDX-27 to 29)', () => {
  const rows: readonly FaultRow[] = [
    [
      'root list of another Intel',
      'tdx-root-crl-invalid-signature',
      () => ({ documents: { [AT.root]: bare(fakeIntel({ now: lab.now }).crl({ issuer: 'root' })) } }),
    ],
    [
      'root list that the PCK CA signs in its own name',
      'tdx-root-crl-issuer-mismatch',
      () => ({ documents: { [AT.root]: bare(lab.intel.crl({ issuer: 'platform' })) } }),
    ],
    [
      'root list without cRLNumber',
      'tdx-root-crl-extensions-missing',
      () => lab.root({ overrides: { extensions: (all) => all.slice(1) } }),
    ],
    [
      'PCK list without authorityKeyIdentifier',
      'tdx-pck-crl-extensions-missing',
      () => lab.pck({ overrides: { extensions: (all) => all.slice(0, 1) } }),
    ],
    [
      'root list with an extension that must be understood',
      'tdx-root-crl-malformed',
      () => lab.root({ overrides: { extensions: (all) => [...all, UNKNOWN_EXTENSION] } }),
    ],
    [
      'PCK list with an entry that must be understood',
      'tdx-pck-crl-malformed',
      () => lab.pck({ revoked: [7n], overrides: { entryExtensions: [UNKNOWN_EXTENSION] } }),
    ],
    ['PCK list signed with another key', 'tdx-pck-crl-invalid-signature', () => lab.pck({ overrides: { signWith: p256Keys() } })],
    ['bytes that were never a document', 'tdx-pck-crl-malformed', () => ({ documents: { [AT.pck]: Uint8Array.of(9, 0, 0, 0, 1) } })],
    ['PCK list without an end', 'tdx-crl-expired', () => lab.pck({ nextUpdate: 'absent' })],
    ['the root on its own list', 'tdx-intermediate-ca-revoked', () => lab.root({ revoked: [lab.intel.authority('root').serial] })],
  ]
  it.each(rows)('%s', (_, code, changes) => {
    expect(failuresOf(lab.judge(changes()))).toEqual([code])
  })

  it('counts what stands on a list that has ended, and says both', () => {
    const revoked = [lab.intel.authority('platform').serial]
    expect(failuresOf(lab.judge(lab.root({ revoked, thisUpdate: lab.at(-2 * HOUR), nextUpdate: lab.at(-HOUR) })))).toEqual([
      'tdx-crl-expired',
      'tdx-intermediate-ca-revoked',
    ])
  })

  it('must name one algorithm inside and outside of what is signed', () => {
    const der = Buffer.from(lab.intel.crl({ issuer: 'platform' }))
    // ecdsa-with-SHA256; the last place is beside the signature. One more is ecdsa-with-SHA384.
    const outer = der.lastIndexOf(Buffer.from('06082a8648ce3d040302', 'hex')) + 9
    der[outer] = 0x03
    expect(failuresOf(lab.judge({ documents: { [AT.pck]: bare(new Uint8Array(der)) } }))).toEqual(['tdx-pck-crl-invalid-signature'])
  })

  it('is remembered for the authority that signed it alone', () => {
    const other = intelLab(lab.now)
    const anchors = anchorsOf([], [...lab.intel.anchors(), ...other.intel.anchors()])
    const first = lab.input({ anchors })
    expect(failuresOf(judgeCollateral(first))).toEqual([])
    const list = first.collateral.documents.get(AT.pck)
    const second = other.input({ anchors, context: { memo: first.context.memo }, documents: { [AT.pck]: list } })
    expect(failuresOf(judgeCollateral(second))).toEqual(['tdx-pck-crl-invalid-signature'])
  })

  it('asks the list of the CA that issued the PCK', () => {
    const changes = { pck: { ca: 'processor' as const } }
    expect(failuresOf(lab.judge(changes))).toEqual([])
    expect(failuresOf(lab.judge({ ...changes, documents: { [pckCrlAddress('processor')]: undefined } }))).toEqual(['tdx-pck-crl-missing'])
  })
})
