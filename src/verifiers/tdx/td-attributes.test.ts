import { describe, expect, it } from 'vitest'
import { tdAttributesOf, xfamOf } from './td-attributes.ts'

/** A word as it is stored: eight bytes, little-endian. */
function stored(word: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(word)
  return new Uint8Array(bytes)
}

const NAMES = {
  debug: 0,
  hgs_plus_prof: 4,
  perf_prof: 5,
  pmt_prof: 6,
  icssd: 16,
  servtd_ext: 17,
  lass: 27,
  sept_ve_disable: 28,
  migratable: 29,
  pks: 30,
  kl: 31,
  tpa: 62,
  perfmon: 63,
} as const

const named = (word: bigint): readonly string[] =>
  Object.entries(tdAttributesOf(stored(word))).flatMap(([name, set]) => (set === true ? [name] : []))

describe('TDATTRIBUTES', () => {
  it.each(Object.entries(NAMES))('%s is bit %i alone', (name, bit) => {
    expect(named(1n << BigInt(bit))).toEqual([name])
    expect(tdAttributesOf(stored(1n << BigInt(bit)))).toMatchObject({ tud_bits: '0x0', reserved_bits: '0x0' })
  })

  it('has a place for every other bit', () => {
    const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => !Object.values<number>(NAMES).includes(bit))
    const places = bits.map((bit) => {
      const { tud_bits, reserved_bits } = tdAttributesOf(stored(1n << BigInt(bit)))
      const mask = `0x${(1n << BigInt(bit)).toString(16)}`
      return [tud_bits === mask, reserved_bits === mask]
    })
    expect(places).toEqual(bits.map((bit) => [bit < 8, bit >= 8]))
  })

  it('is shown as received', () => expect(tdAttributesOf(stored(0x8000_0000_1000_0000n)).value).toBe('0000001000000080'))
})

describe('XFAM', () => {
  it('names its features in the order of their bits', () => {
    const avx512 = ['avx512_opmask', 'avx512_zmm_hi256', 'avx512_hi16_zmm']
    const features = ['x87', 'sse', 'avx', ...avx512, 'pkru', 'amx_tilecfg', 'amx_tiledata']
    expect(xfamOf(stored(0x6_02e7n))).toEqual({ value: 'e702060000000000', features })
  })

  it('names every bit, also those without a name', () => {
    const { features } = xfamOf(stored(2n ** 64n - 1n))
    expect([features.length, new Set(features).size, features.at(3), features.at(-1)]).toEqual([64, 64, 'bit_3', 'bit_63'])
    expect(features.filter((name) => !name.startsWith('bit_'))).toEqual([
      'x87',
      'sse',
      'avx',
      'avx512_opmask',
      'avx512_zmm_hi256',
      'avx512_hi16_zmm',
      'pt',
      'pkru',
      'pasid',
      'cet_u',
      'cet_s',
      'hdc',
      'uintr',
      'lbr',
      'hwp',
      'amx_tilecfg',
      'amx_tiledata',
      'apx',
    ])
  })
})
