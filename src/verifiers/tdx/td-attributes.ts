import { hexOf } from '../der-values.ts'
import type { TdAttributes, Xfam } from './claims.ts'

/** Whether a bit of a little-endian word is set. */
const bit = (word: Uint8Array, index: number): boolean => (((word[index >> 3] ?? 0) >> (index & 7)) & 1) === 1

/** The bits of a word that are set, lowest first. A loop: with a call for each bit this costs more than all the rest of the claims. */
function setBits(word: Uint8Array): readonly number[] {
  const set: number[] = []
  for (let index = 0; index < WORD_BITS; index++) if (bit(word, index)) set.push(index)
  return set
}
const WORD_BITS = 64

/** Bits as a number of the whole word. Hardly any word has such bits. */
const mask = (bits: readonly number[]): string =>
  bits.length === 0 ? '0x0' : `0x${bits.reduce((word, index) => word | (1n << BigInt(index)), 0n).toString(16)}`

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

const NAMED: ReadonlySet<number> = new Set(Object.values(BITS))
/** The bits below this one make a TD untrusted (TUD). */
const TUD_END = 8

/** TDATTRIBUTES by bits (section 6.1), from its eight bytes as received. */
export function tdAttributesOf(word: Uint8Array): TdAttributes {
  const unnamed = setBits(word).filter((index) => !NAMED.has(index))
  return {
    value: hexOf(word),
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
    tud_bits: mask(unnamed.filter((index) => index < TUD_END)),
    reserved_bits: mask(unnamed.filter((index) => index >= TUD_END)),
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
export const xfamOf = (word: Uint8Array): Xfam => ({
  value: hexOf(word),
  features: setBits(word).map((index) => FEATURES[index] ?? `bit_${index}`),
})
