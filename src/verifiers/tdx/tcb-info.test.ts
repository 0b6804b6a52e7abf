import { describe, expect, it } from 'vitest'
import { fakeIntel } from '../../simulator/intel.ts'
import { platformLevels } from '../../simulator/intel-levels.ts'
import { parseJson, parseJsonMembers } from '../json.ts'
import { AttestationError } from '../problems.ts'
import { QE_IDENTITY } from './qe-identity.ts'
import { TCB_INFO } from './tcb-info.ts'

const intel = fakeIntel({ now: new Date('2026-11-23T12:00:00Z') })
type Plain = Readonly<Record<string, unknown>>
const DOCUMENT = { what: 'document', code: 'tdx-tcb-info-malformed' } as const
const plainOf = (body: Uint8Array, member: string): Plain => JSON.parse(parseJsonMembers(body, DOCUMENT).get(member)?.source ?? '') as Plain

const tdx = plainOf(intel.tcbInfo().body, 'tcbInfo')
const sgx = plainOf(intel.tcbInfo({ tee: 'sgx' }).body, 'tcbInfo')
const v2 = plainOf(intel.tcbInfo({ tee: 'sgx', version: 2 }).body, 'tcbInfo')
const identity = plainOf(intel.qeIdentity().body, 'enclaveIdentity')

const jsonOf = (value: unknown) => parseJson(new Uint8Array(Buffer.from(JSON.stringify(value))), DOCUMENT)
function outcome(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.code
  }
}
const info = (document: unknown): string => outcome(() => TCB_INFO.read(jsonOf(document)))
const qe = (document: unknown): string => outcome(() => QE_IDENTITY.read(jsonOf(document)))
const without = (document: Plain, name: string): Plain => Object.fromEntries(Object.entries(document).filter(([key]) => key !== name))
const list = (value: unknown): readonly Plain[] => value as readonly Plain[]
/** The first level changed. */
const leveled = (document: Plain, change: (level: Plain) => Plain): Plain => ({
  ...document,
  tcbLevels: list(document['tcbLevels']).map((level, index) => (index === 0 ? change(level) : level)),
})
const tcb = (change: Plain) => (level: Plain) => ({ ...level, tcb: { ...(level['tcb'] as Plain), ...change } })
const components = (count: number, svn: unknown = 1) => Array.from({ length: count }, () => ({ svn }))
const modules = (change: (all: readonly Plain[]) => unknown): Plain => ({
  ...tdx,
  tdxModuleIdentities: change(list(tdx['tdxModuleIdentities'])),
})

/** The first SGX component, PCESVN and the last TDX component; the others are 1. */
const levelAt = (tcbDate: string, [first, pcesvn, last]: readonly [number, number, number]) => ({
  tcb: { sgxtcbcomponents: [{ svn: first }, ...components(15)], pcesvn, tdxtcbcomponents: [...components(15), { svn: last }] },
  tcbDate,
  tcbStatus: 'UpToDate',
})

const MALFORMED = 'tdx-tcb-info-malformed'

