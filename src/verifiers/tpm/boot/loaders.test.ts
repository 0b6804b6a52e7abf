import { describe, expect, it } from 'vitest'
import * as lab from '../../../../test/boot-log.ts'
import { text } from '../../../../test/event-log-bytes.ts'
import type { TpmRigour } from '../context.ts'
import type { BootClaims } from './claims.ts'
import { PHASES } from './phases.ts'

const { LINE, TYPE, grub, loadOptions } = lab
const digest = (line: string): string => Buffer.from(lab.sha256(text(line))).toString('hex')
const PCRS = [8, 9, 11, 12, 14]

const judge = (events: readonly lab.Event[], rigour: Partial<TpmRigour> = {}) =>
  lab.judgeEvents(events, { pcrs: lab.pcrsAfter(events, PCRS), rigour })
function claims(...events: readonly lab.Event[]): BootClaims {
  const judgement = judge(events)
  if (judgement.claims === null) throw new Error(lab.codesOf(judgement).join(', '))
  return judgement.claims
}
const line = (...events: readonly lab.Event[]) => {
  const told = claims(...events)
  return [told.kernel_cmdline, told.kernel_cmdline_source]
}
const linux = (args: string): lab.Event => grub('grub_cmd: ', `linux ${args}`)
const kernel = (args: string): lab.Event => grub('kernel_cmdline: ', args)
const NONE = [null, null]

const raw = (prefix: string, data: Buffer): lab.Event => ({
  pcr: 8,
  type: TYPE.ipl,
  data: new Uint8Array(Buffer.concat([Buffer.from(prefix), data])),
  of: new Uint8Array(data),
})

describe('GRUB’s log', () => {
  it.each([
    ['grub_cmd: ', 'kernel_cmdline: '],
    ['grub_cmd ', 'grub_kernel_cmdline '],
  ])('tells commands and the command line, as “%s” and “%s”', (command, kernelLabel) => {
    const told = claims(
      grub(command, 'set root=hd0'),
      grub(command, `linux ${LINE}`),
      grub(kernelLabel, LINE),
      grub('module_cmdline: ', '/module'),
    )
    expect(told.grub_commands).toEqual(['set root=hd0', `linux ${LINE}`, '/module'])
    expect([told.kernel_cmdline, told.kernel_cmdline_source]).toEqual([LINE, 'grub'])
  })

  it('hashes its texts with the NUL or without', () => {
    const hashed = { ...linux(LINE), of: text(`linux ${LINE}\0`) }
    expect(line(hashed, kernel(LINE))).toEqual([LINE, 'grub'])
    const bare = { ...linux(LINE), data: text(`grub_cmd: linux ${LINE}`) }
    expect(line(bare, kernel(LINE))).toEqual([LINE, 'grub'])
  })

  // Row 74.
  it('is refused where a text was changed', () => {
    const changed = { ...kernel(LINE), data: text(`kernel_cmdline: ${LINE} init=/bin/sh\0`) }
    for (const events of [
      [linux(LINE), changed],
      [{ ...linux(LINE), of: text('else') }, kernel(LINE)],
    ]) {
      const judgement = judge(events)
      expect([lab.codesOf(judgement), judgement.claims]).toEqual([['TPM-56 tpm-grub-log-invalid'], null])
    }
  })

  // Row 75.
  it.each([
    ['two lines', [linux(LINE), kernel(LINE), linux('/other'), kernel('/other')]],
    ['one line twice', [linux(LINE), kernel(LINE), linux(LINE), kernel(LINE)]],
    ['one of two lines called a command', [linux('/evil'), grub('grub_cmd: ', '/evil'), linux(LINE), kernel(LINE)]],
    ['a text like the line beside it', [linux(LINE), kernel(LINE), grub('grub_cmd: ', LINE)]],
    ['a text that differs in quotes alone', [linux('/v a="b c"'), grub('grub_cmd: ', '/v a="b c"'), kernel('/v a=b c')]],
  ])('is ambiguous with %s', (_, events) => {
    const judgement = judge(events)
    expect([lab.codesOf(judgement), judgement.claims]).toEqual([['TPM-56 tpm-kernel-cmdline-ambiguous'], null])
  })

  it.each<[string, readonly lab.Event[]]>([
    ['nothing was called with it', [grub('grub_cmd: ', `echo ${LINE}`), kernel(LINE)]],
    ['something else was called', [linux('/vmlinuz ro init=/bin/sh'), kernel(LINE)]],
    ['it was called without a line that the log calls one', [linux(LINE)]],
    ['a second loader was called', [linux(LINE), kernel(LINE), grub('grub_cmd: ', 'chainloader /evil.efi')]],
    ['another loader was called with it', [grub('grub_cmd: ', `chainloader ${LINE}`), kernel(LINE)]],
    ['an event is no text of GRUB’s', [linux(LINE), kernel(LINE), { pcr: 8, type: TYPE.ipl, data: text('linux'), of: text('else') }]],
    ['a text has another type', [{ ...linux(LINE), type: 1 }, kernel(LINE)]],
    ['it is longer than any', [linux('x'.repeat(4097)), kernel('x'.repeat(4097))]],
    ['the kernel measured other load options', [linux(LINE), kernel(LINE), loadOptions('BOOT_IMAGE=/vmlinuz init=/bin/sh')]],
  ])('proves no command line where %s', (_, events) => {
    expect(line(...events)).toEqual(NONE)
  })

  it('proves no command line that is no text', () => {
    expect(line(raw('grub_cmd: ', Buffer.from('linux \xff', 'latin1')), raw('kernel_cmdline: ', Buffer.from('\xff', 'latin1')))).toEqual(
      NONE,
    )
  })

  it('may hold nothing but texts where the policy says so, and separators', () => {
    const other: lab.Event = { pcr: 8, type: 1, data: text('other') }
    expect(lab.codesOf(judge([linux(LINE), other], { bootloader: 'grub' }))).toEqual(['TPM-56 tpm-grub-log-invalid'])
    expect(lab.codesOf(judge([linux(LINE), other]))).toEqual([])
    expect(lab.codesOf(judge([linux(LINE), kernel(LINE), lab.separator(8)], { bootloader: 'grub' }))).toEqual([])
    expect(line(linux(LINE), kernel(LINE), lab.separator(8))).toEqual([LINE, 'grub'])
  })

  it('knows the line of a command whose quotes GRUB adds and takes away', () => {
    const [called, handed] = ['/v root=a dm=1 vroot none', '/v root=a "dm=1 vroot none"']
    expect(line(linux(called), kernel(handed))).toEqual([handed, 'grub'])
  })

  it('cuts long texts', () => {
    expect(claims(grub('grub_cmd: ', 'x'.repeat(5000))).grub_commands).toEqual(['x'.repeat(4096)])
  })
})

