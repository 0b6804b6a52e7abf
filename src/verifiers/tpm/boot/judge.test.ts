import { describe, expect, it } from 'vitest'
import * as lab from '../../../../test/boot-log.ts'
import { genuineTpm } from '../context.ts'
import { judgeBoot, judgeBootInTurns } from './judge.ts'
import { headerBytes, logBytes, text } from '../../../../test/event-log-bytes.ts'

const { HOST, TYPE, codesOf, judgeEvents } = lab
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const digest = (line: string): string => hex(lab.sha256(text(line)))
const eventOf = (pcr: number, type: number): lab.Event => {
  const found = HOST.find((event) => event.pcr === pcr && event.type === type)
  if (found === undefined) throw new Error(`no event of type ${type} in PCR ${pcr}`)
  return found
}
const separatorOf = (pcr: number): lab.Event => eventOf(pcr, TYPE.separator)
/** The outcome of each check, by number. */
const outcomes = (judgement: ReturnType<typeof judgeEvents>): readonly string[] =>
  judgement.checks.map(({ id, outcome }) => `${id} ${outcome}`)

describe('a boot', () => {
  it('is told as far as its log proves it', () => {
    const { checks, claims } = judgeEvents(HOST)
    expect(checks.map(({ id, outcome }) => [id, outcome])).toEqual(
      [43, 44, 45, 46, 47, 48, 49, 50, 56].map((number) => [`TPM-${number}`, 'pass']),
    )
    expect(claims).toMatchObject({
      bank: 'sha256',
      events: HOST.length,
      replayed: Array.from({ length: 24 }, (_, pcr) => pcr),
      startup_locality: 0,
      exit_boot_services_added: false,
      exit_boot_services: true,
      boot_applications: ['MZshim', 'MZgrub', 'MZkernel'].map(digest),
      scrtm_version: 'Firmware 1.2',
      firmware_blobs: [digest(lab.VOLUME)],
      gce_technology: null,
      grub_commands: [`linux ${lab.LINE}`, 'initrd /initrd'],
      grub_files: [digest('menu'), digest('kernel')],
      kernel_cmdline: lab.LINE,
      kernel_cmdline_source: 'linux-stub',
      initrds: [digest('initrd')],
      uki_sections: [],
      boot_phases: [],
      mok: {},
      untrusted: { platform_ids: [] },
    })
    expect(claims?.secure_boot?.enabled).toBe(true)
  })

  it('tells nothing of PCRs that are not quoted', () => {
    const { checks, claims } = judgeEvents(HOST, { pcrs: lab.pcrsAfter(HOST, [1]) })
    expect(checks.filter(({ outcome }) => outcome === 'skip').map(({ id }) => id)).toEqual(['TPM-50', 'TPM-56'])
    expect(claims).toMatchObject({ replayed: [1], exit_boot_services: false })
    const facts = [
      'secure_boot',
      'boot_applications',
      'scrtm_version',
      'firmware_blobs',
      'grub_commands',
      'grub_files',
      'kernel_cmdline',
    ] as const
    expect(facts.map((fact) => claims?.[fact])).toEqual(facts.map(() => null))
    expect([claims?.initrds, claims?.uki_sections, claims?.boot_phases, claims?.mok]).toEqual([null, null, null, null])
    const none = judgeEvents(HOST, { pcrs: new Map() })
    expect(none.checks.find(({ id }) => id === 'TPM-48')).toMatchObject({ outcome: 'skip' })
  })

  it('tells nothing of PCRs that do not replay and need not', () => {
    const pcrs = lab.allPcrs(HOST).set(8, new Uint8Array(32).fill(1)).set(9, new Uint8Array(32).fill(1)).set(10, new Uint8Array(32).fill(1))
    const { checks, claims } = judgeEvents(HOST, { pcrs })
    expect(checks.find(({ id }) => id === 'TPM-46')?.actual).toMatch(/; not asked and not trusted: PCR 8, 9, 10$/)
    expect([claims?.kernel_cmdline, claims?.grub_commands, claims?.grub_files, claims?.initrds]).toEqual([null, null, null, null])
  })
})

