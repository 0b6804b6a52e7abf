import { EVENT } from '../../event-log/event-types.ts'
import type { Judged } from '../../event-log/digests.ts'
import type { PcrBank } from '../claims.ts'
import { isDigest } from './measured.ts'

/** A text that GRUB measured. What it calls it is not measured. */
type GrubText = { readonly text: string; readonly label: 'command' | 'kernel' }

/** What PCR 8 holds. `unexplained`: an event that is no text of GRUB's, so it may be anything. */
export type GrubLog = { readonly texts: readonly GrubText[]; readonly unexplained: Judged | undefined }

/** Why PCR 8 cannot be believed. */
export type GrubFault = { readonly code: 'tpm-grub-log-invalid' | 'tpm-kernel-cmdline-ambiguous'; readonly why: string }

/** GRUB's labels, new and old; they are not hashed (specification tpm.md section 10.4). */
const LABELS: readonly { readonly prefix: Buffer; readonly label: GrubText['label'] }[] = [
  { prefix: Buffer.from('grub_cmd: '), label: 'command' },
  { prefix: Buffer.from('kernel_cmdline: '), label: 'kernel' },
  { prefix: Buffer.from('module_cmdline: '), label: 'command' },
  { prefix: Buffer.from('grub_kernel_cmdline '), label: 'kernel' },
  { prefix: Buffer.from('grub_cmd '), label: 'command' },
]

const utf8 = new TextDecoder('utf-8')

/** Reads PCR 8; `strict`: whatever is no text of GRUB's is a fault. */
export function readGrub(
  events: readonly Judged[],
  how: { readonly bank: PcrBank; readonly others: 'strict' | 'untrusted' },
): GrubLog | GrubFault {
  const read = events.filter((event) => !isMarker(event)).map((event) => ({ event, text: grubText(event, how.bank) }))
  const liar = read.find(({ text }) => text === 'mismatch')
  if (liar !== undefined) return invalid(`event ${liar.event.number} of PCR 8 has another digest than its text`)
  const unexplained = read.find(({ text }) => text === undefined)?.event
  const texts = read.flatMap(({ text }) => (text === undefined || text === 'mismatch' ? [] : [text]))
  if (unexplained !== undefined && how.others === 'strict') return invalid(`event ${unexplained.number} of PCR 8 is no text of GRUB’s`)
  const lines = kernelLines(texts)
  return lines > 1
    ? { code: 'tpm-kernel-cmdline-ambiguous', why: `${lines} command lines of a kernel are in PCR 8` }
    : { texts, unexplained }
}

const invalid = (why: string): GrubFault => ({ code: 'tpm-grub-log-invalid', why })

/** Separators prove themselves, and are no text. */
const isMarker = ({ type, measured }: Judged): boolean => type === EVENT.separator && measured?.length === 4

function grubText({ type, data, digest }: Judged, bank: PcrBank): GrubText | 'mismatch' | undefined {
  const found = type === EVENT.ipl && data !== undefined ? LABELS.find(({ prefix }) => startsWith(data, prefix)) : undefined
  if (found === undefined || data === undefined) return undefined
  const logged = data.subarray(found.prefix.length)
  const text = logged.at(-1) === 0 ? logged.subarray(0, -1) : logged
  // Older GRUBs hash the NUL too.
  const readings = text.length === logged.length ? [text] : [text, logged]
  return readings.some((bytes) => isDigest(bytes, { digest }, bank)) ? { text: utf8.decode(text), label: found.label } : 'mismatch'
}

/** A loop: logs have thousands of texts, and each is held against every label. */
function startsWith(data: Uint8Array, prefix: Uint8Array): boolean {
  for (let place = 0; place < prefix.length; place += 1) if (data[place] !== prefix[place]) return false
  return true
}

/** Commands that give a machine to something else; `linux` of several names is the one that measures a command line. */
const LOADER = /^(?:linux|linux16|linuxefi|kernel|legacy_kernel|chainloader|multiboot2?|module2?|xen_hypervisor|xen_module) +(?<line>.*)$/s
const LINUX = /^linux(?:16|efi)? /

/** GRUB quotes what it hands over and not what it measures of a command: the text without signs of quoting is the same. */
const bare = (text: string): string => text.replaceAll(/["'\\]/g, '').trim()

/** How many texts are command lines of a kernel: by their label, or because a loader was called with them. */
function kernelLines(texts: readonly GrubText[]): number {
  const loaded = new Set(texts.flatMap(({ text }) => lineOf(text)))
  return texts.filter(({ text, label }) => label === 'kernel' || loaded.has(bare(text))).length
}

function lineOf(text: string): readonly string[] {
  const line = LOADER.exec(text)?.groups?.['line']
  return line === undefined ? [] : [bare(line)]
}

/**
 * The command line of the kernel, where only one text can be it: the one that the log labels so, that GRUB's only loading command was called
 * with, where nothing else is in the PCR. GRUB measures the command, and then the line that it hands over.
 */
export function commandLineOf({ texts, unexplained }: GrubLog): string | null {
  if (unexplained !== undefined) return null
  const loaders = texts.filter(({ text }) => LOADER.test(text))
  const called = loaders.length === 1 ? loaders.filter(({ text }) => LINUX.test(text)).flatMap(({ text }) => lineOf(text)) : []
  const line = texts.find(({ label }) => label === 'kernel')?.text
  return line !== undefined && called.includes(bare(line)) && isReadable(line) ? line : null
}

/** Twice what Linux reads on x86 (COMMAND_LINE_SIZE). */
const MAX_LINE = 4096
/** Bytes that are no UTF-8 were replaced, so the text is not what was measured. */
const isReadable = (line: string): boolean => line.length <= MAX_LINE && !line.includes('\ufffd')

/** What GRUB measured beside the command line; long texts are cut. */
export const commandsOf = ({ texts }: GrubLog): readonly string[] =>
  texts.filter(({ label }) => label === 'command').map(({ text }) => text.slice(0, MAX_LINE))
