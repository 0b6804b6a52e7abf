import { describe, expect, it } from 'vitest'
import { derBoolean, derEnumerated, derInteger, derOctets, derSequence } from '../../simulator/der.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import type { PckRequest } from '../../simulator/pck.ts'
import type { SgxEntry, SgxEntryChanges } from '../../simulator/sgx-extension.ts'
import { attempt } from '../der-attempt.ts'
import { AttestationError } from '../problems.ts'
import { parseCertificate } from '../x509.ts'
import { SGX_EXTENSION } from './certificate-rules.ts'
import { readSgxExtension, type SgxExtension } from './sgx-extension.ts'

const intel = fakeIntel()

function read({ ca = 'platform', ...request }: PckRequest): SgxExtension | AttestationError {
  const certificate = parseCertificate(intel.pck({ ca, ...request }).der)
  return attempt(() => readSgxExtension(certificate, ca))
}
const codeOf = (request: PckRequest): string | undefined => {
  const result = read(request)
  return result instanceof AttestationError ? result.code : undefined
}

const components = Array.from({ length: 16 }, (_, index) => (index === 7 ? 255 : index))
const FIELDS = {
  ppid: new Uint8Array(16).fill(1),
  components,
  pcesvn: 65_535,
  cpusvn: new Uint8Array(16).fill(2),
  pceid: Uint8Array.of(0, 1),
  fmspc: Uint8Array.of(0xb0, 0xc0, 0x6f, 0, 0, 0),
  sgxType: 2,
} as const

describe('the SGX extension', () => {
  it('of the Platform CA is read with every entry', () => {
    const platformInstanceId = new Uint8Array(16).fill(3)
    const configuration = { dynamicPlatform: false, cachedKeys: true, smtEnabled: false }
    expect(read({ ...FIELDS, platformInstanceId, configuration })).toEqual({ ...FIELDS, platformInstanceId, configuration })
  })

  it('of the Processor CA says nothing of the platform', () => {
    const configuration = { dynamicPlatform: undefined, cachedKeys: undefined, smtEnabled: undefined }
    expect(read({ ...FIELDS, ca: 'processor' })).toEqual({ ...FIELDS, platformInstanceId: undefined, configuration })
  })

  it('may leave out parts of the configuration, which is not "no"', () => {
    const { configuration } = parts(read({ configuration: { smtEnabled: true } }))
    expect(configuration).toEqual({ dynamicPlatform: undefined, cachedKeys: undefined, smtEnabled: true })
  })

  it('may have its entries in any order', () => {
    expect(codeOf({ sgx: { entries: (all) => all.toReversed(), tcb: (all) => all.toReversed() } })).toBeUndefined()
  })

  it('is missing where it is not there', () => {
    expect(codeOf({ overrides: { extensions: (all) => all.filter(({ oid }) => oid !== SGX_EXTENSION) } })).toBe('sgx-extension-missing')
  })

  it.each(['1', '2', '3', '4', '5', '6', '7'])('is incomplete without entry .%s', (id) => {
    expect(codeOf({ sgx: { entries: without(id) } })).toBe('sgx-extension-missing')
  })

  it.each(['2.1', '2.16', '2.17', '2.18'])('is incomplete without entry .%s', (id) => {
    expect(codeOf({ sgx: { tcb: without(id) } })).toBe('sgx-extension-missing')
  })

  const inEntries = (id: string, value: Uint8Array): SgxEntryChanges => ({ entries: replaced(id, value) })
  const inTcb = (id: string, value: Uint8Array): SgxEntryChanges => ({ tcb: replaced(id, value) })
  const unknown: SgxEntry = { id: '9', value: derInteger(0) }

  it.each([
    ['an unknown entry', { entries: (all) => [...all, unknown] }],
    ['an unknown entry of the TCB', { tcb: (all) => [...all, { ...unknown, id: '2.19' }] }],
    ['an unknown entry of the configuration', { configuration: (all) => [...all, { ...unknown, id: '7.4' }] }],
    ['an entry twice', { entries: (all) => [...all, ...all.slice(0, 1)] }],
    ['an entry of the TCB twice', { tcb: (all) => [...all, ...all.slice(0, 1)] }],
    ['an entry of the configuration twice', { configuration: (all) => [...all, ...all.slice(0, 1)] }],
    ['component 256', inTcb('2.3', derInteger(256))],
    ['a negative component', inTcb('2.3', derInteger(-1))],
    ['a component that is not minimal', inTcb('2.3', Uint8Array.of(2, 2, 0, 1))],
    ['a component of bytes', inTcb('2.3', derOctets(Uint8Array.of(1)))],
    ['PCESVN 65536', inTcb('2.17', derInteger(65_536))],
    ['CPUSVN of 15 bytes', inTcb('2.18', derOctets(new Uint8Array(15)))],
    ['PPID of 17 bytes', inEntries('1', derOctets(new Uint8Array(17)))],
    ['PPID that is a number', inEntries('1', derInteger(1))],
    ['PCE-ID of 1 byte', inEntries('3', derOctets(new Uint8Array(1)))],
    ['FMSPC of 7 bytes', inEntries('4', derOctets(new Uint8Array(7)))],
    ['SGX type 3', inEntries('5', derEnumerated(3))],
    ['SGX type of two bytes', inEntries('5', Uint8Array.of(0x0a, 2, 0, 1))],
    ['SGX type that is an INTEGER', inEntries('5', derInteger(1))],
    ['platform instance id of 15 bytes', inEntries('6', derOctets(new Uint8Array(15)))],
    ['a TCB that is no sequence', inEntries('2', derOctets(new Uint8Array(16)))],
    ['a flag that is neither', { configuration: replaced('7.1', Uint8Array.of(1, 1, 1)) }],
    ['a flag that is a number', { configuration: replaced('7.1', derInteger(1)) }],
    ['a configuration that is no sequence', inEntries('7', derBoolean(true))],
  ] as readonly (readonly [string, SgxEntryChanges])[])('is malformed with %s', (_, sgx) => {
    expect(codeOf({ sgx })).toBe('sgx-extension-malformed')
  })

  it.each([
    ['no DER', Uint8Array.of(0x30, 0x80)],
    ['something behind it', Uint8Array.of(0x30, 0, 5, 0)],
    ['an entry of three parts', derSequence([derSequence([Uint8Array.of(6, 1, 0x2a), derInteger(1), derInteger(1)])])],
    ['an entry of one part', derSequence([derSequence([Uint8Array.of(6, 1, 0x2a)])])],
    ['an identifier of somebody else', derSequence([derSequence([Uint8Array.of(6, 1, 0x2a), derInteger(1)])])],
  ])('is malformed with %s', (_, value) => {
    const extensions = [{ oid: SGX_EXTENSION, encodedOid: new Uint8Array(), critical: false, value }]
    const result = attempt(() => readSgxExtension({ extensions }, 'platform'))
    expect(result).toMatchObject({ code: 'sgx-extension-malformed' })
  })

  it('of the Processor CA holds nothing that only the Platform CA writes', () => {
    const id = { id: '6', value: derOctets(new Uint8Array(16)) }
    expect(codeOf({ ca: 'processor', sgx: { entries: (all) => [...all, id] } })).toBe('sgx-extension-malformed')
  })
})

const without = (id: string) => (all: readonly SgxEntry[]) => all.filter((entry) => entry.id !== id)
const replaced = (id: string, value: Uint8Array) => (all: readonly SgxEntry[]) =>
  all.map((entry) => (entry.id === id ? { id, value } : entry))

function parts(result: SgxExtension | AttestationError): SgxExtension {
  if (result instanceof AttestationError) throw result
  return result
}
