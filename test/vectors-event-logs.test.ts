import { describe, expect, it } from 'vitest'
import type { EventLogClaims } from '../src/verifiers/event-log/claims.ts'
import { parseTcg2 } from '../src/verifiers/event-log/tcg2.ts'
import { judgeEventLogs, type EventLogInput, type EventLogJudgement } from '../src/verifiers/tdx/event-logs.ts'
import { recordBytes, sha384, text, type Logged } from './event-log-bytes.ts'
import { vectorBytes, vectorJson, vectorsPresent } from './vectors.ts'

type Replayed = { readonly [register: string]: string }
type LogVector = { readonly file: string; readonly events: number; readonly endOffset: number; readonly replayedSha384: Replayed }

const logs = vectorsPresent() ? (vectorJson('tdx/MANIFEST.json') as { ccelOnly: readonly LogVector[] }).ccelOnly : []
/** The SHA-384 logs; the other is of a technology with SM3. */
const tdxLogs = logs.filter(({ replayedSha384 }) => Object.keys(replayedSha384).length > 0)

type Rtmrs = EventLogInput['rtmrs']
const ZERO = '00'.repeat(48)
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const rtmrsOf = (values: Replayed): Rtmrs => [0, 1, 2, 3].map((place) => bytes(values[`RTMR${place}`] ?? ZERO)) as never
/** RTMR0 to 3 of a quote v4 (specification tdx.md sections 1.2 and 1.5). */
const quoted = (name: string): Rtmrs =>
  [0, 1, 2, 3].map((place) => vectorBytes(`tdx/${name}/quote.bin`).slice(376 + 48 * place, 424 + 48 * place)) as never

const judge = (rtmrs: Rtmrs, input: Partial<EventLogInput>): EventLogJudgement =>
  judgeEventLogs({ eventLog: undefined, runtimeLog: undefined, replayedRtmrs: [0, 1, 2, 3], rtmrs, ...input })
const codes = ({ checks }: EventLogJudgement): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))

const COS = 'v4-gcp-cos113-ccel'
const cos = () => ({ rtmrs: quoted(COS), log: vectorBytes(`tdx/${COS}/ccel.bin`) })
const RULES = { code: 'tdx-event-log-malformed', bytes: 4 * 1024 * 1024, events: 4096, maxIndex: 4 } as const
/** The records of a log, to be put together again. */
const recordsOf = (log: Uint8Array): readonly Logged[] =>
  parseTcg2(log, RULES).events.map(({ index, type, digests, data }) => ({ index, type, data, digests: [...digests] }))
const at = (records: readonly Logged[], place: number): Logged => records[place] as Logged
const HEADER_BYTES = 65
const rebuilt = (log: Uint8Array, records: readonly Logged[]): Uint8Array =>
  new Uint8Array(Buffer.concat([log.subarray(0, HEADER_BYTES), ...records.map(recordBytes)]))

describe.skipIf(logs.length === 0)('CCEL logs without a quote', () => {
  it('are all there', () => {
    expect([logs.length, tdxLogs.length]).toEqual([8, 7])
  })

  it.each(logs)('$file is read to its end', ({ file, events }) => {
    expect(parseTcg2(vectorBytes(`tdx/${file}`), RULES).events).toHaveLength(events)
  })

  it.each(tdxLogs)('$file leads to the registers that are given', ({ file, replayedSha384 }) => {
    const judgement = judge(rtmrsOf(replayedSha384), { eventLog: vectorBytes(`tdx/${file}`) })
    expect(codes(judgement)).toEqual([])
    expect(judgement.claims?.replayed).toEqual([0, 1, 2, 3])
  })

  it.each(tdxLogs)('$file leads to no other value of any register', ({ file, replayedSha384 }) => {
    const eventLog = vectorBytes(`tdx/${file}`)
    for (const register of [0, 1, 2, 3]) {
      const name = `RTMR${register}`
      const changed = (replayedSha384[name] ?? ZERO).replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
      const judgement = judge(rtmrsOf({ ...replayedSha384, [name]: changed }), { eventLog })
      expect(codes(judgement)).toEqual(['TDX-84 tdx-event-log-replay-mismatch'])
    }
  })

  it('of another technology hold no digest that extends an RTMR', () => {
    const judgement = judge(rtmrsOf({}), { eventLog: vectorBytes('tdx/ccel-only/CCEL_data_csv.bin') })
    expect(codes(judgement)).toEqual(['TDX-83 tdx-event-log-malformed'])
  })

  it.each([
    ['CCEL_data_grub.bin', true, 5],
    ['CCEL_data_gcp.bin', false, 2],
    ['CCEL_data_grub_gke.bin', false, 2],
    ['CCEL_AAEL_alibabacloud.bin', false, 2],
    ['CCEL_data_ovmf.bin', false, 1],
    // td-shim measures no such variable; its kernel and command line are what was booted.
    ['CCEL_data.bin', null, 2],
  ])('%s: secure boot %s, %i applications', (name, secureBoot, applications) => {
    const vector = tdxLogs.find(({ file }) => file === `ccel-only/${name}`)
    const { claims } = judge(rtmrsOf(vector?.replayedSha384 ?? {}), { eventLog: vectorBytes(`tdx/ccel-only/${name}`) })
    expect([claims?.facts.secure_boot, claims?.facts.boot_applications?.length]).toEqual([secureBoot, applications])
  })

  it('tell of no images where an attestation agent measured none', () => {
    const vector = tdxLogs.find(({ file }) => file.includes('AAEL'))
    const { claims } = judge(rtmrsOf(vector?.replayedSha384 ?? {}), { eventLog: vectorBytes(`tdx/${vector?.file}`) })
    expect(claims?.facts.container_images).toEqual([])
  })
})

