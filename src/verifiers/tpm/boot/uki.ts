import { digestOf } from '../../event-log/digests.ts'
import type { PcrBank } from '../claims.ts'
import { PCR_BYTES } from './log.ts'
import { extend, type BootPhase } from './phases.ts'

/** Sections of a unified kernel image that systemd-stub measures, in the order in which it does (specification tpm.md section 11). */
export const UKI_SECTIONS = [
  '.linux',
  '.osrel',
  '.cmdline',
  '.initrd',
  '.ucode',
  '.splash',
  '.dtb',
  '.uname',
  '.sbat',
  '.pcrpkey',
  '.profile',
  '.dtbauto',
  '.hwids',
  '.efifw',
] as const

/** The name of a section that is measured. */
export type UkiSectionName = (typeof UKI_SECTIONS)[number]

/** A section, and the digest of its content in the bank that is predicted. */
export type UkiSection = { readonly name: UkiSectionName; readonly digest: Uint8Array }

/** PCR 11 in one phase of the boot; null: behind the stub, before any phase. */
export type PredictedPcr11 = { readonly phase: BootPhase | null; readonly value: Uint8Array }

/**
 * PCR 11 behind the stub and behind each of the phases, in their order: for each section H(name ‖ NUL) and the digest of its content, then
 * H(phase) without NUL. Sections may come in any order; the stub has its own.
 */
export function predictPcr11(
  sections: readonly UkiSection[],
  phases: readonly BootPhase[],
  bank: PcrBank,
): readonly [PredictedPcr11, ...PredictedPcr11[]] {
  const ordered = sections.toSorted((a, b) => UKI_SECTIONS.indexOf(a.name) - UKI_SECTIONS.indexOf(b.name))
  const digests = ordered.flatMap(({ name, digest }) => [digestOf(Buffer.from(`${name}\0`), bank), digest])
  const behindStub = extend(new Uint8Array(PCR_BYTES[bank]), digests, bank)
  const values: [PredictedPcr11, ...PredictedPcr11[]] = [{ phase: null, value: behindStub }]
  let value = behindStub
  for (const phase of phases) {
    value = extend(value, [digestOf(Buffer.from(phase), bank)], bank)
    values.push({ phase, value })
  }
  return values
}
