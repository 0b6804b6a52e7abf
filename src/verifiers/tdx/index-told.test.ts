import { describe, expect, it } from 'vitest'
import { contextAt, freshMemo } from '../../../test/snp-in-process.ts'
import { logBytes, rtmrsOf, sha384, text, type Logged } from '../../../test/event-log-bytes.ts'
import { fakeIntel, intelCollateral } from '../../simulator/intel.ts'
import { fakeTdxHost, type QuoteChanges } from '../../simulator/intel-hosts.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { anchorsOf } from '../anchors.ts'
import { verify } from '../registry.ts'
import type { Check, Context, TdxEvidence } from '../verifier.ts'
import { judgeEventLogs, type EventLogInput } from './event-logs.ts'

const now = new Date('2026-11-24T12:00:00Z')
const intel = fakeIntel({ now })
const host = fakeTdxHost(intel)
const data = new Uint8Array(64).fill(7)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const collateral = { documents: intelCollateral(intel, { tee: 'tdx', ca: 'platform' }), missing: new Map(), marks: new Map() }

/** `id outcome actual` of every check. */
const told = (checks: readonly Check[]): readonly string[] => checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

async function checksOf(changes: QuoteChanges, context: Partial<Context> = {}): Promise<readonly Check[]> {
  const evidence: TdxEvidence = { type: 'tdx', quote: host.quote(data, changes), certificates: [] }
  const unverified = await verify(evidence, anchorsOf([], intel.anchors()), { mode: 'test', memo: freshMemo() })
  return (await unverified.verify(collateral, contextAt(now, context))).checks
}
/** What is told of the proof of a quote, and how the quoting enclave and its key answer for each other. */
const PROOF = ['TDX-46', 'TDX-44', 'TDX-45', 'TDX-52']
const proofOf = async (changes: QuoteChanges): Promise<readonly string[]> =>
  told(await checksOf(changes)).filter((line) => PROOF.includes(line.slice(0, 6)))

const KEY = `TDX-46 pass ${hex(host.qe.point)}`
const SIGNED = 'TDX-44 pass verified with the key of the PCK certificate'
const REPORT_DATA = hex(host.qe.report.slice(320))

describe('the proof of a quote says what was found', () => {
  it('where it holds', async () => {
    expect(await proofOf({})).toEqual([KEY, SIGNED, `TDX-45 pass ${REPORT_DATA}`, 'TDX-52 pass verified'])
  })

  it('where the attestation key is no point of the curve', async () => {
    expect(await proofOf({ attestationKey: new Uint8Array(64) })).toEqual([
      `TDX-46 fail ${'00'.repeat(64)}`,
      'TDX-44 skip not reached',
      'TDX-45 skip not reached',
      'TDX-52 skip not reached',
    ])
  })

  it('where another key than the PCK signed for the quoting enclave', async () => {
    expect(await proofOf({ qeReportSignature: new Uint8Array(64).fill(1) })).toEqual([
      KEY,
      'TDX-44 fail does not verify with the key of the PCK certificate',
      'TDX-45 skip not reached',
      'TDX-52 skip not reached',
    ])
  })

  it('where the quoting enclave does not vouch for the key', async () => {
    const { publicKey } = p256Keys()
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-64)
    expect(await proofOf({ attestationKey: new Uint8Array(point) })).toEqual([
      `TDX-46 pass ${hex(point)}`,
      SIGNED,
      `TDX-45 fail ${REPORT_DATA}`,
      'TDX-52 skip not reached',
    ])
  })

  it('where the quote was changed', async () => {
    const lines = await proofOf({ tamper: [[184, Uint8Array.of(0xff)]] })
    expect(lines).toEqual([KEY, SIGNED, `TDX-45 pass ${REPORT_DATA}`, 'TDX-52 fail does not verify'])
  })

  it('of a chain that proves nothing: none of it was reached', async () => {
    const evidence: TdxEvidence = { type: 'tdx', quote: host.quote(data), certificates: [] }
    const unverified = await verify(evidence, anchorsOf([], []), { mode: 'test', memo: freshMemo() })
    const lines = told((await unverified.verify(collateral, contextAt(now))).checks)
    expect(lines.slice(-4)).toEqual(PROOF.map((id) => `${id} skip not reached`))
  })
})

