import { describe, expect, it } from 'vitest'
import { logBytes, rtmrsOf, sha384, text, type Logged } from '../../../test/event-log-bytes.ts'
import { judgeEventLogs, type EventLogInput, type EventLogJudgement } from './event-logs.ts'

/** RTMR0 and RTMR1, by firmware. */
const BOOT: readonly Logged[] = [
  { index: 1, type: 4, data: new Uint8Array(4) },
  { index: 2, type: 0x80000003, data: text('device path'), digests: [[0x000c, sha384(text('image'))]] },
]
const NAMES = ['system-preparing', 'app-id', 'compose-hash', 'instance-id', 'boot-mr-done', 'system-ready']

type Json = {
  readonly imr: number
  readonly event_type: number
  readonly digest: string
  readonly event: string
  readonly event_payload: string
}
const runtime = (name: string, payload = '00ff'): Json => ({
  imr: 3,
  event_type: 0x08000001,
  digest: '',
  event: name,
  event_payload: payload,
})
const booted = ({ index, type, data, digests }: Logged): Json => ({
  imr: index - 1,
  event_type: type,
  digest: Buffer.from(digests?.[0]?.[1] ?? sha384(data)).toString('hex'),
  event: '',
  event_payload: Buffer.from(data).toString('hex'),
})
/** The same event as a record that extends RTMR3. */
const extending = ({ event, event_payload: payload }: Json): Logged => {
  const preimage = Buffer.concat([Buffer.from('01000008', 'hex'), text(`:${event}:`), Buffer.from(payload, 'hex')])
  return { index: 4, type: 0x08000001, data: preimage }
}
const RUNTIME = NAMES.map((name) => runtime(name))
const RTMRS = rtmrsOf([...BOOT, ...RUNTIME.map(extending)])

const json = (log: readonly Json[]): Uint8Array => text(JSON.stringify(log))
const judge = (input: Partial<EventLogInput>): EventLogJudgement =>
  judgeEventLogs({ eventLog: undefined, runtimeLog: undefined, rtmrs: RTMRS, replayedRtmrs: [0, 1, 2, 3], ...input })
const outcomes = ({ checks }: EventLogJudgement): readonly string[] =>
  checks.map((check) => `${check.id} ${check.outcome === 'fail' ? check.code : check.outcome}`)

const GOOD = ['TDX-83 pass', 'TDX-84 pass', 'TDX-85 pass', 'TDX-86 pass']
const DSTACK = { app_id: '00ff', compose_hash: '00ff', instance_id: '00ff', key_provider: null, os_image_hash: null, app_events: [] }
const FACTS = {
  secure_boot: null,
  boot_applications: [sha384(text('image')).toString('hex')],
  kernel_cmdline: null,
  container_images: [],
}

describe('a runtime log', () => {
  const whole = [...BOOT.map(booted), ...RUNTIME]

  it('proves what it leads to', () => {
    const judgement = judge({ runtimeLog: json(whole) })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toEqual({ source: 'dstack', events: 8, replayed: [0, 1, 2, 3], facts: FACTS, dstack: DSTACK })
  })

  it('is refused with an event at the end that repeats one of the system, though RTMR3 holds it', () => {
    const second = runtime('compose-hash', 'abcd')
    const rtmrs = rtmrsOf([...BOOT, ...[...RUNTIME, second].map(extending)])
    const judgement = judge({ runtimeLog: json([...whole, second]), rtmrs })
    expect(outcomes(judgement)).toEqual([...GOOD.slice(0, 3), 'TDX-86 tdx-dstack-event-log-invalid'])
    expect(judgement.checks.at(-1)?.actual).toBe('event 8 is a second compose-hash')
    expect(judgement.claims).toBeNull()
  })

  it('is refused with two readings of one digest', () => {
    const [honest, other] = [
      runtime('note', Buffer.from(':compose-hash:').toString('hex')),
      runtime('note:', Buffer.from('compose-hash:').toString('hex')),
    ]
    const rtmrs = rtmrsOf([...BOOT, ...[...RUNTIME, honest].map(extending)])
    expect(outcomes(judge({ runtimeLog: json([...whole, honest]), rtmrs }))).toEqual(GOOD)
    const judgement = judge({ runtimeLog: json([...whole, other]), rtmrs })
    expect(outcomes(judgement)).toEqual([...GOOD.slice(0, 3), 'TDX-86 tdx-dstack-event-log-invalid'])
  })

  it('is refused with another payload, another boot digest, or no JSON', () => {
    const changed = whole.with(4, runtime('compose-hash', 'abcd'))
    expect(outcomes(judge({ runtimeLog: json(changed) }))).toEqual(GOOD.with(1, 'TDX-84 tdx-event-log-replay-mismatch'))
    const lying = whole.with(0, { ...whole[0], event_payload: '00000001' } as Json)
    expect(outcomes(judge({ runtimeLog: json(lying) }))).toEqual(GOOD.with(2, 'TDX-85 tdx-event-digest-mismatch'))
    expect(outcomes(judge({ runtimeLog: text('{') }))).toEqual([
      'TDX-83 tdx-event-log-malformed',
      'TDX-84 skip',
      'TDX-85 skip',
      'TDX-86 skip',
    ])
  })

  it('may leave out the data of boot events', () => {
    const stripped = whole.map((event) => (event.imr === 3 ? event : { ...event, event_payload: '' }))
    expect(judge({ runtimeLog: json(stripped) }).claims?.facts).toEqual(FACTS)
  })

  it('may tell of firmware alone', () => {
    const judgement = judge({ runtimeLog: json(BOOT.map(booted)), rtmrs: rtmrsOf(BOOT) })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toMatchObject({ events: 2, replayed: [0, 1, 2, 3], dstack: null })
  })

  it('tells nothing where RTMR3 does not replay', () => {
    const judgement = judge({ runtimeLog: json(whole.with(4, runtime('compose-hash', 'abcd'))), replayedRtmrs: [0, 1, 2] })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toMatchObject({ replayed: [0, 1, 2], facts: { container_images: null }, dstack: null })
  })
})

