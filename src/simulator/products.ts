import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'

/** What the simulator's processors are, by product (specification snp.md sections 2, 3, 6.2 and 6.4). */
export const SIM_PRODUCTS: Record<SnpProduct, SimProduct> = {
  Milan: {
    serialBase: 0x1_0000n,
    structVersion: 0,
    productName: 'Milan-B0',
    hwidBytes: 64,
    cpuid: { family: 0x19, model: 0x01, stepping: 0x01 },
    tcb: { bootloader: 4, tee: 0, snp: 0x18, microcode: 0xdb },
  },
  Genoa: {
    serialBase: 0x2_0000n,
    structVersion: 0,
    productName: 'Genoa',
    hwidBytes: 64,
    cpuid: { family: 0x19, model: 0x11, stepping: 0x01 },
    tcb: { bootloader: 10, tee: 0, snp: 0x17, microcode: 0x54 },
  },
  Turin: {
    serialBase: 0x3_0000n,
    structVersion: 1,
    productName: 'Turin',
    hwidBytes: 8,
    cpuid: { family: 0x1a, model: 0x02, stepping: 0x01 },
    tcb: { fmc: 1, bootloader: 3, tee: 2, snp: 4, microcode: 0x47 },
  },
}

/** One row of the table. */
export type SimProduct = {
  readonly serialBase: bigint
  readonly structVersion: number
  readonly productName: string
  readonly hwidBytes: 8 | 64
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number }
  /** A firmware level that the built-in policy accepts. */
  readonly tcb: SnpTcb
}