describe('TCB info', () => {
  it('is read in each of its versions', () => {
    expect([info(tdx), info(sgx), info(v2)]).toEqual(['read', 'read', 'read'])
    expect([TCB_INFO.read(jsonOf(tdx)).tee, TCB_INFO.read(jsonOf(sgx)).tee, TCB_INFO.read(jsonOf(v2)).tee]).toEqual(['tdx', 'sgx', 'sgx'])
  })

  it('keeps its levels highest first, whatever the order of the text', () => {
    const shuffled = { ...tdx, tcbLevels: list(tdx['tcbLevels']).toReversed() }
    expect(TCB_INFO.read(jsonOf(shuffled)).levels).toEqual(TCB_INFO.read(jsonOf(tdx)).levels)
    expect(TCB_INFO.read(jsonOf(tdx)).levels.map(({ status }) => status)).toEqual(platformLevels('standard').map(({ status }) => status))
  })

  it('sorts by SGX components, then PCESVN, then TDX components', () => {
    const dates = ['2024-01-04T00:00:00Z', '2024-01-03T00:00:00Z', '2024-01-02T00:00:00Z', '2024-01-01T00:00:00Z']
    const [a = '', b = '', c = '', d = ''] = dates
    const tcbLevels = [levelAt(d, [1, 5, 255]), levelAt(b, [2, 6, 0]), levelAt(c, [2, 5, 255]), levelAt(a, [2, 6, 1])]
    expect(TCB_INFO.read(jsonOf({ ...tdx, tcbLevels })).levels.map(({ tcbDate }) => tcbDate)).toEqual(dates)
  })

  it('may hold members that are not known, advisories or none, components with words or without', () => {
    expect(info({ ...tdx, more: { anything: [1.5, null] } })).toBe('read')
    expect(info(leveled(tdx, tcb({ sgxtcbcomponents: components(16) })))).toBe('read')
    expect(info(leveled(tdx, (level) => ({ ...level, advisoryIDs: [] })))).toBe('read')
    expect(TCB_INFO.read(jsonOf({ ...tdx, fmspc: '00806F050000' })).fmspc).toEqual(TCB_INFO.read(jsonOf(tdx)).fmspc)
  })

  it.each(['version', 'issueDate', 'nextUpdate', 'fmspc', 'pceId', 'tcbType', 'tcbEvaluationDataNumber', 'tcbLevels', 'id', 'tdxModule'])(
    'must have %s',
    (name) => {
      expect(info(without(tdx, name))).toBe(MALFORMED)
    },
  )

  it.each([
    ['null', null],
    ['a list', []],
    ['a text', 'tcbInfo'],
    ['another id', { ...tdx, id: 'TPM' }],
    ['a version that is a text', { ...tdx, version: '3' }],
    ['another type', { ...tdx, tcbType: 1 }],
    ['a short FMSPC', { ...tdx, fmspc: '00806f0500' }],
    ['an FMSPC that is not hex', { ...tdx, fmspc: '00806f05000g' }],
    ['a long PCE-ID', { ...tdx, pceId: '000000' }],
    ['a date with a fraction', { ...tdx, issueDate: '2026-11-23T11:00:00.000Z' }],
    ['a date with an offset', { ...tdx, issueDate: '2026-11-23T11:00:00+00:00' }],
    ['a date without a time', { ...tdx, issueDate: '2026-11-23' }],
    ['30 February', { ...tdx, nextUpdate: '2027-02-30T00:00:00Z' }],
    ['24 o’clock', { ...tdx, nextUpdate: '2027-02-20T24:00:00Z' }],
    ['a date that is a number', { ...tdx, nextUpdate: 1 }],
    ['a negative number', { ...tdx, tcbEvaluationDataNumber: -1 }],
    ['no level', { ...tdx, tcbLevels: [] }],
    ['levels that are no list', { ...tdx, tcbLevels: {} }],
    ['65 levels', { ...tdx, tcbLevels: Array.from({ length: 65 }, (_, pcesvn) => tcb({ pcesvn })(list(tdx['tcbLevels'])[0] ?? {})) }],
    ['a level twice', { ...tdx, tcbLevels: [...list(tdx['tcbLevels']), ...list(tdx['tcbLevels']).slice(2, 3)] }],
    ['a level without tcb', leveled(tdx, (level) => without(level, 'tcb'))],
    ['a level without date', leveled(tdx, (level) => without(level, 'tcbDate'))],
    ['a level without status', leveled(tdx, (level) => without(level, 'tcbStatus'))],
    ['a status that is no text', leveled(tdx, (level) => ({ ...level, tcbStatus: 1 }))],
    ['a level date that does not exist', leveled(tdx, (level) => ({ ...level, tcbDate: '2024-13-01T00:00:00Z' }))],
    ['advisories that are no list', leveled(tdx, (level) => ({ ...level, advisoryIDs: 'INTEL-SA-00001' }))],
    ['an advisory that is no text', leveled(tdx, (level) => ({ ...level, advisoryIDs: [1] }))],
    ['an advisory with a line break', leveled(tdx, (level) => ({ ...level, advisoryIDs: ['INTEL\n'] }))],
    ['257 advisories', leveled(tdx, (level) => ({ ...level, advisoryIDs: Array.from({ length: 257 }, () => 'A') }))],
    ['15 SGX components', leveled(tdx, tcb({ sgxtcbcomponents: components(15) }))],
    ['17 SGX components', leveled(tdx, tcb({ sgxtcbcomponents: components(17) }))],
    ['15 TDX components', leveled(tdx, tcb({ tdxtcbcomponents: components(15) }))],
    ['17 TDX components', leveled(tdx, tcb({ tdxtcbcomponents: components(17) }))],
    ['a component of 256', leveled(tdx, tcb({ tdxtcbcomponents: components(16, 256) }))],
    ['a component of -1', leveled(tdx, tcb({ sgxtcbcomponents: components(16, -1) }))],
    ['a component of 1.5', leveled(tdx, tcb({ sgxtcbcomponents: components(16, 1.5) }))],
    ['a component that is a text', leveled(tdx, tcb({ sgxtcbcomponents: components(16, '1') }))],
    ['a PCESVN of 65536', leveled(tdx, tcb({ pcesvn: 65_536 }))],
    ['no PCESVN', leveled(tdx, tcb({ pcesvn: undefined }))],
    [
      'a word of 129 characters',
      leveled(tdx, tcb({ sgxtcbcomponents: components(16).map((one) => ({ ...one, category: 'x'.repeat(129) })) })),
    ],
    ['no TDX components', leveled(tdx, tcb({ tdxtcbcomponents: undefined }))],
    ['no module identity', modules(() => [])],
    ['65 module identities', modules(([one]) => Array.from({ length: 65 }, (_, id) => ({ ...one, id: `TDX_${id}` })))],
    ['a module twice', modules((all) => [...all, ...all.slice(0, 1)])],
    ['a module twice in another case', modules((all) => [...all, { ...all[0], id: 'tdx_03' }])],
    ['a module without levels', modules((all) => all.map((one) => without(one, 'tcbLevels')))],
    [
      'a module level twice',
      modules((all) => all.map((one) => ({ ...one, tcbLevels: [...list(one['tcbLevels']), ...list(one['tcbLevels'])] }))),
    ],
    ['a module with a short signer', modules((all) => all.map((one) => ({ ...one, mrsigner: '00' })))],
    ['a module without mask', { ...tdx, tdxModule: without(tdx['tdxModule'] as Plain, 'attributesMask') }],
    ['SGX with a module', { ...sgx, tdxModule: tdx['tdxModule'] }],
    ['SGX with module identities', { ...sgx, tdxModuleIdentities: tdx['tdxModuleIdentities'] }],
    ['version 2 without a component', leveled(v2, tcb({ sgxtcbcomp16svn: undefined }))],
  ])('is malformed with %s', (_, document) => {
    expect(info(document)).toBe(MALFORMED)
  })

  it.each([0, 1, 4, 30])('has no version %d', (version) => {
    expect(info({ ...tdx, version })).toBe('tdx-tcb-info-version-unsupported')
  })

  it.each([
    ['of the platform, matched or not', leveled(tdx, (level) => ({ ...level, tcbStatus: 'Fine' }))],
    ['of the platform that only a verdict can have', leveled(tdx, (level) => ({ ...level, tcbStatus: 'TDRelaunchAdvised' }))],
    ['of a module', modules((all) => all.map((one) => leveled(one, (level) => ({ ...level, tcbStatus: 'SWHardeningNeeded' }))))],
    ['in another case', leveled(sgx, (level) => ({ ...level, tcbStatus: 'uptodate' }))],
  ])('has no unknown status %s', (_, document) => {
    expect(info(document)).toBe('tdx-tcb-status-unrecognized')
  })

  it('says what is malformed before what is not recognised', () => {
    expect(info({ ...leveled(tdx, (level) => ({ ...level, tcbStatus: 'Fine' })), fmspc: '' })).toBe(MALFORMED)
  })
})