describe('a runtime log beside a CCEL', () => {
  const ccel = logBytes(BOOT)

  it('may tell of RTMR3 alone', () => {
    const judgement = judge({ eventLog: ccel, runtimeLog: json(RUNTIME) })
    expect(outcomes(judgement)).toEqual(GOOD)
    expect(judgement.claims).toEqual({ source: 'ccel+dstack', events: 8, replayed: [0, 1, 2, 3], facts: FACTS, dstack: DSTACK })
  })

  it('is the only source beside a log without events', () => {
    const beside = judge({ eventLog: logBytes([]), runtimeLog: json([...BOOT.map(booted), ...RUNTIME]) })
    expect([outcomes(beside), beside.claims?.source]).toEqual([GOOD, 'dstack'])
    const alone = judge({ eventLog: ccel, runtimeLog: json([]), rtmrs: rtmrsOf(BOOT) })
    expect([outcomes(alone), alone.claims?.source]).toEqual([GOOD, 'ccel'])
    const untold = judge({ eventLog: ccel, runtimeLog: json([...RUNTIME, runtime('mine')]), replayedRtmrs: [0, 1, 2] })
    expect([outcomes(untold), untold.claims?.source]).toEqual([GOOD, 'ccel'])
  })

  it('may tell all again', () => {
    expect(outcomes(judge({ eventLog: ccel, runtimeLog: json([...BOOT.map(booted), ...RUNTIME]) }))).toEqual(GOOD)
    const both = logBytes([...BOOT, ...RUNTIME.map(extending)])
    const judgement = judge({ eventLog: both, runtimeLog: json(RUNTIME) })
    expect(outcomes(judgement)).toEqual(GOOD)
    // The CCEL comes first, and does not say what dstack's events are.
    expect(judgement.claims).toMatchObject({ facts: { container_images: null }, dstack: DSTACK })
  })

  it('may not tell anything else of a register', () => {
    const other = booted({ index: 1, type: 4, data: Uint8Array.of(255, 255, 255, 255) })
    const judgement = judge({ eventLog: ccel, runtimeLog: json([other, ...RUNTIME]) })
    expect(outcomes(judgement)).toEqual(GOOD.with(1, 'TDX-84 tdx-event-log-replay-mismatch'))
    expect(judgement.checks[1]?.actual).toMatch(/^RTMR0 .* of the dstack log /)
    const lenient = judge({ eventLog: ccel, runtimeLog: json([other, ...RUNTIME]), replayedRtmrs: [1, 2, 3] })
    expect(lenient.claims).toMatchObject({ replayed: [1, 2, 3] })
  })

  it('is refused with it where either cannot be read', () => {
    expect(outcomes(judge({ eventLog: ccel.subarray(1), runtimeLog: json(RUNTIME) }))[0]).toBe('TDX-83 tdx-event-log-malformed')
    expect(outcomes(judge({ eventLog: ccel, runtimeLog: text('') }))[0]).toBe('TDX-83 tdx-event-log-malformed')
  })
})
