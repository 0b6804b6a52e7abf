import { describe, expect, it } from 'vitest'
import { fakeIntel } from '../../simulator/intel.ts'
import { parseJson, parseJsonMembers } from '../json.ts'
import { AttestationError } from '../problems.ts'
import { QE_IDENTITY } from './qe-identity.ts'
import { TCB_INFO } from './tcb-info.ts'
import { readVendorDocument, writeVendorDocument } from './document.ts'

const intel = fakeIntel({ now: new Date('2026-11-23T12:00:00Z') })
type Plain = Readonly<Record<string, unknown>>
const DOCUMENT = { what: 'document', code: 'tdx-tcb-info-malformed' } as const
const plainOf = (body: Uint8Array, member: string): Plain => JSON.parse(parseJsonMembers(body, DOCUMENT).get(member)?.source ?? '') as Plain
const tdx = plainOf(intel.tcbInfo().body, 'tcbInfo')
const sgx = plainOf(intel.tcbInfo({ tee: 'sgx' }).body, 'tcbInfo')
const v2 = plainOf(intel.tcbInfo({ tee: 'sgx', version: 2 }).body, 'tcbInfo')
const identity = plainOf(intel.qeIdentity().body, 'enclaveIdentity')

/** Where a document is at fault, and why. */
function fault(kind: typeof TCB_INFO | typeof QE_IDENTITY, document: unknown): string {
  try {
    kind.read(parseJson(new Uint8Array(Buffer.from(JSON.stringify(document))), DOCUMENT))
    return 'read'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.message.startsWith(`${error.at} `) ? error.message : `${error.at}: ${error.message}`
  }
}
const list = (value: unknown): readonly Plain[] => value as readonly Plain[]
const without = (document: Plain, name: string): Plain => Object.fromEntries(Object.entries(document).filter(([key]) => key !== name))
/** The second level changed. */
const leveled = (document: Plain, change: (level: Plain) => Plain): Plain => ({
  ...document,
  tcbLevels: list(document['tcbLevels']).map((level, index) => (index === 1 ? change(level) : level)),
})
const tcb = (change: Plain) => (level: Plain) => ({ ...level, tcb: { ...(level['tcb'] as Plain), ...change } })
const components = (count: number, svn: unknown = 1) => Array.from({ length: count }, () => ({ svn }))
const modules = (change: (all: readonly Plain[]) => unknown): Plain => ({
  ...tdx,
  tdxModuleIdentities: change(list(tdx['tdxModuleIdentities'])),
})
const TEXT = 'is no text of 1 to 128 printable characters'

