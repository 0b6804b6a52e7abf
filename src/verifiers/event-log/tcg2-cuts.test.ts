import { describe, expect, it } from 'vitest'
import { headerBytes, logBytes, text, u32, type Logged } from '../../../test/event-log-bytes.ts'
import { AttestationError } from '../problems.ts'
import { parseTcg2, type LogRules } from './tcg2.ts'

const RULES: LogRules = { code: 'tdx-event-log-malformed', bytes: 2 * 1024 * 1024, events: 5, maxIndex: 4 }
const EVENT: Logged = { index: 4, type: 4, data: new Uint8Array(4) }

/** Where the log is at fault, and why; its events where it is not. */
function outcome(bytes: Uint8Array, rules = RULES): string {
  try {
    return parseTcg2(bytes, rules)
      .events.map(({ index, data }) => `${index}: ${data.length} bytes`)
      .join(', ')
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.at} ${error.message}`
  }
}
const cut = (bytes: Uint8Array, length: number): Uint8Array => new Uint8Array(bytes.subarray(0, length))
const fault = (at: string, why: string): string => `${at} ${at} ${why}`

describe('a TCG2 log that ends too early names the field', () => {
  it.each([
    [3, 'header.pcrIndex', '@0: needs 4 bytes, 3 left'],
    [7, 'header.eventType', '@4: needs 4 bytes, 3 left'],
    [27, 'header.digest', '@8: needs 20 bytes, 19 left'],
    [31, 'header.eventSize', '@28: needs 4 bytes, 3 left'],
    [64, 'header.event', '@32: needs 33 bytes, 32 left'],
    [68, 'event 0.index', '@65: needs 4 bytes, 3 left'],
    [72, 'event 0.type', '@69: needs 4 bytes, 3 left'],
    [76, 'event 0.digestCount', '@73: needs 4 bytes, 3 left'],
    [78, 'event 0.algId', '@77: needs 2 bytes, 1 left'],
    [126, 'event 0.digest', '@79: needs 48 bytes, 47 left'],
    [130, 'event 0.eventSize', '@127: needs 4 bytes, 3 left'],
    [134, 'event 0.event', '@131: needs 4 bytes, 3 left'],
  ])('behind %i bytes: %s', (length, field, why) => {
    const whole = logBytes([EVENT], Buffer.alloc(0))
    expect(outcome(cut(whole, length))).toBe(fault(`event_log.${field}`, why))
  })

  it.each([
    [15, 'signature', '@0: needs 16 bytes, 15 left'],
    [23, 'platformClass', '@16: needs 8 bytes, 7 left'],
    [27, 'numberOfAlgorithms', '@24: needs 4 bytes, 3 left'],
    [29, 'algId', '@28: needs 2 bytes, 1 left'],
    [31, 'digestSize', '@30: needs 2 bytes, 1 left'],
    [32, 'vendorInfoSize', '@32: needs 1 bytes, 0 left'],
  ])('inside its header, whose event has %i bytes: %s', (size, field, why) => {
    const header = headerBytes({ size })
    expect(outcome(cut(header, 32 + size))).toBe(fault(`event_log.header.${field}`, why))
  })

  it('inside the vendor’s bytes of its header', () => {
    const header = headerBytes({ vendorInfo: text('abc'), size: 35 })
    expect(outcome(cut(header, 67))).toBe(fault('event_log.header.vendorInfo', '@33: needs 3 bytes, 2 left'))
  })

  it('of SHA-1 alone', () => {
    const record = Buffer.concat([u32(0), u32(8), Buffer.alloc(20, 7), u32(1), text('x')])
    const legacy: LogRules = { ...RULES, legacy: 'sha1' }
    const two = Buffer.concat([record, record])
    expect(outcome(cut(two, 33 + 27), legacy)).toBe(fault('event_log.event 1.digest', '@41: needs 20 bytes, 19 left'))
    expect(outcome(cut(two, 33 + 31), legacy)).toBe(fault('event_log.event 1.eventSize', '@61: needs 4 bytes, 3 left'))
  })

  it('by its whole where it is too large', () => {
    expect(outcome(logBytes([EVENT]), { ...RULES, bytes: 64 })).toBe('event_log event_log @0: 151 bytes are more than 64')
  })
})

const withData = (length: number): Uint8Array => logBytes([{ ...EVENT, data: new Uint8Array(length) }], Buffer.alloc(0))

describe('the limits of a TCG2 log', () => {
  it('take the highest index in the header and in an event', () => {
    expect(outcome(logBytes([EVENT], Buffer.alloc(0), headerBytes({ index: 4 })))).toBe('4: 4 bytes')
  })

  it('take eight algorithms, and one of 64 bytes that nobody knows', () => {
    const algorithms = Array.from({ length: 8 }, (_, place) => [0x4000 + place, 64] as const)
    const digests = algorithms.map(([algorithm, size]) => [algorithm, new Uint8Array(size)] as const)
    expect(outcome(logBytes([{ ...EVENT, digests }], Buffer.alloc(0), headerBytes({ algorithms })))).toBe('4: 4 bytes')
  })

  it('take an event of 1 MiB, and none of a byte more', () => {
    expect(outcome(withData(1_048_576))).toBe('4: 1048576 bytes')
    expect(outcome(withData(1_048_577))).toBe(fault('event_log.event 0.eventSize', '@131: 1048577 bytes are more than 1048576'))
  })
})