const override = (data: string, hashed: string): lab.Event => ({
  pcr: 12,
  type: TYPE.ipl,
  data: new Uint8Array(Buffer.from(data, 'utf16le')),
  of: new Uint8Array(Buffer.from(hashed, 'utf16le')),
})

describe('load options', () => {
  const GRUB = [linux(LINE), kernel(LINE)]
  it.each([`BOOT_IMAGE=${LINE}`, `BOOT_IMAGE=${LINE}\0`, LINE, `${LINE}\0`])('of GRUB’s line prove it: %j', (options) => {
    expect(line(...GRUB, loadOptions(options))).toEqual([LINE, 'linux-stub'])
  })

  it('tell files from initrds, whatever the log calls them', () => {
    const files = [lab.file('/a', 'a'), lab.file('/initrd', 'good'), { ...lab.file('Linux initrd', 'evil'), type: TYPE.tag }]
    const initrd = { ...lab.file('/grub.cfg', 'initrd'), type: TYPE.ipl }
    const told = claims(...GRUB, ...files, loadOptions(`BOOT_IMAGE=${LINE}`), initrd)
    expect([told.grub_files, told.initrds]).toEqual([['a', 'good', 'evil'].map(digest), [digest('initrd')]])
  })

  it('count from the first that fits', () => {
    const told = claims(...GRUB, loadOptions(LINE), lab.file('/initrd', 'evil'), loadOptions(LINE))
    expect([told.grub_files, told.initrds?.[0]]).toEqual([[], digest('evil')])
  })

  it('of unknown text tell initrds only where nothing is before them', () => {
    const told = claims(loadOptions('cmdline of an image\0'), lab.file('Linux initrd', 'initrd'))
    expect([told.kernel_cmdline, told.grub_files, told.initrds]).toEqual([null, [], [digest('initrd')]])
    const hidden = claims(lab.file('/evil', 'evil'), loadOptions('cmdline of an image\0'), lab.file('Linux initrd', 'initrd'))
    expect([hidden.grub_files?.length, hidden.initrds]).toEqual([3, null])
    expect(claims(lab.file('/a', 'a')).initrds).toBeNull()
  })

  it('of systemd-stub are those of PCR 12, where the kernel was given them', () => {
    for (const data of [LINE, `${LINE}\0`])
      expect(line(override(data, `${LINE}\0`), loadOptions(`${LINE}\0`))).toEqual([LINE, 'systemd-stub'])
    const short = override(LINE, `${LINE}\0`)
    expect(line({ ...short, data: new Uint8Array([...short.data, 0]) }, loadOptions(`${LINE}\0`))).toEqual([LINE, 'systemd-stub'])
  })

  it.each<[string, readonly lab.Event[]]>([
    ['the kernel was given others', [override(LINE, `${LINE}\0`), loadOptions('other\0')]],
    ['the kernel measured none', [override(LINE, `${LINE}\0`)]],
    ['PCR 12 holds more', [override(LINE, `${LINE}\0`), override('addon', 'addon\0'), loadOptions(`${LINE}\0`)]],
    ['the text is not what was hashed', [override(LINE, 'other\0'), loadOptions(`${LINE}\0`)]],
    ['it is longer than any', [override('x'.repeat(4097), `${'x'.repeat(4097)}\0`), loadOptions(`${'x'.repeat(4097)}\0`)]],
  ])('of systemd-stub are not known where %s', (_, events) => {
    expect(line(...events)).toEqual(NONE)
  })

  it('are not known where GRUB and systemd-stub tell two lines, both of which are in PCR 9', () => {
    const both = [...GRUB, override('/other', '/other\0'), loadOptions(`BOOT_IMAGE=${LINE}`), loadOptions('/other\0')]
    expect(line(...both)).toEqual(NONE)
    expect(line(...both.map((event) => ({ ...event, type: event.pcr === 9 ? 1 : event.type })))).toEqual(NONE)
  })
})

