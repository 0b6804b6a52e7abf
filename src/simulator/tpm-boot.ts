import { hash } from 'node:crypto'
import { UKI_SECTIONS, type UkiSectionName } from '../verifiers/tpm/boot/uki.ts'
import { EVENT_TYPE, u32le, utf16, utf8, type Measurement } from './tpm-log.ts'

/** GUIDs of variables as they lie in memory: global ones, and the databases of images. */
const GLOBAL = Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex')
const IMAGE_SECURITY = Buffer.from('cbb219d73a3d9645a3bcdad00e67656f', 'hex')
/** EFI_CERT_X509 and EFI_CERT_SHA256. */
const X509 = Buffer.from('a159c0a5e494a74a87b5ab155c2bf072', 'hex')
const SHA256 = Buffer.from('2616c4c14c509240aca941f936934328', 'hex')
/** Who put an entry into a database. */
const OWNER = Buffer.alloc(16, 0xa5)

/** What firmware of the simulator has instead of a certificate: a SEQUENCE of the length that such have, with a name in it. */
function certificate(name: string): Uint8Array {
  const content = Buffer.from(name.padEnd(512, '.'))
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x30, 0x82, content.length >> 8, content.length & 0xff), content]))
}

const CERTIFICATES = { pk: certificate('platform owner'), kek: certificate('key exchange'), db: certificate('distribution') } as const

/** SHA-256 of the certificate by which the simulator's hosts let their boot loader start. */
export const SIM_BOOT_AUTHORITY: string = hash('sha256', CERTIFICATES.db)

/** UEFI_VARIABLE_DATA. */
function variable(guid: Uint8Array, name: string, data: Uint8Array): Uint8Array {
  const lengths = u32le(name.length, 0, data.length, 0)
  return new Uint8Array(Buffer.concat([guid, lengths, utf16(name), data]))
}

/** EFI_SIGNATURE_LIST of one entry. */
const signatureList = (type: Uint8Array, entry: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([type, u32le(28 + 16 + entry.length, 0, 16 + entry.length), OWNER, entry]))

const configuration = (guid: Uint8Array, name: string, data: Uint8Array): Measurement => ({
  pcr: 7,
  type: EVENT_TYPE.configuration,
  data: variable(guid, name, data),
})
const action = (pcr: number, text: string): Measurement => ({ pcr, type: EVENT_TYPE.action, data: utf8(text) })
const separator = (pcr: number): Measurement => ({ pcr, type: EVENT_TYPE.separator, data: new Uint8Array(4) })

/** What is hashed of an image of this name: its digest stands for Authenticode's, and two bytes tell that it is an image. */
const imageOf = (name: string): Uint8Array => utf8(`MZ${name}`)

/** The digest by which PCR 4 knows an image, in hex. */
export const imageDigest = (name: string): string => hash('sha256', imageOf(name))

const application = (name: string): Measurement => ({
  pcr: 4,
  type: EVENT_TYPE.application,
  data: utf8('device path'),
  hashed: imageOf(name),
})

/** Firmware with keys of Secure Boot, up to where it starts something. */
const firmware = (secureBoot: 'on' | 'off'): readonly Measurement[] => [
  { pcr: 0, type: EVENT_TYPE.scrtmVersion, data: utf16('Simulated Firmware 1.0\0') },
  { pcr: 0, type: EVENT_TYPE.firmwareBlob, data: new Uint8Array(16), hashed: utf8('firmware volume'.padEnd(2048, '.')) },
  configuration(GLOBAL, 'SecureBoot', Uint8Array.of(secureBoot === 'on' ? 1 : 0)),
  configuration(GLOBAL, 'PK', signatureList(X509, CERTIFICATES.pk)),
  configuration(GLOBAL, 'KEK', signatureList(X509, CERTIFICATES.kek)),
  configuration(IMAGE_SECURITY, 'db', signatureList(X509, CERTIFICATES.db)),
  configuration(IMAGE_SECURITY, 'dbx', signatureList(SHA256, hash('sha256', 'a boot loader with a hole', 'buffer'))),
  action(4, 'Calling EFI Application from Boot Option'),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(separator),
  ...(secureBoot === 'on' ? [LET_BOOT] : []),
]

