/** Bytes to lay over a report: offset and hex. */
export type Patch = readonly [offset: number, hex: string]

/** CPUID family, model and stepping of each product, as reports have them. */
const CPUID = { Milan: '190101', Genoa: '191101', Turin: '1a0201' } as const

/** REPORTED_TCB and its siblings: bootloader 4, tee 0, snp 24, microcode 219; on Turin fmc 1, bootloader 2, tee 0, snp 4, microcode 71. */
const TCB = { Milan: '04000000000018db', Genoa: '04000000000018db', Turin: '0102000400000047' } as const

/** A report of sound structure whose signature means nothing: for whatever is decided before any signature is checked. */
export function reportBytes(options: { version?: number; product?: keyof typeof CPUID; patches?: readonly Patch[] } = {}): Uint8Array {
  const { version = 3, product = 'Milan', patches = [] } = options
  const bytes = new Uint8Array(1184)
  const tcb = TCB[product]
  const base: readonly Patch[] = [
    [0x000, version.toString(16).padStart(2, '0')],
    [0x008, '0000030000000000'],
    [0x034, '01'],
    [0x038, tcb],
    [0x040, '25'],
    [0x050, 'd1'.repeat(64)],
    [0x090, 'a1'.repeat(48)],
    [0x140, '4e'.repeat(32)],
    [0x160, 'ff'.repeat(32)],
    [0x180, tcb],
    [0x188, version === 2 ? '000000' : CPUID[product]],
    [0x1a0, 'c1'.repeat(product === 'Turin' ? 8 : 64)],
    [0x1e0, tcb],
    [0x1e8, '1d3701001d370100'],
    [0x1f0, tcb],
    [0x2a0, '11'.repeat(48)],
    [0x2e8, '22'.repeat(48)],
  ]
  for (const [offset, hex] of [...base, ...patches]) bytes.set(Buffer.from(hex, 'hex'), offset)
  return bytes
}
