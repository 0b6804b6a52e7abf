import { describe, expect, it } from 'vitest'
import {
  GLOBAL_VARIABLE,
  aaelBytes,
  headerBytes,
  logBytes,
  rtmrsOf,
  sha384,
  text,
  variableBytes,
  type Logged,
} from '../../../test/event-log-bytes.ts'
import { judgeEventLogs, type EventLogInput, type EventLogJudgement } from './event-logs.ts'

const DIGEST = `sha256:${'0c'.repeat(32)}`
const kernel = (line: string): Logged => ({
  index: 3,
  type: 0xd,
  data: text(`kernel_cmdline: ${line}\0`),
  digests: [[0x000c, sha384(text(line))]],
})
const BOOT: readonly Logged[] = [
  { index: 1, type: 0x8000000b, data: text('td hob'), digests: [[0x000c, sha384(text('what the log does not hold'))]] },
  { index: 1, type: 0x80000001, data: variableBytes(GLOBAL_VARIABLE, 'SecureBoot', Uint8Array.of(1)) },
  { index: 1, type: 4, data: new Uint8Array(4) },
  { index: 2, type: 0x80000003, data: text('device path'), digests: [[0x000c, sha384(text('image'))]] },
  { index: 2, type: 4, data: new Uint8Array(4) },
  kernel('/vmlinuz ro'),
]
const PULLED: Logged = {
  index: 4,
  type: 6,
  data: aaelBytes(`github.com/confidential-containers PullImage {"image":"alpine","digest":"${DIGEST}"}`),
}
const EVENTS = [...BOOT, PULLED]
const RTMRS = rtmrsOf(EVENTS)

const judge = (log: readonly Logged[] | Uint8Array | undefined, more: Partial<EventLogInput> = {}): EventLogJudgement =>
  judgeEventLogs({
    eventLog: log === undefined || log instanceof Uint8Array ? log : logBytes(log),
    runtimeLog: undefined,
    rtmrs: RTMRS,
    replayedRtmrs: [0, 1, 2, 3],
    ...more,
  })
/** Ids and outcomes, with the codes of what failed. */
const outcomes = ({ checks }: EventLogJudgement): readonly string[] =>
  checks.map((check) => `${check.id} ${check.outcome === 'fail' ? check.code : check.outcome}`)
const actual = (judgement: EventLogJudgement, id: string): string | undefined => judgement.checks.find((check) => check.id === id)?.actual
const GOOD = ['TDX-83 pass', 'TDX-84 pass', 'TDX-85 pass', 'TDX-86 skip']
const refused = (id: string, code: string): readonly string[] => GOOD.map((line) => (line.startsWith(id) ? `${id} ${code}` : line))
const MISMATCH = refused('TDX-84', 'tdx-event-log-replay-mismatch')
const FACTS = {
  secure_boot: true,
  boot_applications: [sha384(text('image')).toString('hex')],
  kernel_cmdline: '/vmlinuz ro',
  container_images: [DIGEST],
}