// Rows 57 to 69 and 72 of specification tpm.md section 17.
describe('a log that cannot be held against the quote', () => {
  const pcrs = lab.allPcrs(HOST)
  const refused = (events: readonly lab.Event[], how: lab.How = {}): readonly string[] => {
    const judgement = judgeEvents(events, { pcrs, ...how })
    expect(judgement.claims).toBeNull()
    return codesOf(judgement)
  }
  const crtm = eventOf(0, TYPE.crtmVersion)
  const blob = eventOf(0, TYPE.blob)

  it('with one bit of a digest changed', () => {
    expect(refused(lab.replaced(HOST, blob, { ...blob, of: text('another volume') }))).toEqual(['TPM-46 tpm-eventlog-replay-mismatch'])
  })

  it('without an event, or with two of a PCR in the other order', () => {
    expect(refused(HOST.filter((event) => event !== crtm))).toEqual(['TPM-46 tpm-eventlog-replay-mismatch'])
    expect(refused(HOST.with(0, blob).with(1, crtm))).toEqual(['TPM-46 tpm-eventlog-replay-mismatch'])
  })

  it('names the PCRs, and the event behind which there is too much', () => {
    const longer = [...HOST, lab.application('more'), lab.separator(6)]
    const { checks } = judgeEvents(longer, { pcrs })
    const actual = checks.find(({ id }) => id === 'TPM-46')?.actual ?? ''
    expect(actual).toMatch(
      new RegExp(`^PCR 4, 6: PCR 4 is [0-9a-f]{64}, 6 events lead to [0-9a-f]{64}; what is before event ${HOST.length} leads to it; PCR 6`),
    )
    expect(outcomes({ checks, claims: null })).toEqual([
      'TPM-43 pass',
      'TPM-44 pass',
      'TPM-45 pass',
      'TPM-46 fail',
      'TPM-47 pass',
      'TPM-48 skip',
      'TPM-49 skip',
      'TPM-50 skip',
      'TPM-56 skip',
    ])
  })

  it('that tells nothing of a PCR that was extended', () => {
    expect(refused(HOST.filter(({ pcr }) => pcr !== 6))).toEqual(['TPM-47 tpm-eventlog-incomplete'])
    expect(
      codesOf(
        judgeEvents(
          HOST.filter(({ pcr }) => pcr !== 6),
          { pcrs, rigour: { replayedPcrs: [0, 7] } },
        ),
      ),
    ).toEqual([])
    expect(codesOf(judgeEvents([], { pcrs, log: lab.bootLog([]) }))).toEqual(['TPM-47 tpm-eventlog-incomplete'])
  })

  it('of another bank', () => {
    expect(refused(HOST, { bank: 'sha384' })).toEqual(['TPM-44 tpm-eventlog-bank-missing'])
    const legacy = new Uint8Array(
      Buffer.concat([Buffer.alloc(4), Buffer.from([4, 0, 0, 0]), Buffer.alloc(20), Buffer.from([4, 0, 0, 0]), Buffer.alloc(4)]),
    )
    expect(refused([], { log: legacy })).toEqual(['TPM-44 tpm-eventlog-bank-missing'])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['text', text('not a log, but some text of a length')],
    ['four billion algorithms', logBytes([], Buffer.alloc(0), headerBytes({ index: 0, count: 0xffffffff }))],
    ['an event past its end', lab.bootLog(HOST).subarray(0, -1)],
    ['an index over 23', lab.bootLog([lab.separator(24)])],
    ['more than 8 MiB', new Uint8Array(8 * 1024 * 1024 + 1)],
    ['more than 16,384 events', lab.bootLog(Array.from({ length: 16_385 }, () => lab.separator(0)))],
  ])('of %s', (_, log) => {
    const judgement = judgeEvents([], { log, pcrs })
    expect(codesOf(judgement)).toEqual(['TPM-43 tpm-eventlog-malformed'])
    expect(judgement.checks.slice(1).every(({ outcome }) => outcome === 'skip')).toBe(true)
    expect(judgement.claims).toBeNull()
  })
})

const locality = (value: number, pcr = 0): lab.Event => ({
  pcr,
  type: TYPE.noAction,
  data: new Uint8Array(Buffer.concat([text('StartupLocality\0'), Uint8Array.of(value)])),
  digest: new Uint8Array(32),
})

