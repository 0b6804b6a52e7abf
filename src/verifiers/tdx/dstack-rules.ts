import type { DstackFacts } from '../event-log/claims.ts'
import { digestOf } from '../event-log/digests.ts'
import { isRuntimeEvent, preimageOf } from './dstack-events.ts'
import type { DstackEntry } from './dstack.ts'

/**
 * When dstack measures what (specification tdx.md section 8.3): an event of each name ends or belongs to one phase. Applications can extend
 * RTMR3 too, but not before `system-ready`, so names of the system mean something in their own phase only.
 */
const PHASES = ['before boot-mr-done', 'between boot-mr-done and system-ready', 'behind system-ready'] as const
type Phase = 0 | 1 | 2
const PHASE_OF: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ['system-preparing', 0],
  ['app-id', 0],
  ['compose-hash', 0],
  ['instance-id', 0],
  ['boot-mr-done', 0],
  ['key-provider', 1],
  ['mr-kms', 1],
  ['os-image-hash', 1],
  ['storage-fs', 1],
  ['system-ready', 1],
])
/** The events that end a phase. */
const NEXT: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ['boot-mr-done', 1],
  ['system-ready', 2],
])

/** The first rule of runtime events that a log breaks, with the event; undefined where it keeps them all (TDX-86). */
export function brokenRule(entries: readonly DstackEntry[]): string | undefined {
  const events = entries.flatMap((entry) => {
    const why = brokenAlone(entry)
    return why === undefined ? [] : [{ number: entry.number, why }]
  })
  const first = [...events, ...brokenOrder(entries)].toSorted((a, b) => a.number - b.number)[0]
  return first === undefined ? undefined : `event ${first.number} ${first.why}`
}

type EventRule = { readonly why: string; readonly breaks: (entry: DstackEntry) => boolean }

/** Which events may be where. */
const PLACE_RULES: readonly EventRule[] = [
  { why: 'in RTMR3 is no runtime event', breaks: (entry) => entry.imr === 3 && !isRuntimeEvent(entry) },
  { why: 'is a runtime event outside RTMR3', breaks: (entry) => entry.imr !== 3 && isRuntimeEvent(entry) },
]
/** What a runtime event must be by itself. */
const RUNTIME_RULES: readonly EventRule[] = [
  // Version 1 joins name and payload by a colon: a colon in the name would give one digest two readings.
  { why: 'has a colon in its name', breaks: ({ version, name }) => version === 1 && name.includes(':') },
  { why: 'has another digest than its name and payload', breaks: isOfAnotherDigest },
  { why: 'has another preimage than its name and payload', breaks: isOfAnotherPreimage },
]

function isOfAnotherDigest(entry: DstackEntry): boolean {
  return entry.digest !== undefined && !digestOf(preimageOf(entry), 'sha384').equals(entry.digest)
}

/** A supplied preimage (in hex, or as it is) is compared, never hashed. */
function isOfAnotherPreimage(entry: DstackEntry): boolean {
  if (entry.preimage === undefined) return false
  const preimage = Buffer.from(preimageOf(entry))
  return entry.preimage !== preimage.toString('hex') && entry.preimage !== preimage.toString()
}

/** What an event breaks by itself. */
const brokenAlone = (entry: DstackEntry): string | undefined =>
  [...PLACE_RULES, ...(isRuntimeEvent(entry) ? RUNTIME_RULES : [])].find(({ breaks }) => breaks(entry))?.why

type Broken = { readonly number: number; readonly why: string }

/** Names of the system at the wrong time, or a second time. */
function brokenOrder(entries: readonly DstackEntry[]): readonly Broken[] {
  const seen = new Set<string>()
  let phase: Phase = 0
  const broken: Broken[] = []
  for (const { number, name } of entries.filter(isRuntimeEvent)) {
    const due = PHASE_OF.get(name)
    if (due === undefined) continue
    if (seen.has(name)) broken.push({ number, why: `is a second ${name}` })
    if (due !== phase) broken.push({ number, why: `is ${name} ${PHASES[phase]}` })
    seen.add(name)
    phase = NEXT.get(name) ?? phase
  }
  return broken
}

/** What the runtime events say. To be believed only where the log keeps its rules and RTMR3 replays. */
export function dstackFacts(entries: readonly DstackEntry[]): DstackFacts {
  const events = entries.filter(isRuntimeEvent)
  const payload = (name: string): Uint8Array | undefined => events.find((event) => event.name === name)?.payload
  const hexOf = (name: string): string | null => hex(payload(name)) ?? null
  const ready = events.findIndex(({ name }) => name === 'system-ready')
  const ofApplication = ready === -1 ? [] : events.slice(ready + 1)
  return {
    app_id: hexOf('app-id'),
    compose_hash: hexOf('compose-hash'),
    instance_id: hexOf('instance-id'),
    key_provider: textOf(payload('key-provider')),
    os_image_hash: hexOf('os-image-hash'),
    app_events: ofApplication.map((event) => ({ name: event.name, payload: Buffer.from(event.payload).toString('hex') })),
  }
}

const hex = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex'))
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** dstack describes the key provider as JSON text. */
function textOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}