const bindingOf = async (reportData: Uint8Array | undefined) => (await checksOf({}, { reportData })).find(({ id }) => id === 'TDX-79')

describe('the binding of REPORTDATA says what was found', () => {
  it('where it is what the request binds, where not, and where nobody asks', async () => {
    const [right, wrong, none] = await Promise.all([data, data.with(63, 8), undefined].map(bindingOf))
    expect(right).toMatchObject({ outcome: 'pass', actual: hex(data), expected: hex(data) })
    expect(wrong).toMatchObject({ outcome: 'fail', actual: hex(data), expected: hex(data.with(63, 8)) })
    expect(none).toMatchObject({ outcome: 'skip', actual: 'not asked' })
  })
})

describe('the dates of a PCK chain say what was looked at', () => {
  it('and which chain it is', async () => {
    const dates = (await checksOf({})).find(({ id }) => id === 'TDX-30')
    expect(dates?.title).toBe('Every certificate is valid now: PCK chain')
    expect(dates?.actual).toMatch(
      /^Intel SGX Root CA from .*; Intel SGX PCK Platform CA from .*; Intel SGX PCK Certificate from .*; now 2026-11-24T12:00:00.000Z$/,
    )
  })

  it('and which certificate has ended', async () => {
    const late = await checksOf({}, { now: new Date('2100-01-01T00:00:00Z') })
    const ended = told(late).filter((line) => line.startsWith('TDX-30 fail '))
    expect(ended.map((line) => /^TDX-30 fail (.*) from .* to .*, now 2100-01-01T00:00:00.000Z$/.exec(line)?.[1])).toEqual([
      'Intel SGX Root CA',
      'Intel SGX PCK Platform CA',
      'Intel SGX PCK Certificate',
    ])
  })
})

const EVENT: Logged = { index: 1, type: 5, data: text('a') }
const runtime = (event: object): Uint8Array =>
  new Uint8Array(Buffer.from(JSON.stringify([{ imr: 3, event_type: 0x08000001, digest: '', event: 'mine', event_payload: '', ...event }])))
const logsTold = (input: Partial<EventLogInput>): readonly string[] =>
  told(judgeEventLogs({ eventLog: undefined, runtimeLog: undefined, rtmrs: rtmrsOf([EVENT]), replayedRtmrs: [0], ...input }).checks)

describe('event logs say what was looked at', () => {
  it('where none was sent', () => {
    expect(logsTold({})).toEqual([83, 84, 85, 86].map((number) => `TDX-${number} skip no log was sent`))
  })

  it('where one cannot be read', () => {
    expect(logsTold({ eventLog: logBytes([], Buffer.alloc(0)).subarray(0, 3) })).toEqual([
      'TDX-83 fail event_log.header.pcrIndex @0: needs 4 bytes, 3 left',
      ...[84, 85, 86].map((number) => `TDX-${number} skip the log cannot be read`),
    ])
  })

  it('where both replay', () => {
    const digest = sha384(Buffer.concat([Buffer.from('01000008', 'hex'), text(':mine:')]))
    const last = new Uint8Array(sha384(new Uint8Array(48), digest))
    const [first, second, third] = rtmrsOf([EVENT])
    const rtmrs = [first, second, third, last] as const
    expect(logsTold({ eventLog: logBytes([EVENT]), runtimeLog: runtime({}), rtmrs, replayedRtmrs: [0, 1, 2, 3] })).toEqual([
      'TDX-83 pass ccel: 1 events, dstack: 1 events',
      'TDX-84 pass RTMR0, RTMR1, RTMR2, RTMR3',
      'TDX-85 pass every digest of such an event is',
      'TDX-86 pass 1 events keep them',
    ])
  })

  it('where no runtime log was sent', () => {
    expect(logsTold({ eventLog: logBytes([EVENT]) }).at(-1)).toBe('TDX-86 skip no runtime log was sent')
  })

  it('where a runtime log breaks its rules', () => {
    expect(logsTold({ runtimeLog: runtime({ event: 'key-provider' }) }).at(-1)).toBe(
      'TDX-86 fail event 0 is key-provider before boot-mr-done',
    )
  })
})
