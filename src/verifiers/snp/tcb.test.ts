import { describe, expect, it } from 'vitest'
import { formatTcb, parseTcb } from './tcb.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const refused = { code: 'snp-tcb-malformed' }

describe('parseTcb', () => {
  it('reads the order of family 19h', () => {
    const parts = { bootloader: 3, tee: 0, snp: 8, microcode: 0x73 }
    expect(parseTcb('Milan', bytes('0300000000000873'))).toEqual(parts)
    expect(parseTcb('Genoa', bytes('0300000000000873'))).toEqual(parts)
  })

  it('reads the order of Turin', () =>
    expect(parseTcb('Turin', bytes('0001000200000047'))).toEqual({ fmc: 0, bootloader: 1, tee: 0, snp: 2, microcode: 0x47 }))

  it.each(['0300010000000873', '0300000100000873', '0300000001000873', '0300000000010873'])(
    'refuses reserved bytes of family 19h: %s',
    (hex) => expect(() => parseTcb('Milan', bytes(hex))).toThrowError(expect.objectContaining(refused)),
  )

  it.each(['0001000201000047', '0001000200010047', '0001000200000147'])('refuses reserved bytes of Turin: %s', (hex) =>
    expect(() => parseTcb('Turin', bytes(hex))).toThrowError(expect.objectContaining(refused)),
  )

  it.each([
    ['Milan', '8000000000000873'],
    ['Milan', '0080000000000873'],
    ['Milan', '0300000000008073'],
    ['Turin', '8001000200000047'],
    ['Turin', '0080000200000047'],
    ['Turin', '0001800200000047'],
    ['Turin', '0001008000000047'],
  ] as const)('refuses a part above 127: %s %s', (product, hex) =>
    expect(() => parseTcb(product, bytes(hex))).toThrowError(expect.objectContaining(refused)),
  )

  it('takes microcode to 255 and the other parts to 127', () => {
    expect(parseTcb('Milan', bytes('7f7f000000007fff'))).toEqual({ bootloader: 127, tee: 127, snp: 127, microcode: 255 })
    expect(parseTcb('Turin', bytes('7f7f7f7f000000ff'))).toEqual({ fmc: 127, bootloader: 127, tee: 127, snp: 127, microcode: 255 })
  })

  it.each(['03000000000008', '030000000000087300'])('refuses another length: %s', (hex) =>
    expect(() => parseTcb('Milan', bytes(hex))).toThrowError(expect.objectContaining(refused)),
  )
})

const cut = (hex: string, length: number): Uint8Array => bytes(hex).subarray(0, length)

describe('a TCB that cannot be read says which part is at fault', () => {
  it.each([
    ['Milan', bytes('8000000000000873'), 'BOOT_LOADER @1: 128 is above 127'],
    ['Milan', bytes('00ff000000000873'), 'TEE @2: 255 is above 127'],
    ['Genoa', bytes('0300000001000873'), 'RESERVED @6: reserved bytes are set'],
    ['Milan', bytes('0300000000008073'), 'SNP @7: 128 is above 127'],
    ['Milan', cut('0300000000000873', 7), 'MICROCODE @7: needs 1 bytes, 0 left'],
    ['Milan', bytes('030000000000087300'), 'end @8: 1 bytes follow the last field'],
    ['Turin', bytes('8001000200000047'), 'FMC @1: 128 is above 127'],
    ['Turin', bytes('0080000200000047'), 'BOOT_LOADER @2: 128 is above 127'],
    ['Turin', bytes('0001800200000047'), 'TEE @3: 128 is above 127'],
    ['Turin', bytes('0001008000000047'), 'SNP @4: 128 is above 127'],
    ['Turin', bytes('0001000201000047'), 'RESERVED @7: reserved bytes are set'],
    ['Turin', cut('0001000200000047', 7), 'MICROCODE @7: needs 1 bytes, 0 left'],
  ] as const)('on %s', (product, value, why) => {
    expect(() => parseTcb(product, value)).toThrow(expect.objectContaining({ ...refused, message: `snp-tcb.${why}` }))
  })
})

describe('formatTcb', () => {
  it('names the parts in the order of the specification', () => {
    expect(formatTcb({ bootloader: 1, tee: 0, snp: 2, microcode: 71, fmc: 0 })).toBe('fmc 0, bootloader 1, tee 0, snp 2, microcode 71')
    expect(formatTcb({ bootloader: 4, tee: 0, snp: 24, microcode: 219 })).toBe('bootloader 4, tee 0, snp 24, microcode 219')
    expect(formatTcb({ snp: 24 })).toBe('snp 24')
  })
})