describe('QE identity', () => {
  it('is read, also of other enclaves', () => {
    expect([qe(identity), qe({ ...identity, id: 'QVE' }), qe({ ...identity, more: 1.5 })]).toEqual(['read', 'read', 'read'])
  })

  it.each(Object.keys(identity))('must have %s', (name) => {
    expect(qe(without(identity, name))).toBe('tdx-qe-identity-malformed')
  })

  it.each([
    ['version 1', { ...identity, version: 1 }],
    ['version 3', { ...identity, version: 3 }],
    ['an id that is not known', { ...identity, id: 'TD_QVE' }],
    ['a short mask', { ...identity, miscselectMask: 'FFFF' }],
    ['long attributes', { ...identity, attributes: '00'.repeat(17) }],
    ['a short signer', { ...identity, mrsigner: '00'.repeat(31) }],
    ['an ISVPRODID of 65536', { ...identity, isvprodid: 65_536 }],
    ['an ISVSVN of 65536', leveled(identity, tcb({ isvsvn: 65_536 }))],
    ['no level', { ...identity, tcbLevels: [] }],
    ['a level twice', { ...identity, tcbLevels: [...list(identity['tcbLevels']), ...list(identity['tcbLevels'])] }],
  ])('is malformed with %s', (_, document) => {
    expect(qe(document)).toBe('tdx-qe-identity-malformed')
  })

  it('has no status that a platform alone can have', () => {
    expect(qe(leveled(identity, (level) => ({ ...level, tcbStatus: 'ConfigurationNeeded' })))).toBe('tdx-tcb-status-unrecognized')
  })
})
