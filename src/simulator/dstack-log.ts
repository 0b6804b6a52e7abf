import { extended, sha384, type FakeLog } from './event-log.ts'

/** One event as it stands in the log; `digest` is written as given. */
type DstackJson = {
  readonly imr: number
  readonly event_type: number
  readonly digest: string
  readonly event: string
  readonly event_payload: string
  readonly version?: 2
}

/** A runtime event before it is hashed. */
export type RuntimeEvent = { readonly name: string; readonly payload: Uint8Array | string }

/** What a dstack guest is and did. */
export type DstackOptions = {
  readonly events?: readonly RuntimeEvent[]
  /** How runtime events are hashed; default: 1. */
  readonly version?: 1 | 2
  /** Leaves the digests of runtime events out, as some hosts do. */
  readonly stripped?: true
  /** The last word on the log before it is written; the registers stay as they were. */
  readonly change?: (log: readonly DstackJson[]) => unknown
}

const RUNTIME_EVENT = 0x08000001

const text = (value: Uint8Array | string): Uint8Array => new Uint8Array(Buffer.from(value))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What every dstack guest measures before its application runs. */
export const DSTACK_SYSTEM: readonly RuntimeEvent[] = [
  { name: 'system-preparing', payload: '' },
  { name: 'app-id', payload: new Uint8Array(20).fill(0xa1) },
  { name: 'compose-hash', payload: new Uint8Array(32).fill(0xc0) },
  { name: 'instance-id', payload: new Uint8Array(20).fill(0x1d) },
  { name: 'boot-mr-done', payload: '' },
  { name: 'key-provider', payload: '{"name":"kms","id":"00"}' },
  { name: 'os-image-hash', payload: new Uint8Array(32).fill(0x05) },
  { name: 'system-ready', payload: '' },
]

/** Boot events of the firmware and the kernel: their digests alone. */
const BOOT: readonly DstackJson[] = [0, 0, 1, 2].map((imr, place) => ({
  imr,
  event_type: 0x8000000b,
  digest: hex(sha384(text(`dstack boot event ${place}`))),
  event: '',
  event_payload: '',
}))

/** A runtime log as dstack keeps it (specification tdx.md section 8.3), and the registers that it leads to. */
export function dstackLog(options: DstackOptions = {}): FakeLog {
  const { events = DSTACK_SYSTEM, version = 1, change = (same) => same } = options
  const runtime = events.map((event) => runtimeJson(event, version))
  const registers = [...BOOT, ...runtime].map(({ imr, digest }) => ({ register: imr, digest: new Uint8Array(Buffer.from(digest, 'hex')) }))
  const shown = options.stripped === undefined ? runtime : runtime.map((event) => ({ ...event, digest: '' }))
  return { bytes: text(JSON.stringify(change([...BOOT, ...shown]))), rtmrs: extended(registers) }
}

function runtimeJson({ name, payload }: RuntimeEvent, version: 1 | 2): DstackJson {
  const bytes = text(payload)
  const digest = hex(sha384(version === 1 ? joined(name, bytes) : canonical(name, bytes)))
  return { imr: 3, event_type: RUNTIME_EVENT, digest, event: name, event_payload: hex(bytes), ...(version === 2 ? { version } : {}) }
}

/** Type (little-endian), name and payload, with colons between them. */
const joined = (name: string, payload: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(1, 0, 0, 8), text(`:${name}:`), payload]))

/** RFC 8785: members in the order of their names, no spaces. */
const canonical = (name: string, payload: Uint8Array): Uint8Array =>
  text(JSON.stringify({ name, payload: hex(payload), type: RUNTIME_EVENT }))
