import { extended, sha384, type FakeLog } from './event-log.ts'

/** One record of a CCEL (specification tdx.md section 8.1). */
export type CcelEvent = {
  /** 1 to 4: RTMR0 to 3; 0 extends nothing. */
  readonly index: number
  readonly type: number
  readonly data: Uint8Array
  readonly digest: Uint8Array
}

const SHA384 = 0x000c
const EV_NO_ACTION = 3
const GLOBAL_VARIABLE = Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex')
/** Tag of runtime events of confidential containers, as it lies in memory. */
const AAEL = Buffer.from('LEAA')

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** An event whose digest is that of `hashed`; default: its data. */
const event = (index: number, type: number, { data, hashed = data }: { data: Uint8Array; hashed?: Uint8Array }): CcelEvent => ({
  index,
  type,
  data,
  digest: sha384(hashed),
})

/** The events that the simulator's guests log, each as firmware, boot loader and runtime make them. */
export const CCEL = {
  separator: (index: number): CcelEvent => event(index, 0x4, { data: new Uint8Array(4) }),
  action: (text: string): CcelEvent => event(2, 0x80000007, { data: utf8(text) }),
  /** A variable of the firmware's configuration, such as SecureBoot. */
  configuration: (name: string, data: Uint8Array): CcelEvent => event(1, 0x80000001, { data: variable(name, data) }),
  /** Of boot variables the value alone is hashed. */
  bootVariable: (name: string, data: Uint8Array): CcelEvent => event(1, 0x80000002, { data: variable(name, data), hashed: data }),
  /** An application by its Authenticode digest, which its event data do not determine. */
  application: (digest: Uint8Array): CcelEvent => ({ index: 2, type: 0x80000003, data: new Uint8Array(32), digest }),
  /** GRUB does not hash its own prefix. */
  commandLine: (text: string): CcelEvent => event(3, 0xd, { data: utf8(`kernel_cmdline: ${text}\0`), hashed: utf8(text) }),
  /** A line of the attestation agent of confidential containers. */
  aael: (text: string): CcelEvent => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(Buffer.byteLength(text))
    return event(4, 0x6, { data: new Uint8Array(Buffer.concat([AAEL, size, utf8(text)])) })
  },
  /** Extends nothing, whatever its index. */
  noAction: (index: number, text: string): CcelEvent => event(index, EV_NO_ACTION, { data: utf8(text) }),
} as const

/** UEFI_VARIABLE_DATA. */
function variable(name: string, data: Uint8Array): Uint8Array {
  const lengths = Buffer.alloc(16)
  lengths.writeBigUInt64LE(BigInt(name.length), 0)
  lengths.writeBigUInt64LE(BigInt(data.length), 8)
  return new Uint8Array(Buffer.concat([GLOBAL_VARIABLE, lengths, Buffer.from(name, 'utf16le'), data]))
}

/** How the area behind the last event is filled; `none`: the log ends with it. */
export type Fill = 'ones' | 'zeros' | 'none'

/** A log of these events with its header, and the registers that they lead to. */
export function ccel(events: readonly CcelEvent[], fill: Fill = 'ones'): FakeLog {
  const records = events.map(({ index, type, data, digest }) =>
    Buffer.concat([u32(index, type, 1), u16(SHA384), digest, u32(data.length), data]),
  )
  const padding = Buffer.alloc(fill === 'none' ? 0 : 64, fill === 'ones' ? 0xff : 0)
  const extending = events.filter(({ index, type }) => index > 0 && type !== EV_NO_ACTION)
  return {
    bytes: new Uint8Array(Buffer.concat([header(), ...records, padding])),
    rtmrs: extended(extending.map(({ index, digest }) => ({ register: index - 1, digest }))),
  }
}

/** The first record has the form of SHA-1 logs and declares the algorithms of the others. */
function header(): Buffer {
  const specId = Buffer.concat([
    utf8('Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(1),
    u16(SHA384, REGISTER_BYTES),
    Uint8Array.of(0),
  ])
  return Buffer.concat([u32(1, EV_NO_ACTION), Buffer.alloc(20), u32(specId.length), specId])
}

const REGISTER_BYTES = 48

/** What a guest booted and ran. */
export type Boot = {
  readonly secureBoot?: 'on' | 'off'
  readonly commandLine?: string
  /** Authenticode digests (SHA-384) of what was started. */
  readonly applications?: readonly Uint8Array[]
  /** References of container images that the runtime pulled, with their digests. */
  readonly images?: readonly { readonly image: string; readonly digest: string }[]
  /** Other events, behind all of these. */
  readonly more?: readonly CcelEvent[]
  readonly fill?: Fill
}

/** The log of a guest from its firmware to its containers. */
export function bootLog(boot: Boot = {}): FakeLog {
  const { secureBoot, commandLine, applications, images, more, fill } = { ...DEFAULTS, ...boot }
  const firmware = [
    CCEL.noAction(1, 'StartupLocality'),
    CCEL.configuration('SecureBoot', Uint8Array.of(secureBoot === 'on' ? 1 : 0)),
    CCEL.configuration('PK', new Uint8Array(16)),
    CCEL.separator(1),
    CCEL.bootVariable('BootOrder', Uint8Array.of(1, 0)),
  ]
  const loader = [
    CCEL.action('Calling EFI Application from Boot Option'),
    CCEL.separator(2),
    CCEL.separator(3),
    ...applications.map((digest) => CCEL.application(digest)),
    CCEL.commandLine(commandLine),
    CCEL.action('Exit Boot Services Invocation'),
    CCEL.action('Exit Boot Services Returned with Success'),
  ]
  return ccel([...firmware, ...loader, ...runtimeEvents(images), ...more], fill)
}

const DEFAULTS: Required<Boot> = {
  secureBoot: 'on',
  commandLine: '/vmlinuz root=/dev/vda1 ro',
  applications: [sha384(utf8('shim')), sha384(utf8('grub'))],
  images: [],
  more: [],
  fill: 'ones',
}

function runtimeEvents(images: Required<Boot>['images']): readonly CcelEvent[] {
  const pulled = images.map((image) => CCEL.aael(`github.com/confidential-containers PullImage ${JSON.stringify(image)}`))
  return images.length === 0 ? [] : [CCEL.aael(`INIT/sha384 ${'00'.repeat(REGISTER_BYTES)}`), ...pulled]
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [place, value] of values.entries()) bytes.writeUInt32LE(value, 4 * place)
  return bytes
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [place, value] of values.entries()) bytes.writeUInt16LE(value, 2 * place)
  return bytes
}
