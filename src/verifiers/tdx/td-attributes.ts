import { hexOf } from '../der-values.ts'
import type { TdAttributes, Xfam } from './claims.ts'

/** A word of eight bytes, little-endian. */
const wordOf = (bytes: Uint8Array): bigint => bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)

const bit = (word: bigint, index: number): boolean => ((word >> BigInt(index)) & 1n) === 1n

const mask = (bits: readonly number[]): bigint => bits.reduce((word, index) => word | (1n << BigInt(index)), 0n)

/** The named bits of TDATTRIBUTES (specification tdx.md section 6.1). */
const BITS = {
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
} as const satisfies Record<keyof Omit<TdAttributes, 'value' | 'tud_bits' | 'reserved_bits'>, number>

const NAMED = mask(Object.values(BITS))
/** Bits 0 to 7 make a TD untrusted (TUD). */
const TUD = 0xffn

/** TDATTRIBUTES by bits (section 6.1), from its eight bytes as received. */
export function tdAttributesOf(bytes: Uint8Array): TdAttributes {
  const word = wordOf(bytes)
  const unnamed = word & ~NAMED
  return {
    value: hexOf(bytes),
    debug: bit(word, BITS.debug),
    hgs_plus_prof: bit(word, BITS.hgs_plus_prof),
    perf_prof: bit(word, BITS.perf_prof),
    pmt_prof: bit(word, BITS.pmt_prof),
    icssd: bit(word, BITS.icssd),
    servtd_ext: bit(word, BITS.servtd_ext),
    lass: bit(word, BITS.lass),
    sept_ve_disable: bit(word, BITS.sept_ve_disable),
    migratable: bit(word, BITS.migratable),
    pks: bit(word, BITS.pks),
    kl: bit(word, BITS.kl),
    tpa: bit(word, BITS.tpa),
    perfmon: bit(word, BITS.perfmon),
    tud_bits: `0x${(unnamed & TUD).toString(16)}`,
    reserved_bits: `0x${(unnamed & ~TUD).toString(16)}`,
  }
}

/** The bits of XFAM, which are those of XCR0 and IA32_XSS (section 6.2). */
const FEATURES: Readonly<Record<number, string>> = {
  0: 'x87',
  1: 'sse',
  2: 'avx',
  5: 'avx512_opmask',
  6: 'avx512_zmm_hi256',
  7: 'avx512_hi16_zmm',
  8: 'pt',
  9: 'pkru',
  10: 'pasid',
  11: 'cet_u',
  12: 'cet_s',
  13: 'hdc',
  14: 'uintr',
  15: 'lbr',
  16: 'hwp',
  17: 'amx_tilecfg',
  18: 'amx_tiledata',
  19: 'apx',
}

/** XFAM with its features by name, in the order of their bits (section 6.2); a bit without a name is `bit_<number>`. */
export function xfamOf(bytes: Uint8Array): Xfam {
  const word = wordOf(bytes)
  const set = Array.from({ length: 64 }, (_, index) => index).filter((index) => bit(word, index))
  return { value: hexOf(bytes), features: set.map((index) => FEATURES[index] ?? `bit_${index}`) }
}