describe.skipIf(logs.length === 0)('logs that came with a quote', () => {
  it('of Google lead to all registers', () => {
    const { rtmrs, log } = cos()
    const judgement = judge(rtmrs, { eventLog: log })
    expect(codes(judgement)).toEqual([])
    expect(judgement.claims).toMatchObject({ source: 'ccel', events: 43, replayed: [0, 1, 2, 3], dstack: null })
    expect(judgement.claims?.facts).toMatchObject({ secure_boot: false, container_images: null })
    expect(judgement.claims?.facts.boot_applications?.map((digest) => digest.slice(0, 8))).toEqual(['5a10026c', 'b1fb7f4c'])
    expect(judgement.claims?.facts.kernel_cmdline).toMatch(/^\/syslinux\/vmlinuz\.A init=\/usr\/lib\/systemd\/systemd .* \w{64}"$/)
  })

  it('lead to all but RTMR2 where IMA extended it', () => {
    const name = 'v4-untrusted-root-cctrusted'
    const eventLog = vectorBytes(`tdx/${name}/ccel.bin`)
    expect(codes(judge(quoted(name), { eventLog }))).toEqual(['TDX-84 tdx-event-log-replay-mismatch'])
    const judgement = judge(quoted(name), { eventLog, replayedRtmrs: [0, 1, 3] })
    expect(codes(judgement)).toEqual([])
    expect(judgement.claims).toMatchObject({ replayed: [0, 1, 3], facts: { kernel_cmdline: null } })
  })

  it.each([
    ['v4-dstack-report-eventlog', { events: 28, image: null, names: ['LIUM_MINER_HOTKEY'] }],
    ['v4-dstack-lite-nocollateral', { events: 29, image: '07a2388c7a6a1b6a646d443f1517990a4ec294471d63146cda9d56972765051d', names: [] }],
  ])('of dstack lead to all registers: %s', (name, { events, image, names }) => {
    const judgement = judge(quoted(name), { runtimeLog: vectorBytes(`tdx/${name}/event_log.json`) })
    expect(codes(judgement)).toEqual([])
    const claims = judgement.claims as EventLogClaims
    expect(claims).toMatchObject({ source: 'dstack', events, replayed: [0, 1, 2, 3], facts: { secure_boot: false, container_images: [] } })
    expect(claims.facts.boot_applications).toHaveLength(1)
    expect(claims.dstack?.os_image_hash).toBe(image)
    expect(claims.dstack?.compose_hash?.startsWith(claims.dstack.app_id ?? '-')).toBe(true)
    expect(claims.dstack?.app_events.map((event) => event.name)).toEqual(names)
  })
})

// Rows 77 to 80 and 87 to 89 of specification tdx.md section 11; rows 80 and 89 need a recomputed RTMR3: src/verifiers/tdx/runtime-logs.test.ts.
describe.skipIf(logs.length === 0)('a changed log', () => {
  const DROPPABLE = [0, 2, 14, 17, 18, 40, 42]

  it.each(DROPPABLE)('without event %i leads elsewhere', (place) => {
    const { rtmrs, log } = cos()
    const records = recordsOf(log).filter((_, other) => other !== place)
    expect(codes(judge(rtmrs, { eventLog: rebuilt(log, records) }))).toEqual(['TDX-84 tdx-event-log-replay-mismatch'])
  })

  it('with two events of one register in the other order leads elsewhere', () => {
    const { rtmrs, log } = cos()
    const records = recordsOf(log)
    const swapped = records.with(41, at(records, 42)).with(42, at(records, 41))
    expect(codes(judge(rtmrs, { eventLog: rebuilt(log, swapped) }))).toEqual(['TDX-84 tdx-event-log-replay-mismatch'])
  })

  it('with other data and the same digest lies, and tells nothing', () => {
    const { rtmrs, log } = cos()
    const records = recordsOf(log)
    const changed = records.with(40, { ...at(records, 40), data: text('kernel_cmdline: init=/bin/sh\0') })
    const judgement = judge(rtmrs, { eventLog: rebuilt(log, changed) })
    expect([codes(judgement), judgement.claims]).toEqual([['TDX-85 tdx-event-digest-mismatch'], null])
  })

  it('with four billion digests is refused', () => {
    const { rtmrs, log } = cos()
    log.set([255, 255, 255, 255], HEADER_BYTES + 8)
    expect(codes(judge(rtmrs, { eventLog: log }))).toEqual(['TDX-83 tdx-event-log-malformed'])
  })

  it.each([
    ['index 0', { index: 0, type: 0xd }],
    ['EV_NO_ACTION', { index: 3, type: 3 }],
  ])('with an event of %s tells what it told before', (_, event) => {
    const { rtmrs, log } = cos()
    const told = judge(rtmrs, { eventLog: log }).claims
    const inserted = { ...event, data: text('kernel_cmdline: init=/bin/sh\0'), digests: [[0x000c, sha384(text('init=/bin/sh'))]] } as const
    const { claims } = judge(rtmrs, { eventLog: rebuilt(log, [inserted, ...recordsOf(log), inserted]) })
    expect(claims).toEqual({ ...told, events: 45 })
  })

  it('with another name of a boot variable tells what it told before', () => {
    const { rtmrs, log } = cos()
    const told = judge(rtmrs, { eventLog: log }).claims
    const records = recordsOf(log)
    const variable = at(records, 12)
    expect([variable.type, Buffer.from(variable.data.subarray(32, 48)).toString('utf16le')]).toEqual([0x80000002, 'Boot0001'])
    const renamed = variable.data.with(0, 0).with(32, 0x43)
    expect(judge(rtmrs, { eventLog: rebuilt(log, records.with(12, { ...variable, data: renamed })) }).claims).toEqual(told)
  })

  it('that ends early leads elsewhere, whole records or not', () => {
    const vector = tdxLogs.find(({ file }) => file.endsWith('ovmf.bin'))
    const [log, rtmrs] = [vectorBytes(`tdx/${vector?.file}`), rtmrsOf(vector?.replayedSha384 ?? {})]
    const end = vector?.endOffset ?? 0
    const accepted = Array.from(log, (_, length) => length).filter(
      (length) => codes(judge(rtmrs, { eventLog: log.subarray(0, length) })).length === 0,
    )
    // Behind the last record, without padding or with the four bytes at least that end a log.
    expect(accepted).toEqual([end, ...Array.from({ length: 12 }, (_, more) => end + 4 + more)])
  })

  it('with one bit changed is refused, or tells what it told before', () => {
    const vector = tdxLogs.find(({ file }) => file.endsWith('ovmf.bin'))
    const [log, rtmrs] = [vectorBytes(`tdx/${vector?.file}`), rtmrsOf(vector?.replayedSha384 ?? {})]
    const told = judge(rtmrs, { eventLog: log }).claims
    const verdicts = Array.from(log, (byte, place) => {
      const judgement = judge(rtmrs, { eventLog: log.with(place, byte ^ (1 << (place % 8))) })
      if (codes(judgement).length > 0) return 'refused'
      return JSON.stringify(judgement.claims) === JSON.stringify(told) ? 'as before' : `byte ${place}: ${JSON.stringify(judgement.claims)}`
    })
    expect(verdicts.filter((verdict) => verdict !== 'refused' && verdict !== 'as before')).toEqual([])
    expect(verdicts.filter((verdict) => verdict === 'refused').length).toBeGreaterThan(log.length / 2)
  })
})