/** The entry of db by which the firmware let something boot; measured only where it looks. */
const LET_BOOT: Measurement = {
  pcr: 7,
  type: EVENT_TYPE.authority,
  data: variable(IMAGE_SECURITY, 'db', new Uint8Array(Buffer.concat([OWNER, CERTIFICATES.db]))),
}

const HANDOVER = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'].map((text) => action(5, text))

/** What the simulator's hosts boot unless they are told otherwise. */
export const SIM_BOOT = { kernel: 'vmlinuz-6.12', commandLine: '/vmlinuz-6.12 root=/dev/sda1 ro' } as const

/** A boot through shim and GRUB. */
export type GrubBoot = { readonly kernel?: string; readonly commandLine?: string; readonly secureBoot?: 'on' | 'off' }

const grubText = (label: string, text: string): Measurement => ({
  pcr: 8,
  type: EVENT_TYPE.ipl,
  data: utf8(`${label}${text}\0`),
  hashed: utf8(text),
})
const grubFile = (path: string, content: string): Measurement => ({
  pcr: 9,
  type: EVENT_TYPE.ipl,
  data: utf8(`${path}\0`),
  hashed: utf8(content),
})

/** Firmware, shim, GRUB and a kernel, each as it measures what it starts (specification tpm.md sections 10 and 11). */
export function grubBoot(boot: GrubBoot = {}): readonly Measurement[] {
  const { kernel, commandLine, secureBoot } = { ...SIM_BOOT, secureBoot: 'on' as const, ...boot }
  return [
    ...firmware(secureBoot),
    application('shim'),
    application('grub'),
    grubFile('/boot/grub/grub.cfg', 'the menu'),
    grubText('grub_cmd: ', `linux ${commandLine}`),
    grubFile(`/boot/${kernel}`, kernel),
    application(kernel),
    grubText('kernel_cmdline: ', commandLine),
    grubText('grub_cmd: ', 'initrd /boot/initrd'),
    loadOptions(`BOOT_IMAGE=${commandLine}`),
    { pcr: 9, type: EVENT_TYPE.tag, data: utf8('Linux initrd'), hashed: utf8('the initrd') },
    ...HANDOVER,
  ]
}

/** Load options as the EFI stub of Linux measures them: tag, length of its label, label. */
const loadOptions = (options: string): Measurement => {
  const label = utf8('LOADED_IMAGE::LoadOptions\0')
  return {
    pcr: 9,
    type: EVENT_TYPE.tag,
    data: new Uint8Array(Buffer.concat([u32le(0x8f3b22ed, label.length), label])),
    hashed: utf16(options),
  }
}

/** Contents of the sections of a unified kernel image. */
export type SimUki = Partial<Readonly<Record<UkiSectionName, string>>>

/** The image of the simulator's hosts that boot one. */
export const SIM_UKI: SimUki = {
  '.linux': SIM_BOOT.kernel,
  '.osrel': 'ID=simulated',
  '.cmdline': 'root=/dev/sda1 ro',
  '.initrd': 'the initrd',
}

/** Digests of the measured sections, as a policy lists them. */
export const ukiDigests = (uki: SimUki): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(uki).map(([name, content]) => [name, hash('sha256', content)]))

/** The name under which PCR 4 knows the image. */
export const UKI_IMAGE = 'simulated.efi'

/** What systemd measures until a host is up, behind whatever firmware logs. */
const PHASES = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready']

/** Firmware, and a unified kernel image that systemd has brought up (specification tpm.md section 11). */
export const ukiBoot = (uki: SimUki = SIM_UKI): readonly Measurement[] => [
  ...firmware('on'),
  application(UKI_IMAGE),
  ...UKI_SECTIONS.flatMap((name) => ukiSection(name, uki[name])),
  ...HANDOVER,
  ...PHASES.map((phase): Measurement => ({ pcr: 11, type: EVENT_TYPE.ipl, data: utf8(phase), logged: 'no' })),
]

/** Name and content, whose events tell the name in UTF-16. */
const ukiSection = (name: UkiSectionName, content: string | undefined): readonly Measurement[] =>
  content === undefined
    ? []
    : [`${name}\0`, content].map((bytes) => ({ pcr: 11, type: EVENT_TYPE.ipl, data: utf16(`${name}\0`), hashed: utf8(bytes) }))