const measured = (bytes: string, data: string): lab.Event => ({ pcr: 11, type: TYPE.ipl, data: text(data), of: text(bytes) })

// Rows 77 and 78, whose policy is elsewhere.
describe('PCR 11', () => {
  const section = (name: string, content: string): readonly lab.Event[] => [measured(`${name}\0`, name), measured(content, name)]
  const STUB = [...section('.linux', 'kernel'), ...section('.osrel', 'os')]
  const told = (events: readonly lab.Event[], ...behind: readonly string[]) => {
    const pcrs = lab.pcrsAfter([...events, ...behind.map((phase) => measured(phase, ''))], [11])
    const { claims: boot } = lab.judgeEvents(events, { pcrs })
    return [boot?.replayed, boot?.uki_sections, boot?.boot_phases]
  }
  const SECTIONS = [
    { name: '.linux', digest: digest('kernel') },
    { name: '.osrel', digest: digest('os') },
  ]

  it('tells sections and no phase in the stub', () => {
    expect(told(STUB)).toEqual([[11], SECTIONS, []])
  })

  it.each(PHASES.map((_, last) => PHASES.slice(0, last + 1)))('tells phases that the log lacks: %s', (...phases) => {
    expect(told(STUB, ...phases)).toEqual([[11], SECTIONS, phases])
  })

  it('tells phases of a boot without initrd, and those of the log', () => {
    expect(told(STUB, 'sysinit', 'ready')).toEqual([[11], SECTIONS, ['sysinit', 'ready']])
    expect(told([...STUB, measured('enter-initrd', 'x')])).toEqual([[11], SECTIONS, ['enter-initrd']])
  })

  it('does not replay with phases in another order', () => {
    expect(told(STUB, 'leave-initrd', 'enter-initrd')).toEqual([[], null, null])
    expect(told(STUB, 'ready')).toEqual([[], null, null])
  })

  it('knows names by their digests, whatever the log calls them', () => {
    const hidden = STUB.map((event) => ({ ...event, type: 1, data: text('other') }))
    expect(told(hidden)).toEqual([[11], SECTIONS, []])
  })

  it.each<[string, readonly lab.Event[]]>([
    ['a name without content', [...STUB, measured('.sbat\0', '.sbat')]],
    ['a section that nobody knows', [...STUB, ...section('.evil', 'x')]],
    ['something before the sections', [measured('x', 'x'), ...STUB]],
    ['a section behind a phase', [...STUB, measured('enter-initrd', ''), ...section('.sbat', 'x')]],
  ])('is not told with %s', (_, events) => {
    expect(told(events)).toEqual([[11], null, null])
  })

  it('is not told where the log has no event of it', () => {
    expect(told([], 'enter-initrd')).toEqual([[], null, null])
  })
})

