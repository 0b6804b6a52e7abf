import { digestOf, type Judged } from '../../event-log/digests.ts'
import type { PcrBank } from '../claims.ts'
import type { BootClaims } from './claims.ts'
import { PHASES } from './phases.ts'
import { UKI_SECTIONS } from './uki.ts'

type UkiFacts = Pick<BootClaims, 'uki_sections' | 'boot_phases'>

/** Nothing is known of PCR 11. */
export const NO_UKI: UkiFacts = { uki_sections: null, boot_phases: null }

/**
 * What PCR 11 tells: pairs of a section's name and its content, then phases. Names and phases are known by their digests, whatever the log calls
 * them; anything else leaves both open.
 */
export function ukiFacts(events: readonly Judged[], behind: readonly string[], bank: PcrBank): UkiFacts {
  const digests = events.map(({ digest }) => hex(digest))
  const names = new Map(UKI_SECTIONS.map((name) => [hex(digestOf(Buffer.from(`${name}\0`), bank)), name] as const))
  const first = digests.findIndex((digest, place) => place % 2 === 0 && !names.has(digest))
  const end = first === -1 ? digests.length : first
  const sections = digests.slice(0, end).flatMap((digest, place, all) => {
    const [name, content] = [names.get(digest), all[place + 1]]
    return place % 2 === 0 && name !== undefined && content !== undefined ? [{ name, digest: content }] : []
  })
  const phases = phasesOf(digests.slice(end), bank)
  if (end % 2 === 1 || phases === undefined) return NO_UKI
  return { uki_sections: sections, boot_phases: [...phases, ...behind] }
}

/** undefined where one of the digests is none of a phase. */
function phasesOf(digests: readonly string[], bank: PcrBank): readonly string[] | undefined {
  const known = new Map(PHASES.map((phase) => [hex(digestOf(Buffer.from(phase), bank)), phase] as const))
  const phases = digests.flatMap((digest) => known.get(digest) ?? [])
  return phases.length === digests.length ? phases : undefined
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
