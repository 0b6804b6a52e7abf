import { describe, expect, it } from 'vitest'
import { chipIdOf, platformInfoOf, policyOf } from './claims-of.ts'

/** The members that are true when one bit is set. */
const setBy = (decode: (value: bigint) => object, bit: number): readonly string[] =>
  Object.entries(decode(1n << BigInt(bit))).flatMap(([name, value]) => (value === true ? [name] : []))

describe('policyOf', () => {
  it.each([
    [16, 'smt_allowed'],
    [18, 'migrate_ma_allowed'],
    [19, 'debug_allowed'],
    [20, 'single_socket'],
    [21, 'cxl_allowed'],
    [22, 'mem_aes_256_xts'],
    [23, 'rapl_dis'],
    [24, 'ciphertext_hiding'],
    [25, 'page_swap_disable'],
  ])('reads bit %i as %s', (bit, name) => expect(setBy(policyOf, bit)).toEqual([name]))

  it('reads the minimum ABI and keeps the whole field', () =>
    expect(policyOf(0x3371fn)).toMatchObject({ value: '0x000000000003371f', abi_major: 0x37, abi_minor: 0x1f }))
})

describe('platformInfoOf', () => {
  it.each([
    [0, 'smt_enabled'],
    [1, 'tsme_enabled'],
    [2, 'ecc_enabled'],
    [3, 'rapl_disabled'],
    [4, 'ciphertext_hiding_enabled'],
    [5, 'alias_check_complete'],
    [7, 'tio_enabled'],
  ])('reads bit %i as %s', (bit, name) => {
    expect(setBy(platformInfoOf, bit)).toEqual([name])
    expect(platformInfoOf(1n << BigInt(bit)).unknown_bits).toBe('0x0')
  })

  it.each([6, 8, 63])('shows bit %i as unknown', (bit) => {
    expect(setBy(platformInfoOf, bit)).toEqual([])
    expect(platformInfoOf(1n << BigInt(bit)).unknown_bits).toBe(`0x${(1n << BigInt(bit)).toString(16)}`)
  })
})

describe('chipIdOf', () => {
  it('is the significant bytes, or null when masked', () => {
    const turin = new Uint8Array(64)
    turin.set([1, 2, 3, 4, 5, 6, 7, 8])
    expect(chipIdOf('Turin', turin)).toBe('0102030405060708')
    expect(chipIdOf('Milan', new Uint8Array(64).fill(0xc1))).toBe('c1'.repeat(64))
    expect(chipIdOf('Genoa', new Uint8Array(64))).toBeNull()
  })
})
