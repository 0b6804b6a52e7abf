import type { BootFacts } from './claims.ts'
import { containerImages } from './container-images.ts'
import { digestOf, type Judged } from './digests.ts'
import { EVENT, isCommandLine } from './event-types.ts'
import type { Bank } from './replay.ts'
import { writeUefiVariable } from './uefi-variable.ts'

/** In which register a technology measures what. */
export type Places = {
  readonly secureBoot: number
  readonly applications: number
  readonly commandLine: number
  /** Where runtime events of confidential containers go. */
  readonly runtime: number
}

/** What replayed: events of such registers alone, in the order of the log. */
export type Replayed = { readonly events: readonly Judged[]; readonly hash: Bank['hash'] }

/** Facts of a boot, each from the register it belongs to; null where nothing that replays was measured there. */
export function bootFacts(log: Replayed, places: Places): BootFacts {
  const of = <T>(register: number, read: (events: readonly Judged[]) => T): T | null => {
    const events = log.events.filter((event) => event.register === register)
    return events.length === 0 ? null : read(events)
  }
  return {
    secure_boot: of(places.secureBoot, (events) => secureBoot(events, log.hash)),
    boot_applications: of(places.applications, (events) => applications(events, log.hash)),
    kernel_cmdline: of(places.commandLine, commandLine),
    container_images: of(places.runtime, containerImages),
  }
}

const SEPARATOR = Uint8Array.of(0, 0, 0, 0)
/** Data of normal separators, and of the one that tells of an error of the firmware (specification tpm.md section 9.5, P2). */
export const SEPARATORS = [SEPARATOR, Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(1, 0, 0, 0)]

/** EFI_GLOBAL_VARIABLE, as it lies in memory. */
const GLOBAL = '61dfe48bca93d211aa0d00e098032b8c'
/** Every value that the variable may have; empty where the firmware does not know Secure Boot. */
const SECURE_BOOT = [
  { data: Uint8Array.of(1), enabled: true },
  { data: Uint8Array.of(0), enabled: false },
  { data: new Uint8Array(), enabled: false },
]

/**
 * All that SecureBoot may be is known, so its event is known by its digest, whatever the log calls it: hiding the true event under another
 * label, or labelling other bytes as it, changes nothing. Behind the first separator others than the firmware extend the register, and without
 * one there is no telling; two events contradict each other (specification tpm.md section 9.5, P3 and P5).
 */
function secureBoot(events: readonly Judged[], hash: Bank['hash']): boolean | null {
  const digests = events.map((event) => hex(event.digest))
  const end = digests.findIndex((digest) => hexes(SEPARATORS, hash).includes(digest))
  if (end === -1 || digests[end] !== hex(digestOf(SEPARATOR, hash))) return null
  const states = SECURE_BOOT.map(({ data, enabled }) => {
    const digest = hex(digestOf(writeUefiVariable({ guid: GLOBAL, name: 'SecureBoot', data }), hash))
    return { enabled, times: digests.slice(0, end).filter((other) => other === digest).length }
  }).filter(({ times }) => times > 0)
  return states.length === 1 && states[0]?.times === 1 ? states[0].enabled : null
}

/** What EDK2 measures beside applications. Logs that leave data out still hold these digests. */
const ACTIONS = [
  'Calling EFI Application from Boot Option',
  'Returning from EFI Application from Boot Option',
  'Exit Boot Services Invocation',
  'Exit Boot Services Returned with Success',
  'Exit Boot Services Returned with Failure',
].map((text) => Buffer.from(text))

/**
 * The type of an event is not measured: a boot application could be logged as anything that need not show its bytes. So everything counts that
 * is not proven to be something else, and bytes that an image may begin with prove nothing of the kind.
 */
export function applications(events: readonly Judged[], hash: Bank['hash']): readonly string[] {
  const harmless = new Set(hexes([...SEPARATORS, ...ACTIONS], hash))
  return events
    .filter((event) => event.measured === undefined || mayBeImage(event.measured))
    .map((event) => hex(event.digest))
    .filter((digest) => !harmless.has(digest))
}

/** First two bytes of what EDK2 loads as an image: DOS header, bare PE header, terse executable. */
const IMAGE_MAGICS = ['MZ', 'PE', 'VZ']
const mayBeImage = (bytes: Uint8Array): boolean => IMAGE_MAGICS.includes(Buffer.from(bytes.subarray(0, 2)).toString('latin1'))

/** Twice what Linux reads on x86 (COMMAND_LINE_SIZE). */
const MAX_COMMAND_LINE = 4096
const utf8 = new TextDecoder('utf-8', { fatal: true })

function commandLine(events: readonly Judged[]): string | null {
  const lines = events.filter(({ type, data }) => type === EVENT.ipl && data !== undefined && isCommandLine(data))
  const text = lines.length === 1 ? lines[0]?.measured : undefined
  if (text === undefined || text.length > MAX_COMMAND_LINE) return null
  try {
    return utf8.decode(text.at(-1) === 0 ? text.subarray(0, -1) : text)
  } catch {
    return null
  }
}

const hexes = (values: readonly Uint8Array[], hash: Bank['hash']): readonly string[] => values.map((bytes) => hex(digestOf(bytes, hash)))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