describe('the startup locality', () => {
  it.each([0, 3, 4])('of %i is where PCR 0 begins', (value) => {
    const events = [locality(value), ...HOST]
    const judgement = judgeEvents(events, { locality: value })
    expect(codesOf(judgement)).toEqual([])
    expect(judgement.claims?.startup_locality).toBe(value)
    expect(codesOf(judgeEvents(HOST, { locality: value }))).toEqual(value === 0 ? [] : ['TPM-46 tpm-eventlog-replay-mismatch'])
  })

  it('counts where nothing extends PCR 0', () => {
    const rest = HOST.filter(({ pcr }) => pcr !== 0)
    const how = { rigour: { replayedPcrs: [0] }, locality: 3 }
    expect(codesOf(judgeEvents([locality(3), ...rest], how))).toEqual(['TPM-48 tpm-eventlog-separator-invalid'])
    expect(codesOf(judgeEvents(rest, how))).toEqual(['TPM-47 tpm-eventlog-incomplete'])
  })

  const named = (data: Uint8Array): lab.Event => ({ ...locality(3), data })
  it.each<[string, readonly lab.Event[]]>([
    ['behind an event of PCR 0', [...HOST, locality(3)]],
    ['of 1', [locality(1), ...HOST]],
    ['twice', [locality(3), locality(3), ...HOST]],
    ['of another PCR', [locality(3, 1), ...HOST]],
    ['without a value', [named(text('StartupLocality\0')), ...HOST]],
    ['with two bytes', [named(text('StartupLocality\0\x03\0')), ...HOST]],
  ])('is refused %s', (_, events) => {
    const judgement = judgeEvents(events, { locality: 3 })
    expect(codesOf(judgement)).toEqual(['TPM-45 tpm-eventlog-startup-locality-invalid'])
    expect(judgement.claims).toBeNull()
  })

  it('may be told behind events of other PCRs', () => {
    const [first, ...rest] = HOST.filter(({ pcr }) => pcr === 7)
    const events = [...(first === undefined ? [] : [first]), locality(3), ...rest, ...HOST.filter(({ pcr }) => pcr !== 7)]
    expect(codesOf(judgeEvents(events, { locality: 3 }))).toEqual([])
  })
})

const identification = (signature: string): lab.Event => ({
  pcr: 0,
  type: TYPE.noAction,
  data: new Uint8Array(Buffer.concat([text(signature.padEnd(16, '\0')), new Uint8Array(4), new Uint8Array(16).fill(0xab), text('Vendor')])),
  digest: new Uint8Array(32),
})
const ids = (...events: readonly lab.Event[]) => judgeEvents([...events, ...HOST]).claims?.untrusted.platform_ids

describe('platform identifications', () => {
  it('are told as what nothing proves, a few of them', () => {
    expect(ids(identification('SP800-155 Event'), identification('SP800-155 Event3'), identification('BIOSIntegrityEvent'))).toEqual([
      `SP800-155 Event ${'ab'.repeat(16)}`,
      `SP800-155 Event3 ${'ab'.repeat(16)}`,
    ])
    expect(ids(...Array.from({ length: 20 }, () => identification('SP800-155 Event2')))).toHaveLength(16)
  })
})

describe('the handover of the firmware', () => {
  const frozen = HOST.filter((event) => !lab.HANDOVER.includes(event))
  const [invocation, success] = lab.HANDOVER as [lab.Event, lab.Event]
  const failure: lab.Event = { ...success, data: text('Exit Boot Services Returned with Failure') }

  it.each([
    ['success', [invocation, success]],
    ['failure', [invocation, failure]],
    ['failure and success', [invocation, failure, success]],
  ])('may be missing from a log that was read before, with %s', (_, missing) => {
    const how = { pcrs: lab.allPcrs([...frozen, ...missing]) }
    const { claims, checks } = judgeEvents(frozen, how)
    expect(claims).toMatchObject({ exit_boot_services: true, exit_boot_services_added: true })
    expect(checks.find(({ id }) => id === 'TPM-46')?.actual).toMatch(
      new RegExp(`; PCR 5 with ${missing.length} events of ExitBootServices`),
    )
    expect(codesOf(judgeEvents(frozen, { ...how, rigour: { exitBootServicesWorkaround: 'refuse' } }))).toEqual([
      'TPM-46 tpm-eventlog-replay-mismatch',
    ])
  })

  it('may not be missing where another PCR leads elsewhere, or PCR 5 has no event', () => {
    const pcrs = lab.allPcrs(HOST)
    const other = new Map(pcrs).set(1, new Uint8Array(32).fill(7))
    expect(judgeEvents(frozen, { pcrs: other }).checks.find(({ id }) => id === 'TPM-46')?.actual).toMatch(/^PCR 1, 5: /)
    const later = new Map(pcrs).set(6, new Uint8Array(32).fill(7))
    expect(judgeEvents(frozen, { pcrs: later }).checks.find(({ id }) => id === 'TPM-46')?.actual).toMatch(/^PCR 5, 6: /)
    const handed = lab.pcrsAfter(lab.HANDOVER, [5])
    expect(codesOf(judgeEvents([], { pcrs: handed, log: lab.bootLog([]) }))).toEqual(['TPM-47 tpm-eventlog-incomplete'])
  })

  it('is not shown by a log without it', () => {
    const { claims } = judgeEvents(frozen)
    expect(claims).toMatchObject({ exit_boot_services: false, exit_boot_services_added: false })
  })

  it('is known by its digest, whatever the log calls it', () => {
    const hidden = lab.replaced(HOST, invocation, { ...invocation, type: 1, data: text('POST CODE'), of: invocation.data })
    expect(judgeEvents(hidden).claims?.exit_boot_services).toBe(true)
    const zero = lab.replaced(HOST, invocation, { ...invocation, data: text('Exit Boot Services Invocation\0') })
    expect(judgeEvents(zero).claims?.exit_boot_services).toBe(true)
  })
})