const mok = (name: string, data = `${name}\0`): lab.Event => ({
  pcr: 14,
  type: TYPE.ipl,
  data: text(data),
  of: text(`content of ${name}`),
})

describe('PCR 14', () => {
  it('tells what shim measured', () => {
    expect(claims(mok('MokList'), mok('MokListX'), mok('MokListTrusted', 'MokListTrusted')).mok).toEqual({
      MokList: digest('content of MokList'),
      MokListX: digest('content of MokListX'),
      MokListTrusted: digest('content of MokListTrusted'),
    })
  })

  it.each<[string, readonly lab.Event[]]>([
    ['another order', [mok('MokListX'), mok('MokList')]],
    ['MokList missing', [mok('MokListX')]],
    ['one twice', [mok('MokList'), mok('MokList')]],
    ['another name', [mok('MokList'), mok('Other')]],
    ['another type', [{ ...mok('MokList'), type: 1 }]],
  ])('is not told with %s', (_, events) => {
    expect(claims(...events).mok).toBeNull()
  })
})

const version = (data: Uint8Array): lab.Event => ({ pcr: 0, type: TYPE.crtmVersion, data })

const gce = (...value: readonly number[]): lab.Event => ({
  pcr: 0,
  type: TYPE.nonhost,
  data: new Uint8Array(Buffer.concat([text('GCE NonHostInfo\0'), Uint8Array.from(value), new Uint8Array(16 - value.length)])),
})

const firmware = (...events: readonly lab.Event[]) => {
  const { claims: boot } = lab.judgeEvents(events, { pcrs: lab.pcrsAfter(events, [0]) })
  return [boot?.scrtm_version, boot?.gce_technology, boot?.firmware_blobs]
}

describe('PCR 0', () => {
  const SEPARATOR = lab.separator(0)

  it.each<[string, Uint8Array]>([
    ['Version 7', new Uint8Array(Buffer.from('Version 7 \0\0', 'utf16le'))],
    ['N40ET41W', text('N40ET41W\0')],
    ['1efb6b540c1d5540a4ad4ef4bf17b83a', new Uint8Array(Buffer.from('1efb6b540c1d5540a4ad4ef4bf17b83a', 'hex'))],
    ['0000', new Uint8Array(2)],
  ])('tells the version %s', (expected, data) => {
    expect(firmware(version(data), SEPARATOR)).toEqual([expected, null, []])
  })

  it.each([0, 1, 2, 3, 4])('tells technology %i of Google', (value) => {
    expect(firmware(gce(value), SEPARATOR)).toEqual([null, value, []])
  })

  it('tells neither of two, nor what is behind the separator, nor what is not proven', () => {
    const a = version(text('a'))
    expect(firmware(a, version(text('b')), gce(1), gce(2), SEPARATOR)).toEqual([null, null, []])
    expect(firmware(SEPARATOR, a, gce(1))).toEqual([null, null, []])
    expect(firmware({ ...a, of: text('b') }, SEPARATOR)).toEqual([null, null, [digest('b')]])
    expect(firmware(gce(5), SEPARATOR)).toEqual([null, null, []])
    expect(firmware(gce(1, 1), SEPARATOR)).toEqual([null, null, []])
  })

  it('ends for firmware where the digest of a separator is, whatever the log calls it', () => {
    const alike = { ...SEPARATOR, type: TYPE.blob, data: text('FIT'), of: SEPARATOR.data }
    expect(firmware(alike, version(text('a')), SEPARATOR)).toEqual([null, null, []])
  })

  it('counts as a blob what data do not prove, or what may itself be one', () => {
    const long = 'x'.repeat(1025)
    const blob: lab.Event = { pcr: 0, type: TYPE.blob, data: new Uint8Array(16), of: text('volume') }
    expect(
      firmware(blob, { pcr: 0, type: TYPE.tag, data: text(long) }, { pcr: 0, type: TYPE.tag, data: text('short') }, SEPARATOR),
    ).toEqual([null, null, [digest('volume'), digest(long)]])
  })
})
