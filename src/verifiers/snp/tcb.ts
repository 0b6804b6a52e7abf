import { Reader } from '../reader.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'

const what = { what: 'snp-tcb', code: 'snp-tcb-malformed' } as const

/** Security patch levels other than microcode go to 127 (specification snp.md section 2). */
function spl(r: Reader, field: string): number {
  const value = r.u8(field)
  if (value > 127) throw r.malformed(field, `${value} is above 127`)
  return value
}

/** Family 19h: BOOT_LOADER, TEE, four reserved bytes, SNP, MICROCODE. */
const parseLegacy = (r: Reader): SnpTcb => {
  const bootloader = spl(r, 'BOOT_LOADER')
  const tee = spl(r, 'TEE')
  r.zeros('RESERVED', 4)
  return { bootloader, tee, snp: spl(r, 'SNP'), microcode: r.u8('MICROCODE') }
}

/** Family 1Ah: FMC, BOOT_LOADER, TEE, SNP, three reserved bytes, MICROCODE. */
const parseTurin = (r: Reader): SnpTcb => {
  const fmc = spl(r, 'FMC')
  const [bootloader, tee, snp] = [spl(r, 'BOOT_LOADER'), spl(r, 'TEE'), spl(r, 'SNP')]
  r.zeros('RESERVED', 3)
  return { bootloader, tee, snp, microcode: r.u8('MICROCODE'), fmc }
}

/**
 * The parts of TCB_VERSION, eight bytes whose layout depends on the product (specification snp.md section 2).
 * Throws AttestationError snp-tcb-malformed when reserved bytes are set or a part other than microcode is above 127.
 */
export const parseTcb = (product: SnpProduct, bytes: Uint8Array): SnpTcb =>
  Reader.all(bytes, what, product === 'Turin' ? parseTurin : parseLegacy)

/** The parts of a TCB in the order of the specification's table. Comparison is by part, never as one number (section 2). */
export const TCB_PARTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const satisfies readonly (keyof SnpTcb)[]

/** Some or all parts of a TCB. Of a minimum, a part that is not stated is not asked. */
export type TcbParts = { readonly [K in keyof SnpTcb]?: number | undefined }

/** One line for people: `bootloader 4, tee 0, snp 24, microcode 219`. A loop, because every appraisal writes a dozen of them. */
export function formatTcb(tcb: TcbParts): string {
  let text = ''
  for (const part of TCB_PARTS) if (tcb[part] !== undefined) text += `${text === '' ? '' : ', '}${part} ${tcb[part]}`
  return text
}