const wrong = (events: readonly lab.Event[], rigour = {}): readonly string[] => {
  const judgement = judgeEvents(events, { rigour })
  expect(judgement.claims).toBeNull()
  return codesOf(judgement)
}

describe('separators', () => {
  const INVALID = 'TPM-48 tpm-eventlog-separator-invalid'

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('of PCR %i are there once, as what they are', (pcr) => {
    const own = separatorOf(pcr)
    expect(wrong(HOST.filter((event) => event !== own))[0]).toBe(INVALID)
    expect(wrong([...HOST, lab.separator(pcr)])[0]).toBe(INVALID)
    expect(wrong(lab.replaced(HOST, own, { ...own, type: TYPE.action }))[0]).toBe(INVALID)
    expect(wrong(lab.replaced(HOST, own, lab.separator(pcr, [0, 0, 0, 0, 0])))[0]).toBe(INVALID)
    expect(wrong(lab.replaced(HOST, own, lab.separator(pcr, [2, 0, 0, 0])))[0]).toBe(INVALID)
    expect(wrong(lab.replaced(HOST, own, { ...own, of: text('else') }))[0]).toBe(INVALID)
    expect(wrong(lab.replaced(HOST, own, lab.separator(pcr, [1, 0, 0, 0])))[0]).toBe('TPM-48 tpm-firmware-error-separator')
  })

  it.each([0, 1, 3, 4, 5, 6])('of PCR %i may be all ones', (pcr) => {
    const own = separatorOf(pcr)
    expect(codesOf(judgeEvents(lab.replaced(HOST, own, lab.separator(pcr, [255, 255, 255, 255]))))).toEqual([])
  })

  it.each([2, 7])('of PCR %i may not be all ones', (pcr) => {
    expect(wrong(lab.replaced(HOST, separatorOf(pcr), lab.separator(pcr, [255, 255, 255, 255])))[0]).toBe(INVALID)
  })

  it.each([
    [0, 0, 0, 0],
    [255, 255, 255, 255],
    [1, 0, 0, 0],
  ])('are not hidden under another type in PCR 4, 5 and 7: %i %i %i %i', (...value) => {
    for (const pcr of [4, 5, 7]) {
      const hidden = { ...lab.separator(pcr, value), type: TYPE.application, data: text('device path'), of: Uint8Array.from(value) }
      expect(wrong([...HOST, hidden])[0]).toBe(INVALID)
    }
    for (const pcr of [1, 2, 6]) {
      const alike = { ...lab.separator(pcr, value), type: 1, data: text('ACPI DATA'), of: Uint8Array.from(value) }
      expect(codesOf(judgeEvents([...HOST, alike]))).toEqual([])
    }
  })

  it('tell of an error of the firmware before anything else', () => {
    const events = lab.replaced(HOST, separatorOf(3), lab.separator(3, [1, 0, 0, 0])).filter((event) => event !== separatorOf(0))
    expect(wrong(events)).toEqual(['TPM-48 tpm-firmware-error-separator'])
  })

  it('have no application before them, unless the firmware called it, or the policy allows it', () => {
    const early = lab.inserted(HOST, lab.CALLING, lab.application('vendor'))
    expect(wrong(early)).toEqual([INVALID])
    const allowed = judgeEvents(early, { rigour: { efiAppBeforeCallingEvent: 'allow' } })
    expect(allowed.claims?.boot_applications?.[0]).toBe(digest('MZvendor'))
    expect(codesOf(judgeEvents(lab.inserted(HOST, separatorOf(4), lab.application('vendor'))))).toEqual([])
    expect(wrong(early.filter((event) => event !== lab.CALLING))).toEqual([INVALID])
    expect(codesOf(judgeEvents(HOST.filter((event) => event !== lab.CALLING)))).toEqual([])
  })
})