describe('TCB info that is refused says which member is at fault', () => {
  it.each<[string, unknown]>([
    ['tcbInfo is no object', []],
    ['tcbInfo.version is no integer from 0 to 4294967295', { ...tdx, version: '3' }],
    ['tcbInfo.version: version 4', { ...tdx, version: 4 }],
    [`tcbInfo.id ${TEXT}`, without(tdx, 'id')],
    ['tcbInfo.id is neither TDX nor SGX', { ...tdx, id: 'TPM' }],
    ['tcbInfo.tcbType is no integer from 0 to 0', { ...tdx, tcbType: 1 }],
    ['tcbInfo.issueDate is not a time as Intel writes it', { ...tdx, issueDate: '2026-11-23' }],
    ['tcbInfo.nextUpdate is not a time as Intel writes it', { ...tdx, nextUpdate: '2027-02-30T00:00:00Z' }],
    ['tcbInfo.fmspc is not 6 bytes in hex', { ...tdx, fmspc: '00806f05000g' }],
    ['tcbInfo.pceId is not 2 bytes in hex', { ...tdx, pceId: '000000' }],
    ['tcbInfo.tcbEvaluationDataNumber is no integer from 0 to 4294967295', { ...tdx, tcbEvaluationDataNumber: 4_294_967_296 }],
    ['tcbInfo.tdxModule is no object', without(tdx, 'tdxModule')],
    ['tcbInfo.tdxModule.mrsigner is not 48 bytes in hex', { ...tdx, tdxModule: { ...(tdx['tdxModule'] as Plain), mrsigner: '' } }],
    ['tcbInfo.tdxModule.attributes is not 8 bytes in hex', { ...tdx, tdxModule: { ...(tdx['tdxModule'] as Plain), attributes: '' } }],
    ['tcbInfo.tdxModule.attributesMask is not 8 bytes in hex', { ...tdx, tdxModule: without(tdx['tdxModule'] as Plain, 'attributesMask') }],
    ['tcbInfo.tdxModule has no place in a document for SGX', { ...sgx, tdxModule: tdx['tdxModule'] }],
    ['tcbInfo.tdxModuleIdentities is no list of 1 to 64', modules(() => [])],
    ['tcbInfo.tdxModuleIdentities has a module twice', modules((all) => [...all, ...all.slice(0, 1)])],
    [`tcbInfo.tdxModuleIdentities[0].id ${TEXT}`, modules((all) => all.map((one) => without(one, 'id')))],
    ['tcbInfo.tdxModuleIdentities[0].tcbLevels is no list of 1 to 64', modules((all) => all.map((one) => ({ ...one, tcbLevels: [] })))],
    ['tcbInfo.tcbLevels is no list of 1 to 64', { ...tdx, tcbLevels: {} }],
    ['tcbInfo.tcbLevels has a level twice', { ...tdx, tcbLevels: [...list(tdx['tcbLevels']), ...list(tdx['tcbLevels'])] }],
    ['tcbInfo.tcbLevels[1] is no object', { ...tdx, tcbLevels: [list(tdx['tcbLevels'])[0], 1] }],
    ['tcbInfo.tcbLevels[1].tcb is no object', leveled(tdx, (level) => without(level, 'tcb'))],
    ['tcbInfo.tcbLevels[1].tcbDate is not a time as Intel writes it', leveled(tdx, (level) => ({ ...level, tcbDate: '2024' }))],
    [`tcbInfo.tcbLevels[1].tcbStatus ${TEXT}`, leveled(tdx, (level) => ({ ...level, tcbStatus: 1 }))],
    ['tcbInfo: tcbStatus Fine', leveled(tdx, (level) => ({ ...level, tcbStatus: 'Fine' }))],
    ['tcbInfo.tcbLevels[1].advisoryIDs is no list of 0 to 256', leveled(tdx, (level) => ({ ...level, advisoryIDs: 'A' }))],
    [
      'tcbInfo.tcbLevels[1].advisoryIDs holds something else than short texts',
      leveled(tdx, (level) => ({ ...level, advisoryIDs: ['A', 'x'.repeat(129)] })),
    ],
    ['tcbInfo.tcbLevels[1].tcb.pcesvn is no integer from 0 to 65535', leveled(tdx, tcb({ pcesvn: 65_536 }))],
    ['tcbInfo.tcbLevels[1].tcb.sgxtcbcomponents is no list of 16 to 16', leveled(tdx, tcb({ sgxtcbcomponents: components(15) }))],
    ['tcbInfo.tcbLevels[1].tcb.tdxtcbcomponents is no list of 16 to 16', leveled(tdx, tcb({ tdxtcbcomponents: components(17) }))],
    [
      'tcbInfo.tcbLevels[1].tcb.tdxtcbcomponents[0].svn is no integer from 0 to 255',
      leveled(tdx, tcb({ tdxtcbcomponents: components(16, 256) })),
    ],
    [
      `tcbInfo.tcbLevels[1].tcb.sgxtcbcomponents[0].category ${TEXT}`,
      leveled(tdx, tcb({ sgxtcbcomponents: components(16).map((one) => ({ ...one, category: '' })) })),
    ],
    [
      `tcbInfo.tcbLevels[1].tcb.sgxtcbcomponents[0].type ${TEXT}`,
      leveled(tdx, tcb({ sgxtcbcomponents: components(16).map((one) => ({ ...one, type: 1 })) })),
    ],
    ['tcbInfo.tcbLevels[1].tcb.sgxtcbcomp09svn is no integer from 0 to 255', leveled(v2, tcb({ sgxtcbcomp09svn: 256 }))],
    ['tcbInfo.tcbLevels[1].tcb.sgxtcbcomp16svn is no integer from 0 to 255', leveled(v2, tcb({ sgxtcbcomp16svn: null }))],
  ])('%s', (message, document) => expect(fault(TCB_INFO, document)).toBe(message))
})