describe('event logs', () => {
  it('prove what they lead to', () => {
    const judgement = judge(EVENTS)
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toEqual({ source: 'ccel', events: 7, replayed: [0, 1, 2, 3], facts: FACTS, dstack: null })
  })

  it('need not be there', () => {
    const judgement = judge(undefined)
    expect(outcomes(judgement)).toEqual(['TDX-83 skip', 'TDX-84 skip', 'TDX-85 skip', 'TDX-86 skip'])
    expect(judgement.claims).toBeNull()
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['half an event', logBytes(EVENTS, Buffer.alloc(0)).subarray(0, -1)],
    ['no SHA-384', logBytes([], undefined, headerBytes({ algorithms: [[0x0012, 32]] }))],
    ['index 5', logBytes([...EVENTS, { index: 5, type: 4, data: text('') }])],
    ['4097 events', logBytes(Array.from({ length: 4097 }, () => ({ index: 1, type: 4, data: text('') })))],
    ['over 4 MiB', new Uint8Array(Buffer.concat([logBytes(EVENTS), Buffer.alloc(4 * 1024 * 1024, 0xff)]))],
  ])('that hold %s are refused, and nothing else is asked', (_, log) => {
    const judgement = judge(log)
    expect(outcomes(judgement)).toEqual(['TDX-83 tdx-event-log-malformed', 'TDX-84 skip', 'TDX-85 skip', 'TDX-86 skip'])
    expect(judgement.claims).toBeNull()
  })

  it('say at which event they cannot be read', () => {
    expect(actual(judge(logBytes(EVENTS, Buffer.from('010000'.repeat(3), 'hex'))), 'TDX-83')).toMatch(/^event_log\.event 7\.\w+ @\d+: /)
  })

  it('may be as long as CCEL areas are', () => {
    expect(outcomes(judge(logBytes(EVENTS, Buffer.alloc(4 * 1024 * 1024 - logBytes(EVENTS, Buffer.alloc(0)).length, 0xff))))).toEqual(GOOD)
    const many = Array.from({ length: 4096 }, () => ({ index: 1, type: 4, data: new Uint8Array(4) }))
    expect(outcomes(judge(many, { rtmrs: rtmrsOf(many) }))).toEqual(GOOD)
  })
})

describe('a log that leads elsewhere', () => {
  it.each<[string, readonly Logged[], RegExp]>([
    [
      'an event dropped',
      EVENTS.filter((_, place) => place !== 1),
      /^RTMR0 is \w{96}, 2 events .* \w{96}: it departs at event 0 or behind it$/,
    ],
    [
      'two events swapped',
      [...EVENTS.slice(0, 3), ...EVENTS.slice(3, 5).toReversed(), ...EVENTS.slice(5)],
      /^RTMR1 .* at event 3 or behind it$/,
    ],
    ['an event added', [...EVENTS, kernel('init=/bin/sh')], /^RTMR2 .* at event 7; what is before it leads to the register$/],
    ['an event in a register that is zero', [...EVENTS, PULLED], /^RTMR3 .* at event 7; what is before it leads to the register$/],
    ['the last event dropped', BOOT, /^RTMR3 is \w{96}, but no event extends it$/],
    [
      'an event with other data and another digest',
      EVENTS.with(5, { ...kernel('quiet'), data: text('kernel_cmdline: loud\0') }),
      /^RTMR2 .* at event 5, whose digest is not that of its data, if not before$/,
    ],
    ['no event', [], /^RTMR0 is \w{96}, but no event extends it$/],
  ])('is refused: %s', (_, log, why) => {
    const judgement = judge(log)
    expect(outcomes(judgement)).toContain('TDX-84 tdx-event-log-replay-mismatch')
    expect(actual(judgement, 'TDX-84')).toMatch(why)
    expect(judgement.claims).toBeNull()
  })

  it('is refused for the first event where the register was never extended', () => {
    const judgement = judge(EVENTS, { rtmrs: [RTMRS[0], RTMRS[1], RTMRS[2], new Uint8Array(48)] })
    expect(outcomes(judgement)).toEqual(MISMATCH)
    expect(actual(judgement, 'TDX-84')).toMatch(/^RTMR3 .* at event 6; what is before it leads to the register$/)
  })

  it('is let be in registers that need not replay, and tells nothing of them', () => {
    const log = EVENTS.map((event) => (event.index === 3 ? kernel('quiet') : event))
    expect(outcomes(judge(log))).toEqual(MISMATCH)
    const judgement = judge(log, { replayedRtmrs: [0, 1, 3] })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(actual(judgement, 'TDX-84')).toBe('RTMR0, RTMR1, RTMR3; not asked and not trusted: RTMR2')
    expect(judgement.claims).toMatchObject({ replayed: [0, 1, 3], facts: { ...FACTS, kernel_cmdline: null } })
  })

  it.each([0, 1, 2, 3] as const)('is refused for RTMR%i when that alone must replay', (register) => {
    const rtmrs = RTMRS.map((value, place) => (place === register ? new Uint8Array(48).fill(1) : value))
    const more = { rtmrs: rtmrs as unknown as typeof RTMRS }
    expect(outcomes(judge(EVENTS, { ...more, replayedRtmrs: [register] }))).toEqual(MISMATCH)
    expect(outcomes(judge(EVENTS, { ...more, replayedRtmrs: ([0, 1, 2, 3] as const).filter((other) => other !== register) }))).toEqual(GOOD)
  })

  it('proves nothing where nothing must replay and nothing does', () => {
    const judgement = judge([{ index: 1, type: 4, data: text('x') }], { replayedRtmrs: [] })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(actual(judgement, 'TDX-84')).toBe('no register; not asked and not trusted: RTMR0, RTMR1, RTMR2, RTMR3')
    expect(judgement.claims).toBeNull()
  })

  it('proves nothing where nothing was measured', () => {
    const judgement = judge([], { rtmrs: rtmrsOf([]) })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toBeNull()
  })
})

