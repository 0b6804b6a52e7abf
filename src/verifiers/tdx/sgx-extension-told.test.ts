import { describe, expect, it } from 'vitest'
import { derBoolean, derEnumerated, derInteger, derOctets } from '../../simulator/der.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import type { PckRequest } from '../../simulator/pck.ts'
import type { SgxEntry, SgxEntryChanges } from '../../simulator/sgx-extension.ts'
import { parseCertificate } from '../x509.ts'
import { SGX_EXTENSION } from './certificate-rules.ts'
import { readSgxExtension, type SgxExtension } from './sgx-extension.ts'

const intel = fakeIntel()
const read = ({ ca = 'platform', ...request }: PckRequest): SgxExtension =>
  readSgxExtension(parseCertificate(intel.pck({ ca, ...request }).der), ca)

const without = (id: string) => (all: readonly SgxEntry[]) => all.filter((entry) => entry.id !== id)
const replaced = (id: string, value: Uint8Array) => (all: readonly SgxEntry[]) =>
  all.map((entry) => (entry.id === id ? { id, value } : entry))
const inEntries = (id: string, value: Uint8Array): SgxEntryChanges => ({ entries: replaced(id, value) })
const inTcb = (id: string, value: Uint8Array): SgxEntryChanges => ({ tcb: replaced(id, value) })
const unknown: SgxEntry = { id: '9', value: derInteger(0) }

describe('an SGX extension that is refused says which entry is at fault', () => {
  it.each<[message: string, sgx: SgxEntryChanges]>([
    ['entry .1 is missing', { entries: without('1') }],
    ['entry .7 is missing', { entries: without('7') }],
    ['entry .2.16 is missing', { tcb: without('2.16') }],
    ['entry .2.18 is missing', { tcb: without('2.18') }],
  ])('%s', (message, sgx) => {
    expect(() => read({ sgx })).toThrow(expect.objectContaining({ code: 'sgx-extension-missing', message, at: 'sgx_extension' }))
  })

  it.each<[message: RegExp, sgx: SgxEntryChanges]>([
    [/\.1\.2\.840\.113741\.1\.13\.1\.9 @\d+: is unknown or occurs twice$/, { entries: (all) => [...all, unknown] }],
    [/\.1\.2\.840\.113741\.1\.13\.1\.1 @\d+: is unknown or occurs twice$/, { entries: (all) => [...all, ...all.slice(0, 1)] }],
    [/^sgx_extension\.1 @\d+: has 17 bytes, not 16$/, inEntries('1', derOctets(new Uint8Array(17)))],
    [/^sgx_extension\.1 @0: is not of type 04h$/, inEntries('1', derInteger(1))],
    [/^sgx_extension\.3 @\d+: has 1 bytes, not 2$/, inEntries('3', derOctets(new Uint8Array(1)))],
    [/^sgx_extension\.4 @\d+: has 7 bytes, not 6$/, inEntries('4', derOctets(new Uint8Array(7)))],
    [/^sgx_extension\.6 @\d+: has 15 bytes, not 16$/, inEntries('6', derOctets(new Uint8Array(15)))],
    [/^sgx_extension\.2\.3 @\d+: is not between 0 and 255$/, inTcb('2.3', derInteger(256))],
    [/^sgx_extension\.2\.3 @\d+: is not between 0 and 255$/, inTcb('2.3', derInteger(-1))],
    [/^sgx_extension\.2\.17 @\d+: is not between 0 and 65535$/, inTcb('2.17', derInteger(65_536))],
    [/^sgx_extension\.2\.18 @\d+: has 15 bytes, not 16$/, inTcb('2.18', derOctets(new Uint8Array(15)))],
    [/^sgx_extension\.SGX type @\d+: is not 0, 1 or 2$/, inEntries('5', derEnumerated(3))],
    [/^sgx_extension\.SGX type @0: is not of type 0ah$/, inEntries('5', derInteger(1))],
    [/^sgx_extension\.7\.1 @\d+: is not a BOOLEAN of DER$/, { configuration: replaced('7.1', Uint8Array.of(1, 1, 1)) }],
    [/^sgx_extension\.7\.2 @0: is not of type 01h$/, { configuration: replaced('7.2', derInteger(1)) }],
    [/^sgx_extension\.entries @0: is not of type 30h$/, inEntries('7', derBoolean(true))],
    [/^sgx_extension\.entries @0: is not of type 30h$/, inEntries('2', derOctets(new Uint8Array(16)))],
  ])('%s', (message, sgx) => {
    const error = { code: 'sgx-extension-malformed', message: expect.stringMatching(message) as string }
    expect(() => read({ sgx })).toThrow(expect.objectContaining(error))
  })

  it('that is not there', () => {
    const error = { code: 'sgx-extension-missing', message: 'the extension is missing' }
    expect(() => readSgxExtension({ extensions: [] }, 'platform')).toThrow(expect.objectContaining(error))
  })

  it.each([
    ['entries', derOctets(new Uint8Array(1)), /^sgx_extension\.entries @0: is not of type 30h$/],
    ['an entry', Uint8Array.of(0x30, 2, 4, 0), /^sgx_extension\.entries\.entry @0: is not of type 30h$/],
    ['an identifier', Uint8Array.of(0x30, 4, 0x30, 2, 4, 0), /^sgx_extension\.entries\.entry\.id @0: is not of type 06h$/],
    ['a value', Uint8Array.of(0x30, 14, 0x30, 12, ...oidBytes()), /^sgx_extension\.entries\.entry\.value @12: has no tag/],
  ])('whose form is wrong at %s', (_, value, message) => {
    const extensions = [{ oid: SGX_EXTENSION, encodedOid: new Uint8Array(), critical: false, value }]
    const error = { code: 'sgx-extension-malformed', message: expect.stringMatching(message) as string }
    expect(() => readSgxExtension({ extensions }, 'platform')).toThrow(expect.objectContaining(error))
  })
})

/** The identifier of entry .1, without a value. */
function oidBytes(): Uint8Array {
  return Uint8Array.of(6, 10, ...Buffer.from('2a864886f84d010d0101', 'hex'))
}

describe('the limits of an SGX extension', () => {
  it('are whole bytes and two bytes', () => {
    const { components, pcesvn } = read({
      sgx: { tcb: (all) => replaced('2.17', derInteger(65_535))(replaced('2.3', derInteger(255))(all)) },
    })
    expect([components[2], pcesvn]).toEqual([255, 65_535])
    expect(read({ sgx: inTcb('2.3', derInteger(0)) }).components[2]).toBe(0)
  })

  it.each([0, 1, 2] as const)('are the SGX types that there are: %i', (sgxType) => expect(read({ sgxType }).sgxType).toBe(sgxType))
})