const boot = (data: Uint8Array, of: Uint8Array): lab.Event => ({ pcr: 1, type: 0x80000002, data, of })

describe('the data of events', () => {
  it('are what was measured, where they determine the digest', () => {
    const lie = lab.replaced(HOST, lab.CALLING, { ...lab.CALLING, data: text('Calling another'), of: lab.CALLING.data })
    const judgement = judgeEvents(lie)
    expect(codesOf(judgement)).toEqual(['TPM-49 tpm-eventlog-event-data-mismatch'])
    expect(judgement.claims).toBeNull()
    const place = HOST.indexOf(lab.CALLING)
    expect(judgement.checks.find(({ id }) => id === 'TPM-49')?.actual).toBe(
      `event ${place} (type 0x80000007, PCR 4) has another digest than its data`,
    )
  })

  it('of several liars the first in the log is told', () => {
    const lies = HOST.map((event) => (event.pcr === 5 && event.type === TYPE.efiAction ? { ...event, of: text('else') } : event))
    const first = HOST.findIndex((event) => event.pcr === 5 && event.type === TYPE.efiAction)
    const early = lies.with(0, { pcr: 6, type: TYPE.efiAction, data: text('a'), of: text('b') })
    expect(judgeEvents(lies).checks.find(({ id }) => id === 'TPM-49')?.actual).toMatch(new RegExp(`^event ${first} `))
    expect(judgeEvents(early).checks.find(({ id }) => id === 'TPM-49')?.actual).toMatch(/^event 0 /)
  })

  it('of a boot variable are all of it, or its value alone', () => {
    const value = text('\x01\0')
    const whole = lab.variable(lab.GUID.global, 'BootOrder', value).data
    for (const [data, of] of [
      [whole, whole],
      [whole, value],
      [text('no variable'), text('no variable')],
    ] as const)
      expect(codesOf(judgeEvents([boot(data, of), ...HOST]))).toEqual([])
    for (const [data, of] of [
      [whole, text('else')],
      [text('no variable'), value],
    ] as const)
      expect(codesOf(judgeEvents([boot(data, of), ...HOST]))).toEqual(['TPM-49 tpm-eventlog-event-data-mismatch'])
  })

  it.each([TYPE.tag, TYPE.crtmVersion, TYPE.nonhost, TYPE.blob, TYPE.application, 0x8000000c, 0x8000000d, 0x12345678])(
    'of type %i may be another thing than what was measured',
    (type) => {
      expect(codesOf(judgeEvents([{ pcr: 1, type, data: text('a'), of: text('b') }, ...HOST]))).toEqual([])
    },
  )

  it('of PCRs that do not replay are nobody’s concern', () => {
    const lie: lab.Event = { pcr: 10, type: TYPE.efiAction, data: text('a'), of: text('b') }
    expect(codesOf(judgeEvents([...HOST, lie]))).toEqual(['TPM-49 tpm-eventlog-event-data-mismatch'])
    expect(codesOf(judgeEvents([...HOST, lie], { pcrs: lab.allPcrs(HOST) }))).toEqual([])
  })
})

describe('a long log', () => {
  it('is judged in steps between which others work, and comes to the same', async () => {
    const input = { eventLog: lab.bootLog(HOST), bank: 'sha256', pcrs: lab.allPcrs(HOST), rigour: genuineTpm } as const
    let turns = 0
    const pause = () => ((turns += 1) === 1 ? Promise.resolve() : undefined)
    expect(await judgeBootInTurns(input, pause)).toEqual(judgeBoot(input))
    expect(turns).toBe(2)
    expect(await judgeBootInTurns(input, undefined)).toEqual(judgeBoot(input))
  })
})