describe('the limits of TCB info', () => {
  it.each<[string, Plain]>([
    ['the largest numbers', leveled({ ...tdx, tcbEvaluationDataNumber: 4_294_967_295 }, tcb({ pcesvn: 65_535 }))],
    ['the largest components', leveled(tdx, tcb({ tdxtcbcomponents: components(16, 255) }))],
    ['words of 128 characters', leveled(tdx, tcb({ sgxtcbcomponents: components(16).map((one) => ({ ...one, type: 'x'.repeat(128) })) }))],
    ['256 advisories', leveled(tdx, (level) => ({ ...level, advisoryIDs: Array.from({ length: 256 }, () => 'A') }))],
    ['64 modules', modules(([one]) => Array.from({ length: 64 }, (_, id) => ({ ...one, id: `TDX_${id}` })))],
    ['no list of modules', without(tdx, 'tdxModuleIdentities')],
  ])('take %s', (_, document) => expect(fault(TCB_INFO, document)).toBe('read'))
})

describe('a QE identity that is refused says which member is at fault', () => {
  it.each<[string, unknown]>([
    ['enclaveIdentity is no object', 'QE'],
    ['enclaveIdentity.version is 3, not 2', { ...identity, version: 3 }],
    ['enclaveIdentity.id is none of Intel’s enclaves', { ...identity, id: 'TD_QVE' }],
    ['enclaveIdentity.issueDate is not a time as Intel writes it', without(identity, 'issueDate')],
    ['enclaveIdentity.nextUpdate is not a time as Intel writes it', without(identity, 'nextUpdate')],
    ['enclaveIdentity.tcbEvaluationDataNumber is no integer from 0 to 4294967295', without(identity, 'tcbEvaluationDataNumber')],
    ['enclaveIdentity.miscselect is not 4 bytes in hex', { ...identity, miscselect: '00' }],
    ['enclaveIdentity.miscselectMask is not 4 bytes in hex', { ...identity, miscselectMask: '00' }],
    ['enclaveIdentity.attributes is not 16 bytes in hex', { ...identity, attributes: '00' }],
    ['enclaveIdentity.attributesMask is not 16 bytes in hex', { ...identity, attributesMask: '00' }],
    ['enclaveIdentity.mrsigner is not 32 bytes in hex', { ...identity, mrsigner: '00' }],
    ['enclaveIdentity.isvprodid is no integer from 0 to 65535', { ...identity, isvprodid: 65_536 }],
    ['enclaveIdentity.tcbLevels[1].tcb.isvsvn is no integer from 0 to 65535', leveled(identity, tcb({ isvsvn: 65_536 }))],
    ['enclaveIdentity: tcbStatus ConfigurationNeeded', leveled(identity, (level) => ({ ...level, tcbStatus: 'ConfigurationNeeded' }))],
  ])('%s', (message, document) => expect(fault(QE_IDENTITY, document)).toBe(message))

  it.each(['TD_QE', 'QE', 'QVE', 'QAE'])('of %s is read', (id) => expect(fault(QE_IDENTITY, { ...identity, id })).toBe('read'))
})

describe('what is handed around as a document', () => {
  it('is its chain and its body', () => {
    const document = { issuerChain: Uint8Array.of(1, 2, 3), body: Uint8Array.of(4, 5) }
    expect(readVendorDocument(writeVendorDocument(document))).toEqual(document)
    expect(readVendorDocument(Uint8Array.of(1, 0, 0, 0, 9))).toEqual({ issuerChain: Uint8Array.of(9), body: new Uint8Array() })
  })

  it.each([
    ['the chain is longer than the document', Uint8Array.of(2, 0, 0, 0, 9)],
    ['vendor-document.issuer_chain.length @0: needs 4 bytes, 3 left', Uint8Array.of(0, 0, 0)],
  ])('is refused where %s', (message, bytes) => {
    expect(() => readVendorDocument(bytes)).toThrow(expect.objectContaining({ code: 'collateral-unavailable', message }))
  })
})
