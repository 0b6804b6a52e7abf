import { describe, expect, it } from 'vitest'
import { GLOBAL_VARIABLE, aaelBytes, sha384, text, variableBytes } from '../../../test/event-log-bytes.ts'
import { judgeData } from './digests.ts'

const judge = (type: number, data: Uint8Array | undefined, digest: Uint8Array) => {
  const { measured, mismatch } = judgeData({ number: 0, register: 0, type, digest, data }, 'sha384')
  return { measured: measured === undefined ? undefined : Buffer.from(measured).toString('latin1'), mismatch }
}
const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'))
const NOTHING = { measured: undefined, mismatch: false }
const LIE = { measured: undefined, mismatch: true }

const variable = variableBytes(GLOBAL_VARIABLE, 'BootOrder', bytes('\x01\0'))
const grown = (data: Uint8Array, tail: string): Uint8Array => new Uint8Array(Buffer.concat([data, bytes(tail)]))

describe('the data of an event', () => {
  it.each<[string, number, Uint8Array]>([
    ['EV_SEPARATOR', 0x4, new Uint8Array(4)],
    ['EV_EFI_ACTION', 0x80000007, text('Exit Boot Services Invocation')],
    ['EV_EFI_GPT_EVENT', 0x80000006, text('EFI PART')],
    ['EV_EFI_VARIABLE_DRIVER_CONFIG', 0x80000001, variable],
    ['EV_EFI_VARIABLE_AUTHORITY', 0x800000e0, variable],
    ['EV_EVENT_TAG of an attestation agent', 0x6, aaelBytes('a b c')],
  ])('of %s are what was measured, or a lie', (_, type, data) => {
    expect(judge(type, data, sha384(data))).toEqual({ measured: Buffer.from(data).toString('latin1'), mismatch: false })
    const changed = data.with(data.length - 1, (data.at(-1) ?? 0) ^ 1)
    expect(judge(type, changed, sha384(data))).toEqual(LIE)
  })

  it.each([
    ['EV_POST_CODE', 0x1],
    ['EV_PLATFORM_CONFIG_FLAGS', 0xa],
    ['EV_EFI_BOOT_SERVICES_APPLICATION', 0x80000003],
    ['EV_EFI_PLATFORM_FIRMWARE_BLOB2', 0x8000000a],
    ['EV_EFI_HANDOFF_TABLES2', 0x8000000b],
    ['an unknown type', 0x12345678],
    ['EV_EVENT_TAG of others', 0x6],
    ['EV_IPL of others', 0xd],
  ])('of %s say nothing, whatever their digest is', (_, type) => {
    const data = bytes('\xed";\x8f\x1a\0\0\0LOADED_IMAGE::LoadOptions\0')
    expect(judge(type, data, sha384(data))).toEqual(NOTHING)
    expect(judge(type, data, sha384(text('else')))).toEqual(NOTHING)
  })

  it('that were left out say nothing', () => {
    expect(judge(0x4, undefined, sha384(new Uint8Array()))).toEqual(NOTHING)
  })

  it('of EV_EFI_VARIABLE_BOOT are measured without GUID and name', () => {
    const digest = sha384(bytes('\x01\0'))
    expect(judge(0x80000002, variable, digest)).toEqual({ measured: '\x01\0', mismatch: false })
    expect(judge(0x80000002, variableBytes('00'.repeat(16), 'Other', bytes('\x01\0')), digest)).toEqual({
      measured: '\x01\0',
      mismatch: false,
    })
    expect(judge(0x80000002, variableBytes(GLOBAL_VARIABLE, 'BootOrder', bytes('\x02\0')), digest)).toEqual(LIE)
    expect(judge(0x80000002, variable, sha384(variable))).toEqual(LIE)
  })

  it.each([
    ['bytes behind it', grown(variable, '\0')],
    ['bytes missing', variable.subarray(0, -1)],
    ['a name past the end', variable.with(16, 200)],
    ['a name of 2^63 units', variable.with(23, 0x80)],
    ['data of 2^63 bytes', variable.with(31, 0x80)],
    ['nothing', new Uint8Array()],
  ])('of EV_EFI_VARIABLE_BOOT with %s are a lie', (_, data) => {
    expect(judge(0x80000002, data, sha384(bytes('\x01\0')))).toEqual(LIE)
  })

  it('of EV_EFI_VARIABLE_AUTHORITY may be one byte longer than what was measured', () => {
    const digest = sha384(variable)
    expect(judge(0x800000e0, grown(variable, '\0'), digest)).toEqual(judge(0x800000e0, variable, digest))
    expect(judge(0x800000e0, grown(variable, '\0\0'), digest)).toEqual(LIE)
  })

  it('of EV_EFI_VARIABLE_BOOT2 are believed where they fit', () => {
    expect(judge(0x8000000c, text('x'), sha384(text('x')))).toEqual({ measured: 'x', mismatch: false })
    expect(judge(0x8000000c, text('x'), sha384(text('y')))).toEqual(NOTHING)
  })

  it.each(['grub_cmd: ', 'kernel_cmdline: '])('of EV_IPL are measured without “%s”, with the NUL or without', (prefix) => {
    const line = (end: string) => text(`${prefix}linux ro${end}`)
    expect(judge(0xd, line('\0'), sha384(text('linux ro')))).toEqual({ measured: 'linux ro', mismatch: false })
    expect(judge(0xd, line(''), sha384(text('linux ro')))).toEqual({ measured: 'linux ro', mismatch: false })
    expect(judge(0xd, line('\0'), sha384(text('linux ro\0')))).toEqual({ measured: 'linux ro\0', mismatch: false })
    expect(judge(0xd, line('\0\0'), sha384(text('linux ro')))).toEqual(LIE)
    expect(judge(0xd, line('\0'), sha384(line('\0')))).toEqual(LIE)
    expect(judge(0xd, line(''), sha384(text('linux r')))).toEqual(LIE)
  })

  it.each(['grub_cmd linux ro\0', 'module_cmdline: x\0', '/boot/vmlinuz\0', 'kernel_cmdline:x'])(
    'of EV_IPL say nothing as “%s”',
    (line) => {
      expect(judge(0xd, text(line), sha384(text(line)))).toEqual(NOTHING)
    },
  )

  it('of an attestation agent may be no text at all', () => {
    const empty = aaelBytes('')
    expect(judge(0x6, empty, sha384(empty))).toEqual({ measured: Buffer.from(empty).toString('latin1'), mismatch: false })
  })

  it('of an attestation agent must have the size that they tell', () => {
    const event = aaelBytes('a b c')
    for (const data of [event.with(4, 4), event.with(4, 6), event.subarray(0, 7)]) expect(judge(0x6, data, sha384(data))).toEqual(LIE)
  })
})
