import { extended } from '../../event-log/replay.ts'
import type { PcrBank } from '../claims.ts'

/** What systemd-pcrphase measures into PCR 11, in the order of a boot (specification tpm.md section 11). */
export const PHASES = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready', 'shutdown', 'final'] as const

/** One phase of a boot. */
export type BootPhase = (typeof PHASES)[number]

/** Ways that a boot may have got: with an initrd or without, to any phase, the first phase at least. */
export const PHASE_PATHS: readonly (readonly BootPhase[])[] = [PHASES, PHASES.slice(2)].flatMap((way) =>
  way.map((_, last) => way.slice(0, last + 1)),
)

/** A PCR behind these digests (TPM2_PCR_Extend: value = H(value ‖ digest)). */
export const extend = (start: Uint8Array, digests: readonly Uint8Array[], bank: PcrBank): Uint8Array =>
  digests.reduce<Uint8Array>((value, digest) => extended(value, digest, bank), start)
