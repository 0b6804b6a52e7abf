import { describe, expect, it } from 'vitest'
import { reportBytes } from '../../../test/snp-report-bytes.ts'
import { readLayout } from './structure-layout.ts'

/** ATTESTATION_REPORT of version 5 as specification snp.md section 1 has it: name, offset, length. */
const FIELDS = [
  ['VERSION', 0x000, 4],
  ['GUEST_SVN', 0x004, 4],
  ['POLICY', 0x008, 8],
  ['FAMILY_ID', 0x010, 16],
  ['IMAGE_ID', 0x020, 16],
  ['VMPL', 0x030, 4],
  ['SIGNATURE_ALGO', 0x034, 4],
  ['CURRENT_TCB', 0x038, 8],
  ['PLATFORM_INFO', 0x040, 8],
  ['KEY_INFO', 0x048, 4],
  ['RESERVED', 0x04c, 4],
  ['REPORT_DATA', 0x050, 64],
  ['MEASUREMENT', 0x090, 48],
  ['HOST_DATA', 0x0c0, 32],
  ['ID_KEY_DIGEST', 0x0e0, 48],
  ['AUTHOR_KEY_DIGEST', 0x110, 48],
  ['REPORT_ID', 0x140, 32],
  ['REPORT_ID_MA', 0x160, 32],
  ['REPORTED_TCB', 0x180, 8],
  ['CPUID_FAM_ID', 0x188, 1],
  ['CPUID_MOD_ID', 0x189, 1],
  ['CPUID_STEP', 0x18a, 1],
  ['RESERVED', 0x18b, 21],
  ['CHIP_ID', 0x1a0, 64],
  ['COMMITTED_TCB', 0x1e0, 8],
  ['CURRENT_BUILD', 0x1e8, 1],
  ['CURRENT_MINOR', 0x1e9, 1],
  ['CURRENT_MAJOR', 0x1ea, 1],
  ['RESERVED', 0x1eb, 1],
  ['COMMITTED_BUILD', 0x1ec, 1],
  ['COMMITTED_MINOR', 0x1ed, 1],
  ['COMMITTED_MAJOR', 0x1ee, 1],
  ['RESERVED', 0x1ef, 1],
  ['LAUNCH_TCB', 0x1f0, 8],
  ['LAUNCH_MIT_VECTOR', 0x1f8, 8],
  ['CURRENT_MIT_VECTOR', 0x200, 8],
  ['RESERVED', 0x208, 152],
  ['SIGNATURE_R', 0x2a0, 72],
  ['SIGNATURE_S', 0x2e8, 72],
  ['SIGNATURE_RESERVED', 0x330, 368],
] as const

describe('the layout of a report', () => {
  it('lists every byte once', () => {
    const ends = FIELDS.map(([, offset, length]) => offset + length)
    expect(FIELDS.map(([, offset]) => offset)).toEqual([0, ...ends.slice(0, -1)])
    expect(ends.at(-1)).toBe(1184)
  })

  it.each(FIELDS)('is cut short inside %s, which is told with its offset', (field, offset, length) => {
    const bytes = reportBytes({ version: 5 }).subarray(0, offset + length - 1)
    const message = `snp-report.${field} @${offset}: needs ${length} bytes, ${length - 1} left`
    expect(() => readLayout(bytes)).toThrow(expect.objectContaining({ code: 'snp-report-size', message, at: `snp-report.${field}` }))
  })

  it('ends with its last field', () => {
    const bytes = new Uint8Array([...reportBytes(), 0])
    const message = 'snp-report.end @1184: 1 bytes follow the last field'
    expect(() => readLayout(bytes)).toThrow(expect.objectContaining({ code: 'snp-report-size', message }))
  })

  it.each([
    [2, '4 at 4c, 24 at 188, 1 at 1eb, 1 at 1ef, 168 at 1f8'],
    [3, '4 at 4c, 21 at 18b, 1 at 1eb, 1 at 1ef, 168 at 1f8'],
    [4, '4 at 4c, 21 at 18b, 1 at 1eb, 1 at 1ef, 152 at 208'],
  ])('of version %i reserves what later versions give a meaning: %s', (version, spans) => {
    const { reserved } = readLayout(reportBytes({ version }))
    expect(reserved.map(({ at, bytes }) => `${bytes.length} at ${at.toString(16)}`).join(', ')).toBe(spans)
  })
})
