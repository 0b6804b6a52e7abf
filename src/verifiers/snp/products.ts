import type { SnpProduct } from './claims.ts'

type Line = { readonly family: number; readonly models: readonly (readonly [from: number, to: number])[] }

/**
 * AMD's product lines by combined CPUID family and model (specification snp.md section 3). Venice is known by name only:
 * its TCB layout and its roots are not published in any source seen.
 */
const LINES = {
  Milan: { family: 0x19, models: [[0x00, 0x0f]] },
  Genoa: {
    family: 0x19,
    models: [
      [0x10, 0x1f],
      [0xa0, 0xaf],
    ],
  },
  Turin: { family: 0x1a, models: [[0x00, 0x11]] },
  Venice: {
    family: 0x1a,
    models: [
      [0x50, 0x57],
      [0x90, 0xaf],
      [0xc0, 0xc7],
    ],
  },
} as const satisfies Record<SnpProduct | 'Venice', Line>

/** Every line that has a name, whether its keys are pinned or not. */
export type KnownProduct = keyof typeof LINES

const NAMES = ['Milan', 'Genoa', 'Turin', 'Venice'] as const satisfies readonly KnownProduct[]

const includes = (line: Line, family: number, model: number): boolean =>
  line.family === family && line.models.some(([from, to]) => from <= model && model <= to)

/** The product line of a processor (specification snp.md section 3); undefined when no source names it. */
export const productOf = (family: number, model: number): KnownProduct | undefined =>
  NAMES.find((name) => includes(LINES[name], family, model))

/** Whether AMD's keys for a product line are pinned (section 6.4). */
export const isSupported = (product: KnownProduct | undefined): product is SnpProduct => product !== undefined && product !== 'Venice'

/** Bytes of CHIP_ID that are significant on a product: the length of hwID in its VCEK (section 6.2). */
export const hwidBytes = (product: SnpProduct): 8 | 64 => (product === 'Turin' ? 8 : 64)
