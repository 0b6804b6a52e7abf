import { describe, expect, it } from 'vitest'
import { PHASES } from '../src/verifiers/tpm/boot/phases.ts'
import {
  allPcrs,
  application,
  AUTHORITY,
  bootLog,
  CONFIG,
  eventsOf,
  grub,
  GUID,
  HANDOVER,
  HOST,
  inserted,
  LINE,
  replaced,
  secureBootAction,
  separator,
  sha256,
  TYPE,
  variable,
  type Event,
} from './boot-log.ts'
import { headerBytes, logBytes, text } from './event-log-bytes.ts'
import { hostExhibit, type Shown } from './tpm-hosts.ts'
import { failedCodes, judgeTpm, type TpmExhibit } from './tpm-judged.ts'
import { vectorBytes, vectorJson, vectorsPresent } from './vectors.ts'

// Specification tpm.md section 17, the rows about event logs, boot and UKI. Quotes are genuine, of the registers that the row says.

type Policy = NonNullable<TpmExhibit['policy']>
type Row = readonly [change: string, code: string, make: () => TpmExhibit]

/** The registers are those of the untouched host: the log was changed afterwards. */
const lying = (events: readonly Event[]): TpmExhibit => hostExhibit({ events, registers: allPcrs(HOST) })
const logged = (log: Uint8Array): TpmExhibit => hostExhibit({ log })
/** The host really booted like this. */
const booted = (events: readonly Event[], policy: Policy = {}): TpmExhibit => hostExhibit({ events }, policy)

function eventWhere(condition: (event: Event) => boolean): Event {
  const found = HOST.find(condition)
  if (found === undefined) throw new Error('no such event')
  return found
}
const blob = eventWhere(({ type }) => type === TYPE.blob)
const crtm = eventWhere(({ type }) => type === TYPE.crtmVersion)
const separatorOf = (pcr: number): Event => eventWhere((event) => event.pcr === pcr && event.type === TYPE.separator)
const [secureBoot] = CONFIG as [Event, ...Event[]]
const commandLine = eventWhere(({ pcr, data }) => pcr === 8 && Buffer.from(data).toString().startsWith('kernel_cmdline'))

const locality = (value: number): Event => ({
  pcr: 0,
  type: TYPE.noAction,
  data: new Uint8Array([...text('StartupLocality\0'), value]),
  digest: new Uint8Array(32),
})
const flippedDigest = (event: Event): Event => ({
  ...event,
  digest: sha256(event.of ?? event.data).map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
})
const INVALID = 'tpm-eventlog-separator-invalid'
const REPLAY = 'tpm-eventlog-replay-mismatch'

const REPLAYED: readonly Row[] = [
  ['57: a bit of a digest', REPLAY, () => lying(replaced(HOST, blob, flippedDigest(blob)))],
  ['58: an event less', REPLAY, () => lying(HOST.filter((event) => event !== crtm))],
  ['58: two events of a register swapped', REPLAY, () => lying(HOST.with(HOST.indexOf(crtm), blob).with(HOST.indexOf(blob), crtm))],
  [
    '59: SecureBoot 01 called 00, its digest left',
    'tpm-eventlog-event-data-mismatch',
    () =>
      lying(replaced(HOST, secureBoot, { ...secureBoot, data: secureBoot.data.with(-1 + secureBoot.data.length, 0), of: secureBoot.data })),
  ],
  ['60: an authority of type EV_UNUSED', 'tpm-secureboot-log-invalid', () => lying(replaced(HOST, AUTHORITY, { ...AUTHORITY, type: 2 }))],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((pcr): Row => [
    `61: the separator of PCR ${pcr} called an action`,
    INVALID,
    () => lying(replaced(HOST, separatorOf(pcr), { ...separatorOf(pcr), type: TYPE.action })),
  ]),
  ['62: a second separator in PCR 7, measured', INVALID, () => booted([...HOST, separator(7)])],
  [
    '63: a variable behind the separator, measured',
    'tpm-secureboot-log-invalid',
    () => booted([...HOST, variable(GUID.global, 'Other', Uint8Array.of(1))]),
  ],
  ['64: startup locality 3, not told', REPLAY, () => hostExhibit({ registers: allPcrs(HOST, 3) })],
  [
    '65: startup locality behind an event of PCR 0',
    'tpm-eventlog-startup-locality-invalid',
    () => hostExhibit({ events: inserted(HOST, blob, locality(3)), registers: allPcrs(HOST, 3) }),
  ],
  [
    '66: four billion algorithms',
    'tpm-eventlog-malformed',
    () => logged(logBytes([], Buffer.alloc(0), headerBytes({ index: 0, count: 0xffffffff }))),
  ],
  ['66: an event that ends behind the log', 'tpm-eventlog-malformed', () => logged(bootLog(HOST).subarray(0, -1))],
  ['69: cut before PCR 7, whose events are lacking', 'tpm-eventlog-incomplete', () => lying(HOST.filter(({ pcr }) => pcr !== 7))],
  ['69: cut at a record, a register differs', REPLAY, () => lying(HOST.slice(0, HOST.indexOf(AUTHORITY)))],
]

