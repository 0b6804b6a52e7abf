import { EVENT } from '../../event-log/event-types.ts'
import { digestOf, type Judged } from '../../event-log/digests.ts'
import type { PcrBank } from '../claims.ts'
import type { BootClaims } from './claims.ts'

/** PCR 9 and 12 as they were replayed; undefined where they were not. `grub`: the command line that PCR 8 proves by itself. */
export type KernelLog = {
  readonly bank: PcrBank
  readonly grub: string | null
  readonly pcr9: readonly Judged[] | undefined
  readonly pcr12: readonly Judged[] | undefined
}

type KernelFacts = Pick<BootClaims, 'kernel_cmdline' | 'kernel_cmdline_source' | 'grub_files' | 'initrds'>

/** Tag of the load options in events of the Linux EFI stub (specification tpm.md section 11), as it lies on disk. */
const LOAD_OPTIONS = Buffer.from('ed223b8f', 'hex')

/**
 * The kernel's command line, and what PCR 9 holds before and behind its load options. The kernel measures these itself, so where a text has their
 * digest it is the line that the kernel was given. An event that the log calls load options and that has another digest contradicts GRUB's text.
 */
export function kernelFacts(log: KernelLog): KernelFacts {
  const [proven, ...others] = provenOptions(log)
  if (others.length > 0) return { kernel_cmdline: null, kernel_cmdline_source: null, ...files(log.pcr9, undefined) }
  if (proven !== undefined) return { kernel_cmdline: proven.line, kernel_cmdline_source: proven.source, ...files(log.pcr9, proven.place) }
  const line = log.pcr9?.some(isCalledOptions) === true ? null : log.grub
  return { kernel_cmdline: line, kernel_cmdline_source: line === null ? null : 'grub', ...files(log.pcr9, undefined) }
}

type Proven = { readonly line: string; readonly source: 'linux-stub' | 'systemd-stub'; readonly place: number }

/** Where in PCR 9 load options are, and which text they are of; of two, one is not those of the kernel. */
function provenOptions({ bank, grub, pcr9 = [], pcr12 = [] }: KernelLog): readonly Proven[] {
  const candidates = [
    ...(grub === null ? [] : [{ line: grub, source: 'linux-stub' as const }]),
    ...overriding(pcr12, bank).map((line) => ({ line, source: 'systemd-stub' as const })),
  ]
  return candidates
    .map((candidate) => ({ ...candidate, place: firstOf(optionsOf(candidate.line, bank), pcr9) }))
    .filter(({ place }) => place !== -1)
}

/** The first: whatever comes behind load options may be an initrd. */
const firstOf = (digests: readonly Buffer[], events: readonly Judged[]): number =>
  events.findIndex((event) => digests.some((digest) => Buffer.compare(digest, event.digest) === 0))

/** GRUB puts the image before the line and ends it with nothing; systemd-stub does neither. */
const optionsOf = (line: string, bank: PcrBank): readonly Buffer[] =>
  [`BOOT_IMAGE=${line}`, `BOOT_IMAGE=${line}\0`, line, `${line}\0`].map((text) => digestOf(Buffer.from(text, 'utf16le'), bank))

/** The line that systemd-stub measured in place of the image's own: the only event of PCR 12, whose data may lack a part of the NUL that is hashed. */
function overriding(events: readonly Judged[], bank: PcrBank): readonly string[] {
  const [event, ...others] = events
  if (event?.data === undefined || others.length > 0) return []
  const text = Buffer.from(event.data).toString('utf16le').replace(/\0+$/, '')
  const hashed = digestOf(Buffer.from(`${text}\0`, 'utf16le'), bank)
  return text.length <= MAX_LINE && Buffer.compare(hashed, event.digest) === 0 ? [text] : []
}

/** Twice what Linux reads on x86 (COMMAND_LINE_SIZE). */
const MAX_LINE = 4096

const isCalledOptions = ({ type, data }: Judged): boolean =>
  type === EVENT.tag && data !== undefined && Buffer.compare(data.subarray(0, LOAD_OPTIONS.length), LOAD_OPTIONS) === 0

/**
 * Labels do not tell files of GRUB from initrds; their place does, once it is known which event the load options are: one whose text is known, or
 * the first of the PCR. Where it is not, everything counts as files.
 */
function files(pcr9: KernelLog['pcr9'], proven: number | undefined): Pick<BootClaims, 'grub_files' | 'initrds'> {
  if (pcr9 === undefined) return { grub_files: null, initrds: null }
  const [first] = pcr9
  const place = proven ?? (first !== undefined && isCalledOptions(first) ? 0 : undefined)
  const digests = pcr9.map(({ digest }) => Buffer.from(digest).toString('hex'))
  return place === undefined
    ? { grub_files: digests, initrds: null }
    : { grub_files: digests.slice(0, place), initrds: digests.slice(place + 1) }
}
