import { createHash } from 'node:crypto'
import type { PcrBank } from '../src/verifiers/tpm/claims.ts'
import { genuineTpm, type TpmRigour } from '../src/verifiers/tpm/context.ts'
import { judgeBoot, type BootJudgement } from '../src/verifiers/tpm/boot/judge.ts'
import { parseTcg2 } from '../src/verifiers/event-log/tcg2.ts'
import { headerBytes, logBytes, text, variableBytes, type Logged } from './event-log-bytes.ts'

/** One event of a host's log. `of`: what its digest is of; absent: the data. `digest`: any digest instead. */
export type Event = {
  readonly pcr: number
  readonly type: number
  readonly data: Uint8Array
  readonly of?: Uint8Array
  readonly digest?: Uint8Array
}

/** SHA-256 by another function than the verifier's. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** TPM_ALG_ID of SHA-256. */
const SHA256 = 0x000b
const HEADER = headerBytes({ index: 0, algorithms: [[SHA256, 32]] })

const digestOf = ({ data, of, digest }: Event): Uint8Array => digest ?? sha256(of ?? data)
const logged = (event: Event): Logged => ({ index: event.pcr, type: event.type, data: event.data, digests: [[SHA256, digestOf(event)]] })

/** A log of SHA-256 digests. */
export const bootLog = (events: readonly Event[]): Uint8Array => logBytes(events.map(logged), Buffer.alloc(0), HEADER)

/** PCRs behind the events, those without any at zero. */
export function pcrsAfter(events: readonly Event[], pcrs: readonly number[], locality = 0): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>(pcrs.map((pcr) => [pcr, new Uint8Array(32).with(31, pcr === 0 ? locality : 0)] as const))
  for (const event of events) {
    const old = values.get(event.pcr)
    if (old !== undefined && event.type !== 3) values.set(event.pcr, sha256(old, digestOf(event)))
  }
  return values
}

const ALL = Array.from({ length: 24 }, (_, pcr) => pcr)

/** All PCRs behind the events, those of dynamic roots of trust at ones. */
export const allPcrs = (events: readonly Event[], locality = 0): Map<number, Uint8Array> =>
  new Map([...pcrsAfter(events, ALL, locality)].map(([pcr, value]) => [pcr, pcr > 16 && pcr < 23 ? new Uint8Array(32).fill(0xff) : value]))

/** How a log is judged; what is left out: the PCRs that it leads to, and the strictest rigour. */
export type How = {
  readonly pcrs?: ReadonlyMap<number, Uint8Array>
  readonly rigour?: Partial<TpmRigour>
  readonly log?: Uint8Array
  readonly bank?: PcrBank
  readonly locality?: number
}

/** Judges the log of these events. */
export const judgeEvents = (events: readonly Event[], how: How = {}): BootJudgement =>
  judgeBoot({
    eventLog: how.log ?? bootLog(events),
    bank: how.bank ?? 'sha256',
    pcrs: how.pcrs ?? allPcrs(events, how.locality),
    rigour: { ...genuineTpm, ...how.rigour },
  })

/** Failed checks, by number and code. */
export const codesOf = ({ checks }: BootJudgement): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))

/** The events of a real log, by their digests of one bank, to be put together again. */
export const eventsOf = (log: Uint8Array): readonly Event[] =>
  parseTcg2(log, { code: 'tpm-eventlog-malformed', bytes: log.length, events: 16_384, maxIndex: 23 }).events.map(
    ({ index, type, data, digests }) => ({ pcr: index, type, data, digest: digests.get(SHA256) ?? new Uint8Array(32) }),
  )

/** Types of events. */
export const TYPE = {
  noAction: 3,
  separator: 4,
  action: 5,
  tag: 6,
  crtmVersion: 8,
  ipl: 0xd,
  nonhost: 0x11,
  config: 0x80000001,
  application: 0x80000003,
  efiAction: 0x80000007,
  blob: 0x80000008,
  authority: 0x800000e0,
} as const

/** GUIDs as they lie in memory. */
export const GUID = {
  global: '61dfe48bca93d211aa0d00e098032b8c',
  security: 'cbb219d73a3d9645a3bcdad00e67656f',
  shim: '50ab5d6046e00043abb63dd810dd8b23',
  x509: 'a159c0a5e494a74a87b5ab155c2bf072',
  sha256: '2616c4c14c509240aca941f936934328',
  other: '92a4d23bc0967940b420fcf98ef103ed',
} as const

const u32 = (value: number): Buffer => Buffer.from([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff))

/** EFI_SIGNATURE_LIST of entries of one size. */
export const signatureList = (type: string, ...entries: readonly Uint8Array[]): Uint8Array => {
  const size = 16 + (entries[0]?.length ?? 0)
  const signatures = entries.map((data) => Buffer.concat([Buffer.alloc(16, 0xee), data]))
  return new Uint8Array(Buffer.concat([Buffer.from(type, 'hex'), u32(28 + size * entries.length), u32(0), u32(size), ...signatures]))
}

