import { describe, expect, it } from 'vitest'
import { readEnclaveReport } from './enclave-report.ts'
import { bodyKind, readHeader, readTdReport } from './quote-layout.ts'

type Layout = readonly (readonly [field: string, length: number])[]

/** Specification tdx.md section 1.1. */
const HEADER: Layout = [
  ['VERSION', 2],
  ['ATTESTATION_KEY_TYPE', 2],
  ['TEE_TYPE', 4],
  ['RESERVED', 4],
  ['QE_VENDOR_ID', 16],
  ['USER_DATA', 20],
]

/** Section 1.5, TD report 1.0. */
const TD10: Layout = [
  ['TEE_TCB_SVN', 16],
  ['MRSEAM', 48],
  ['MRSIGNERSEAM', 48],
  ['SEAMATTRIBUTES', 8],
  ['TDATTRIBUTES', 8],
  ['XFAM', 8],
  ['MRTD', 48],
  ['MRCONFIGID', 48],
  ['MROWNER', 48],
  ['MROWNERCONFIG', 48],
  ['RTMR0', 48],
  ['RTMR1', 48],
  ['RTMR2', 48],
  ['RTMR3', 48],
  ['REPORTDATA', 64],
]
const TD15: Layout = [...TD10, ['TEE_TCB_SVN_2', 16], ['MRSERVICETD', 48]]
const TD15_EX: Layout = [
  ...TD15,
  ['VMID', 1],
  ['TD_ID', 32],
  ['DEVINFO', 48],
  ['INIT_SERVTD_HASH', 48],
  ['INIT_SERVTD_ATTR', 8],
  ['INIT_CPUSVN', 16],
  ['INIT_TEE_TCB_SVN', 16],
  ['INIT_TEE_FMSPC', 12],
  ['CUR_SERVTD_HASH', 48],
  ['CUR_SERVTD_ATTR', 8],
]

/** Section 1.6. */
const ENCLAVE: Layout = [
  ['CPUSVN', 16],
  ['MISCSELECT', 4],
  ['RESERVED', 12],
  ['ISVEXTPRODID', 16],
  ['ATTRIBUTES', 16],
  ['MRENCLAVE', 32],
  ['RESERVED', 32],
  ['MRSIGNER', 32],
  ['RESERVED', 32],
  ['CONFIGID', 64],
  ['ISVPRODID', 2],
  ['ISVSVN', 2],
  ['CONFIGSVN', 2],
  ['RESERVED', 42],
  ['ISVFAMILYID', 16],
  ['REPORTDATA', 64],
]

const offsetOf = (layout: Layout, index: number): number => layout.slice(0, index).reduce((sum, [, length]) => sum + length, 0)

describe.each([
  ['the header of a quote', 'quote.header', 48, HEADER, readHeader, 'tdx-quote-too-short'],
  ['TD report 1.0', 'quote.body', 584, TD10, (bytes: Uint8Array) => readTdReport('td-report-1.0', bytes), 'tdx-body-size-mismatch'],
  ['TD report 1.5', 'quote.body', 648, TD15, (bytes: Uint8Array) => readTdReport('td-report-1.5', bytes), 'tdx-body-size-mismatch'],
  [
    'TD report 1.5-Ex',
    'quote.body',
    885,
    TD15_EX,
    (bytes: Uint8Array) => readTdReport('td-report-1.5-ex', bytes),
    'tdx-body-size-mismatch',
  ],
  ['an enclave report', 'enclave-report', 384, ENCLAVE, readEnclaveReport, 'tdx-body-size-mismatch'],
] as const)('%s', (...[, what, size, layout, read, code]) => {
  it('has the size of its specification', () => {
    expect(offsetOf(layout, layout.length)).toBe(size)
    expect(() => read(new Uint8Array(size))).not.toThrow()
  })

  it.each(layout.map(([field, length], index) => [field, offsetOf(layout, index), length] as const))(
    'is cut short inside %s, which is told with its offset %i',
    (field, offset, length) => {
      const message = `${what}.${field} @${offset}: needs ${length} bytes, ${length - 1} left`
      expect(() => read(new Uint8Array(offset + length - 1))).toThrow(expect.objectContaining({ code, message, at: `${what}.${field}` }))
    },
  )

  it('ends with its last field', () => {
    const message = `${what}.end @${size}: 1 bytes follow the last field`
    expect(() => read(new Uint8Array(size + 1))).toThrow(expect.objectContaining({ code, message }))
  })
})

describe('the kind of a body', () => {
  it.each([
    [1, 'enclave-report', 384, 'sgx'],
    [2, 'td-report-1.0', 584, 'tdx'],
    [3, 'td-report-1.5', 648, 'tdx'],
    [4, 'td-report-1.5-ex', 885, 'tdx'],
  ])('%i is %s of %i bytes', (...[type, name, bytes, tee]) => expect(bodyKind(type)).toEqual({ type, name, bytes, tee }))

  it('is none for another type', () => expect([0, 5].map(bodyKind)).toEqual([undefined, undefined]))
})