describe('events that extend nothing', () => {
  const image = { ...PULLED, data: aaelBytes('github.com/confidential-containers PullImage {"image":"b","digest":"sha256:00"}') }
  const secureBoot = { index: 1, type: 0x80000001, data: variableBytes(GLOBAL_VARIABLE, 'SecureBoot', Uint8Array.of(0)) }

  it.each<[string, Logged]>([
    ['index 0', { ...secureBoot, index: 0 }],
    ['index 0 with a digest of other data', { ...secureBoot, index: 0, digests: [[0x000c, new Uint8Array(48)]] }],
    ['EV_NO_ACTION', { ...image, type: 3 }],
    ['EV_NO_ACTION with a digest of other data', { ...image, type: 3, digests: [[0x000c, new Uint8Array(48)]] }],
  ])('change nothing and are not told: %s', (_, inserted) => {
    const judgement = judge([inserted, ...EVENTS, inserted])
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toEqual({ source: 'ccel', events: 9, replayed: [0, 1, 2, 3], facts: FACTS, dstack: null })
  })
})

const bootVariable = (name: string): Logged => ({
  index: 1,
  type: 0x80000002,
  data: variableBytes(GLOBAL_VARIABLE, name, Uint8Array.of(0)),
  digests: [[0x000c, sha384(Uint8Array.of(0))]],
})

describe('data that are not what was measured', () => {
  it('are refused where they determine the digest', () => {
    const log = EVENTS.with(5, { ...kernel('/vmlinuz ro'), data: text('kernel_cmdline: /vmlinuz rw\0') })
    const judgement = judge(log)
    expect(outcomes(judgement)).toEqual(refused('TDX-85', 'tdx-event-digest-mismatch'))
    expect(actual(judgement, 'TDX-85')).toBe('ccel event 5 (type 0xd, RTMR2) has another digest than its data')
    expect(judgement.claims).toBeNull()
  })

  it('are refused in registers that need not replay too', () => {
    const log = [...BOOT, { ...PULLED, digests: [[0x000c, sha384(text('x'))] as const] }]
    expect(outcomes(judge(log, { replayedRtmrs: [0, 1, 2] }))).toEqual(refused('TDX-85', 'tdx-event-digest-mismatch'))
  })

  it('are let be, and not told, where they do not', () => {
    const log = EVENTS.with(0, { index: 1, type: 0x8000000b, data: text('changed'), digests: BOOT[0]?.digests ?? [] })
    expect(judge(log).claims?.facts).toEqual(FACTS)
  })

  it('are not told under a name that is not measured', () => {
    const log = [...EVENTS.slice(0, 2), bootVariable('SecureBoot'), ...EVENTS.slice(2)]
    const judgement = judge(log, { rtmrs: rtmrsOf([...EVENTS.slice(0, 2), bootVariable('Boot0000'), ...EVENTS.slice(2)]) })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims?.facts).toEqual(FACTS)
  })
})
