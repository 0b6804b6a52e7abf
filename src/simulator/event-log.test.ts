import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { judgeEventLogs } from '../verifiers/tdx/event-logs.ts'
import { bootLog, ccel, CCEL, type Boot } from './ccel.ts'
import { dstackLog, DSTACK_SYSTEM } from './dstack-log.ts'
import { extended, sha384, type FakeLog } from './event-log.ts'

const judged = (logs: { eventLog?: FakeLog; runtimeLog?: FakeLog }, replayedRtmrs: readonly (0 | 1 | 2 | 3)[] = [0, 1, 2, 3]) =>
  judgeEventLogs({
    eventLog: logs.eventLog?.bytes,
    runtimeLog: logs.runtimeLog?.bytes,
    rtmrs: (logs.eventLog ?? logs.runtimeLog)?.rtmrs ?? extended([]),
    replayedRtmrs,
  })
const outcomes = (judgement: ReturnType<typeof judged>) => judgement.checks.map(({ outcome }) => outcome)

describe('registers', () => {
  it('are extended by SHA-384 from zero, each by its own events', () => {
    const [one, two] = [sha384(Uint8Array.of(1)), sha384(Uint8Array.of(2))]
    const rtmrs = extended([
      { register: 2, digest: one },
      { register: 0, digest: two },
      { register: 2, digest: two },
    ])
    const first = createHash('sha384').update(new Uint8Array(48)).update(one).digest()
    expect(Buffer.from(rtmrs[2])).toEqual(createHash('sha384').update(first).update(two).digest())
    expect(rtmrs[1]).toEqual(new Uint8Array(48))
  })
})

describe('a CCEL of the simulator', () => {
  const images = [{ image: 'registry.example/app:1', digest: `sha256:${'ab'.repeat(32)}` }]

  it.each(['ones', 'zeros', 'none'] as const)('replays and proves its facts, filled with %s', (fill) => {
    const applications = [sha384(Uint8Array.of(7))]
    const judgement = judged({ eventLog: bootLog({ fill, images, applications, commandLine: 'quiet' }) })
    expect(outcomes(judgement)).toEqual(['pass', 'pass', 'pass', 'skip'])
    expect(judgement.claims?.facts).toEqual({
      secure_boot: true,
      boot_applications: [Buffer.from(applications[0] ?? []).toString('hex')],
      kernel_cmdline: 'quiet',
      container_images: [`sha256:${'ab'.repeat(32)}`],
    })
  })

  it('tells Secure Boot that is off', () => {
    expect(judged({ eventLog: bootLog({ secureBoot: 'off', images }) }).claims?.facts.secure_boot).toBe(false)
  })

  it.each<[string, Boot]>([
    ['an event of index 0', { more: [CCEL.separator(0)] }],
    ['an event that extends nothing', { more: [CCEL.noAction(4, 'x')] }],
  ])('leads to the same registers with %s', (_, boot) => {
    expect(bootLog(boot).rtmrs).toEqual(bootLog().rtmrs)
    expect(bootLog(boot).bytes.length).toBeGreaterThan(bootLog().bytes.length)
  })

  it('departs when one event is left out', () => {
    const { rtmrs } = bootLog()
    const { bytes } = ccel([CCEL.separator(1)])
    expect(outcomes(judged({ eventLog: { bytes, rtmrs } }))[1]).toBe('fail')
  })
})

describe('a runtime log of the simulator', () => {
  it.each([{}, { version: 2 }, { stripped: true }] as const)('replays and keeps dstack’s rules %j', (options) => {
    const judgement = judged({ runtimeLog: dstackLog(options) })
    expect(outcomes(judgement)).toEqual(['pass', 'pass', 'pass', 'pass'])
    expect(judgement.claims?.dstack).toMatchObject({ app_id: 'a1'.repeat(20), compose_hash: 'c0'.repeat(32), app_events: [] })
  })

  it('can break any of them', () => {
    const twice = dstackLog({ events: [...DSTACK_SYSTEM, { name: 'compose-hash', payload: '' }] })
    expect(outcomes(judged({ runtimeLog: twice }))).toEqual(['pass', 'pass', 'pass', 'fail'])
    const dropped = dstackLog({ change: (log) => log.slice(0, -1) })
    expect(outcomes(judged({ runtimeLog: dropped }))[1]).toBe('fail')
  })
})