const BOOT: readonly Row[] = [
  ['72: in debug mode', 'tpm-uefi-debug-mode', () => booted(inserted(HOST, separatorOf(7), secureBootAction('UEFI Debug Mode')))],
  [
    '73: no handover in PCR 5',
    'tpm-exit-boot-services-missing',
    () =>
      booted(
        HOST.filter((event) => !HANDOVER.includes(event)),
        { boot_applications: { allowed: APPLICATIONS } },
      ),
  ],
  [
    '74: the text of a command line, its digest left',
    'tpm-grub-log-invalid',
    () => lying(replaced(HOST, commandLine, { ...commandLine, data: text(`kernel_cmdline: ${LINE} init=/bin/sh\0`) })),
  ],
  [
    '75: two command lines',
    'tpm-kernel-cmdline-ambiguous',
    () => booted([...HOST, grub('grub_cmd: ', 'linux /other'), grub('kernel_cmdline: ', '/other')]),
  ],
  [
    '76: PCR 12 is not zero',
    'tpm-pcr-value-not-allowed',
    () => hostExhibit({ registers: new Map(allPcrs(HOST)).set(12, new Uint8Array(32).fill(1)) }, { zero_pcrs: [12] }),
  ],
]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const APPLICATIONS = ['shim', 'grub', 'kernel'].map((name) => hex(sha256(text(`MZ${name}`))))

/** A unified kernel image of two sections, and PCR 11 behind some phases, as systemd-stub and systemd-pcrphase extend it. */
const IMAGE = { '.linux': hex(sha256(text('kernel'))), '.osrel': hex(sha256(text('os'))) }
const MEASURED = ['.linux\0', 'kernel', '.osrel\0', 'os']
const behind = (...measured: readonly string[]): Shown => {
  const pcr11 = measured.reduce<Uint8Array>((value, part) => sha256(value, sha256(text(part))), new Uint8Array(32))
  return { registers: new Map(allPcrs(HOST)).set(11, pcr11), log: 'none' }
}
const uki = (shown: Shown): TpmExhibit => hostExhibit(shown, { uki: { images: [{ sections: IMAGE }] } })
const READY = PHASES.slice(0, 4)

const UKI: readonly Row[] = [
  ['77: another kernel', 'tpm-uki-measurement-mismatch', () => uki(behind('.linux\0', 'other', '.osrel\0', 'os', ...READY))],
  ['77: a section less', 'tpm-uki-measurement-mismatch', () => uki(behind('.linux\0', 'kernel', ...READY))],
  ['78: behind shutdown', 'tpm-boot-phase-not-allowed', () => uki(behind(...MEASURED, ...READY, 'shutdown'))],
  ['78: in the initrd', 'tpm-boot-phase-not-allowed', () => uki(behind(...MEASURED, 'enter-initrd'))],
]