/** What is long enough to be a certificate, and no more. */
export const certificate = (name: string): Uint8Array => {
  const body = Buffer.from(name.padEnd(300, '.'))
  return new Uint8Array(Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]), body]))
}

/** EFI_SIGNATURE_DATA with an owner. */
export const owned = (content: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([Buffer.alloc(16, 0xee), content]))

/** A variable of Secure Boot in PCR 7. */
export const variable = (guid: string, name: string, data: Uint8Array): Event => ({
  pcr: 7,
  type: TYPE.config,
  data: variableBytes(guid, name, data),
})
/** A variable in PCR 7 as what let something boot. */
export const authority = (guid: string, name: string, data: Uint8Array): Event => ({ ...variable(guid, name, data), type: TYPE.authority })
/** The separator of a PCR. */
export const separator = (pcr: number, value = [0, 0, 0, 0]): Event => ({ pcr, type: TYPE.separator, data: Uint8Array.from(value) })
/** An application in PCR 4, which is an image by its first two bytes. */
export const application = (name: string): Event => ({ pcr: 4, type: TYPE.application, data: text('device path'), of: text(`MZ${name}`) })
/** What a firmware volume holds. */
export const VOLUME = 'firmware volume'.padEnd(2048, '.')
/** A text in PCR 8, as GRUB measures it. */
export const grub = (label: string, line: string): Event => ({ pcr: 8, type: TYPE.ipl, data: text(`${label}${line}\0`), of: text(line) })
/** A file in PCR 9. */
export const file = (path: string, content: string): Event => ({ pcr: 9, type: TYPE.ipl, data: text(`${path}\0`), of: text(content) })
/** Load options in PCR 9, as Linux measures them. */
export const loadOptions = (options: string): Event => ({
  pcr: 9,
  type: TYPE.tag,
  data: new Uint8Array(Buffer.concat([Buffer.from('ed223b8f1a000000', 'hex'), Buffer.from('LOADED_IMAGE::LoadOptions\0')])),
  of: new Uint8Array(Buffer.from(options, 'utf16le')),
})
const efiAction = (pcr: number, line: string): Event => ({ pcr, type: TYPE.efiAction, data: text(line) })
/** What firmware measures where it hands over. */
export const HANDOVER = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'].map((line) => efiAction(5, line))
/** Where firmware starts a boot option. */
export const CALLING = efiAction(4, 'Calling EFI Application from Boot Option')
/** An action that PCR 7 may hold. */
export const secureBootAction = (line: string): Event => efiAction(7, line)

/** Secure Boot as firmware with keys measures it, before the separator. */
export const CONFIG: readonly Event[] = [
  variable(GUID.global, 'SecureBoot', Uint8Array.of(1)),
  variable(GUID.global, 'PK', signatureList(GUID.x509, certificate('pk'))),
  variable(GUID.global, 'KEK', signatureList(GUID.x509, certificate('kek'))),
  variable(GUID.security, 'db', signatureList(GUID.x509, certificate('db'))),
  variable(GUID.security, 'dbx', signatureList(GUID.sha256, sha256(text('bad')), sha256(text('worse')))),
]
/** The certificate that shim was let boot by. */
export const AUTHORITY = authority(GUID.security, 'db', owned(certificate('db')))

/** A command line, and what GRUB is called with. */
export const LINE = '/vmlinuz root=/dev/sda1 ro'

/** A host of shim, GRUB and Linux under Secure Boot. */
export const HOST: readonly Event[] = [
  { pcr: 0, type: TYPE.crtmVersion, data: new Uint8Array(Buffer.from('Firmware 1.2\0', 'utf16le')) },
  { pcr: 0, type: TYPE.blob, data: new Uint8Array(16), of: text(VOLUME) },
  ...CONFIG,
  CALLING,
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => separator(pcr)),
  AUTHORITY,
  application('shim'),
  application('grub'),
  file('/grub.cfg', 'menu'),
  grub('grub_cmd: ', `linux ${LINE}`),
  file('/vmlinuz', 'kernel'),
  application('kernel'),
  grub('kernel_cmdline: ', LINE),
  grub('grub_cmd: ', 'initrd /initrd'),
  loadOptions(`BOOT_IMAGE=${LINE}`),
  { pcr: 9, type: TYPE.tag, data: text('Linux initrd'), of: text('initrd') },
  ...HANDOVER,
]

/** The events with one replaced, where the log holds one like it. */
export const replaced = (events: readonly Event[], old: Event, by: Event): readonly Event[] => {
  const place = events.indexOf(old)
  if (place === -1) throw new Error('no such event')
  return events.with(place, by)
}
/** The events with others before one of them. */
export const inserted = (events: readonly Event[], before: Event, ...more: readonly Event[]): readonly Event[] => {
  const place = events.indexOf(before)
  if (place === -1) throw new Error('no such event')
  return events.toSpliced(place, 0, ...more)
}
