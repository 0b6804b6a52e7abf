import { describe, expect, it } from 'vitest'
import * as lab from '../../../../test/boot-log.ts'
import { text } from '../../../../test/event-log-bytes.ts'

const { HOST, TYPE, judgeEvents } = lab

/** `id outcome actual` of every check. */
const told = (...given: Parameters<typeof judgeEvents>): readonly string[] =>
  judgeEvents(...given).checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
const failures = (...given: Parameters<typeof judgeEvents>): readonly string[] => told(...given).filter((line) => line.includes(' fail '))

describe('the checks of a boot say what was looked at', () => {
  it('where the log leads to the quote', () => {
    expect(told(HOST)).toEqual([
      `TPM-43 pass ${HOST.length} events`,
      'TPM-44 pass sha256',
      'TPM-45 pass locality 0',
      'TPM-46 pass PCR 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23',
      'TPM-47 pass PCR 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23',
      'TPM-48 pass PCR 0, 1, 2, 3, 4, 5, 6, 7',
      'TPM-49 pass every digest of such an event is',
      'TPM-50 pass Secure Boot is in effect',
      'TPM-56 pass 3 texts',
    ])
  })

  it('where PCRs are not quoted', () => {
    expect(told(HOST, { pcrs: lab.pcrsAfter(HOST, [9]), rigour: { replayedPcrs: [] } }).slice(3)).toEqual([
      'TPM-46 pass PCR 9',
      'TPM-47 pass PCR 9',
      'TPM-48 skip no PCR of the firmware replays',
      'TPM-49 pass every digest of such an event is',
      'TPM-50 skip PCR 7 does not replay, or is not quoted',
      'TPM-56 skip PCR 8 does not replay, or is not quoted',
    ])
  })

  it('where the log lacks what the firmware measured last', () => {
    const frozen = HOST.filter((event) => !lab.HANDOVER.includes(event))
    expect(told(frozen, { pcrs: lab.allPcrs(HOST) })[3]).toMatch(/; PCR 5 with 2 events of ExitBootServices that the log lacks$/)
  })

  it('where the log cannot be read', () => {
    const rest = [44, 45, 46, 47, 48, 49, 50, 56].map((number) => `TPM-${number} skip the log cannot be read`)
    expect(told([], { log: new Uint8Array(), pcrs: lab.allPcrs(HOST) })).toEqual([
      'TPM-43 fail event_log.header.pcrIndex @0: needs 4 bytes, 0 left',
      ...rest,
    ])
  })

  it('where the log is of other banks', () => {
    expect(told(HOST, { bank: 'sha384' }).slice(1, 3)).toEqual([
      'TPM-44 fail no digests of sha384',
      'TPM-45 skip the log is of other banks',
    ])
  })
})

const locality = (value: number, pcr = 0): lab.Event => ({
  pcr,
  type: TYPE.noAction,
  data: new Uint8Array(Buffer.concat([text('StartupLocality\0'), Uint8Array.of(value)])),
  digest: new Uint8Array(32),
})

describe('a startup locality that cannot be believed says why', () => {
  it.each<[string, readonly lab.Event[]]>([
    ['2 records of it', [locality(3), locality(3), ...HOST]],
    ['event 0 is not of PCR 0', [locality(3, 1), ...HOST]],
    ['event 0 tells of no locality', [locality(1), ...HOST]],
    [`event ${HOST.length} is behind event ${HOST.findIndex(({ pcr }) => pcr === 0)}`, [...HOST, locality(3)]],
  ])('%s', (why, events) => {
    expect(told(events, { locality: 3 }).slice(2, 4)).toEqual([`TPM-45 fail ${why}`, 'TPM-46 skip what PCR 0 starts with is not known'])
  })
})

const without = (pcr: number): readonly lab.Event[] => HOST.filter((event) => event.pcr !== pcr)
/** The log with other separators of one PCR. */
const separators = (pcr: number, ...events: readonly lab.Event[]): readonly lab.Event[] => [
  ...HOST.filter((event) => event.pcr !== pcr || event.type !== TYPE.separator),
  ...events,
]
const SEPARATOR = lab.separator(1)

describe('a log that is refused says why', () => {
  it('of a PCR that nothing in it extends', () => {
    const lines = told(without(6), { pcrs: lab.allPcrs(HOST) })
    expect(lines[4]).toMatch(/^TPM-47 fail PCR 6: PCR 6 is [0-9a-f]{64}, but no event extends it$/)
    expect(lines[5]).toBe('TPM-48 skip the log does not lead to the quote')
  })

  it('of a PCR that it leads elsewhere with', () => {
    const lines = failures([...HOST, lab.separator(6)], { pcrs: lab.allPcrs(HOST) })
    const why = `2 events lead to [0-9a-f]{64}; what is before event ${HOST.length} leads to it`
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^TPM-46 fail PCR 6: PCR 6 is [0-9a-f]{64}, ${why}$`))])
  })

  it.each<[why: string, events: readonly lab.Event[]]>([
    ['PCR 1 has 0 separators', separators(1)],
    ['PCR 1 has 2 separators', separators(1, SEPARATOR, SEPARATOR)],
    [`event ${HOST.length - 1} of PCR 1 tells of an error of the firmware`, separators(1, lab.separator(1, [1, 0, 0, 0]))],
    [
      `event ${HOST.length - 1} of PCR 2 is called a separator and is none of that PCR`,
      separators(2, lab.separator(2, [255, 255, 255, 255])),
    ],
    [`event ${HOST.length - 1} of PCR 1 is called a separator and is none of that PCR`, separators(1, lab.separator(1, [2, 0, 0, 0]))],
    [
      `event ${HOST.length - 1} of PCR 1 is called a separator and has another digest than its data`,
      separators(1, { ...SEPARATOR, digest: new Uint8Array(32).fill(1) }),
    ],
    [
      `event ${HOST.length - 1} of PCR 7 has the digest of a separator and is called otherwise`,
      separators(7, { ...lab.separator(7), type: TYPE.action }),
    ],
  ])('of separators: %s', (why, events) => expect(failures(events)[0]).toBe(`TPM-48 fail ${why}`))

  it('of a separator of all bits, where a PCR may have it', () => {
    expect(failures(separators(1, lab.separator(1, [255, 255, 255, 255])))).toEqual([])
  })

  it.each<[line: string, events: readonly lab.Event[]]>([
    [
      `TPM-56 fail event ${HOST.length} of PCR 8 has another digest than its text`,
      [...HOST, { ...lab.grub('grub_cmd: ', 'x'), of: text('y') }],
    ],
    ['TPM-56 fail 2 command lines of a kernel are in PCR 8', [...HOST, lab.grub('kernel_cmdline: ', 'other')]],
  ])('of GRUB: %s', (line, events) => expect(failures(events)).toContain(line))

  it('of what is no text of GRUB’s, where the policy knows GRUB', () => {
    const events = [...HOST, { pcr: 8, type: TYPE.ipl, data: text('x') }]
    expect(failures(events, { rigour: { bootloader: 'grub' } })).toEqual([`TPM-56 fail event ${HOST.length} of PCR 8 is no text of GRUB’s`])
    expect(failures(events)).toEqual([])
  })
})