describe.each([
  ['event logs', REPLAYED],
  ['boot', BOOT],
  ['UKI', UKI],
])('negative matrix of TPM: %s', (_, rows) => {
  it.each(rows)('%s → %s', async (_change, code, make) => {
    const answer = await judgeTpm(make())
    expect(answer.code).toBe(code)
  })
})

describe('negative matrix of TPM: boots that are accepted', () => {
  it.each<[string, () => TpmExhibit]>([
    ['the host as it is', () => booted(HOST)],
    ['with startup locality 3, told', () => hostExhibit({ events: [locality(3), ...HOST], registers: allPcrs(HOST, 3) })],
    ['with applications that the policy lists', () => booted(HOST, { boot_applications: { allowed: APPLICATIONS, match: 'exact' } })],
    ['with a command line that the policy lists', () => booted(HOST, { kernel_cmdline: { exact: [LINE] } })],
    ['with nothing in PCR 12', () => booted(HOST, { zero_pcrs: [12] })],
    ['with Secure Boot', () => booted(HOST, { secure_boot: { enabled: 'require' }, event_log: { required: 'require' } })],
    ['a unified kernel image that is ready', () => uki(behind(...MEASURED, ...READY))],
    ['more applications, where none is listed', () => booted([...HOST, application('more')])],
  ])('%s', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
  })
})

type Banks = Readonly<Record<string, Readonly<Record<string, string>>>>
const bytesOf = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'hex'))
const logOf = (name: string): Uint8Array => vectorBytes(`tpm/${name}/eventlog.bin`)

/** A real log beside a quote of the registers that its source gives. */
function real(name: string, policy: Policy = {}, log = logOf(name)): TpmExhibit {
  const { sha256: values = {} } = vectorJson(`tpm/${name}/pcrs.json`) as Banks
  return hostExhibit({ log, registers: new Map(Object.entries(values).map(([pcr, value]) => [Number(pcr), bytesOf(value)])) }, policy)
}

const withoutLocality = (log: Uint8Array): Uint8Array => {
  const all = eventsOf(log)
  const events = all.filter(({ data }) => !Buffer.from(data).toString('latin1').startsWith('StartupLocality'))
  expect(events).toHaveLength(all.length - 1)
  return bootLog(events)
}
const ALEX = 'eventlog-gtt-glinux-alex'
const EBS = 'eventlog-gat-ebs_event_missing_eventlog'

describe.skipIf(!vectorsPresent())('negative matrix of TPM: real logs', () => {
  it.each<Row>([
    ['64: eventlog-gtt-glinux-alex without its startup locality', REPLAY, () => real(ALEX, {}, withoutLocality(logOf(ALEX)))],
    ['67: eventlog-bogus', 'tpm-eventlog-malformed', () => hostExhibit({ log: logOf('eventlog-bogus') })],
    ['68: a log of SHA-1 alone beside a quote of SHA-256', 'tpm-eventlog-bank-missing', () => hostExhibit({ log: logOf(EBS) })],
    ['70: an empty SecureBoot variable', 'tpm-secureboot-log-invalid', () => real('eventlog-gtt-arch-linux-workstation')],
    [
      '71: Secure Boot is required, and was off',
      'tpm-secureboot-disabled',
      () => real('eventlog-gtt-ubuntu-2404-amd-sevsnp', { secure_boot: { enabled: 'require' } }),
    ],
  ])('%s → %s', async (_, code, make) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })

  it.each<[string, () => TpmExhibit]>([
    [ALEX, () => real(ALEX)],
    [
      'an empty SecureBoot variable, allowed',
      () => real('eventlog-gtt-arch-linux-workstation', { event_log: { empty_secure_boot_variable: 'allow' } }),
    ],
    ['Secure Boot off, not required', () => real('eventlog-gtt-ubuntu-2404-amd-sevsnp')],
    ['Secure Boot on, required', () => real('eventlog-gtt-rhel8-uefi', { secure_boot: { enabled: 'require' } })],
  ])('but %s is accepted', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
  })
})
