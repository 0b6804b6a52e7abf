import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headerBytes, logBytes, recordBytes, sha384, text, u32, type Header, type Logged } from '../../../test/event-log-bytes.ts'
import { AttestationError } from '../problems.ts'
import { parseTcg2, type LogRules, type Tcg2Log } from './tcg2.ts'

const RULES: LogRules = { code: 'tdx-event-log-malformed', bytes: 4096, events: 5, maxIndex: 4 }
const SHA256 = 0x000b
const SHA384 = 0x000c
const digest = (size: number, fill = 7): Uint8Array => new Uint8Array(size).fill(fill)

const EVENTS: readonly Logged[] = [
  { index: 1, type: 4, data: new Uint8Array(4) },
  { index: 0, type: 3, data: text('SP800-155 Event3') },
  { index: 4, type: 6, data: text('') },
]

/** The error with which a log is refused; what was read of it otherwise. */
function outcome(bytes: Uint8Array, rules = RULES): Tcg2Log | string {
  try {
    return parseTcg2(bytes, rules)
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.code} ${error.message}`
  }
}
const refusal = (bytes: Uint8Array): string => {
  const result = outcome(bytes)
  return typeof result === 'string' ? result.replace('tdx-event-log-malformed event_log.', '') : `read ${result.events.length} events`
}
const withHeader = (header: Header, events = EVENTS): Uint8Array => logBytes(events, Buffer.alloc(16, 0xff), headerBytes(header))

describe('a TCG2 log', () => {
  it('is read event by event', () => {
    expect(parseTcg2(logBytes(EVENTS), RULES)).toEqual({
      algorithms: new Map([[SHA384, 48]]),
      events: EVENTS.map(({ index, type, data }, number) => ({
        number,
        index,
        type,
        digests: new Map([[SHA384, new Uint8Array(sha384(data))]]),
        data,
      })),
    })
  })

  it('may have several banks, in any order, vendor bytes, and algorithms that nobody knows', () => {
    const algorithms = [[0x0004, 20] as const, [SHA256, 32] as const, [0x4000, 5] as const]
    const digests = [[0x4000, digest(5)] as const, [SHA256, digest(32)] as const, [0x0004, digest(20)] as const]
    const log = parseTcg2(withHeader({ algorithms, vendorInfo: text('td-shim') }, [{ index: 2, type: 1, data: text('x'), digests }]), RULES)
    expect([...log.algorithms]).toEqual(algorithms)
    expect([...(log.events[0]?.digests ?? [])]).toEqual(digests)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['FF', Buffer.alloc(16, 0xff)],
    ['four times FF', Buffer.alloc(4, 0xff)],
    ['zeros', Buffer.alloc(16)],
    ['eight zeros', Buffer.alloc(8)],
    ['four times FF and zeros', Buffer.concat([Buffer.alloc(4, 0xff), Buffer.alloc(9)])],
  ])('may end with %s', (_, padding) => {
    expect(parseTcg2(logBytes(EVENTS, padding), RULES).events).toHaveLength(3)
  })

  it.each([
    ['three times FF', Buffer.alloc(3, 0xff), 'event 3.index @283: needs 4 bytes, 3 left'],
    ['seven zeros', Buffer.alloc(7), 'event 3.type @287: needs 4 bytes, 3 left'],
    ['zeros and something', Buffer.from('00'.repeat(20) + '01', 'hex'), 'event 3.digestCount @295: 0 digests, 1 algorithms are declared'],
    ['FF and something', Buffer.from('ff'.repeat(20) + '01', 'hex'), 'event 3.index @291: the end of the log is not padding'],
    ['FF, zeros and something', Buffer.from('ffffffff0000000001', 'hex'), 'event 3.index @291: the end of the log is not padding'],
    ['FF and one other value', Buffer.from('ffffffff' + '01'.repeat(8), 'hex'), 'event 3.index @291: the end of the log is not padding'],
  ])('may not end with %s', (_, padding, why) => {
    expect(refusal(logBytes(EVENTS, padding))).toBe(why)
  })

  it('may have records without a register behind its end, and nothing else', () => {
    const trustPoint = { index: 0xffffffff, type: 3, data: text('trust point') }
    expect(parseTcg2(logBytes([...EVENTS, trustPoint, trustPoint]), RULES).events.map(({ index }) => index)).toEqual([
      1, 0, 4, 0xffffffff, 0xffffffff,
    ])
    expect(refusal(logBytes([trustPoint, ...EVENTS]))).toMatch(/^event 1 @\d+: follows the end of the log$/)
    expect(refusal(logBytes([{ ...trustPoint, type: 4 }]))).toBe('event 0.index @73: the end of the log is not padding')
  })

  it.each<[string, Header, string]>([
    ['an index over the highest', { index: 5 }, 'header.pcrIndex @4: is over 4'],
    ['another type', { type: 4 }, 'header.eventType @8: is not EV_NO_ACTION'],
    ['a digest', { digest: digest(20) }, 'header.digest @28: reserved bytes are set'],
    ['the signature of an older format', { signature: 'Spec ID Event02\0' }, 'header.signature @16: is not "Spec ID Event03"'],
    ['no algorithm', { algorithms: [] }, 'header.numberOfAlgorithms @28: 0 is not 1 to 8'],
    [
      'nine algorithms',
      { algorithms: Array.from({ length: 9 }, (_, place) => [0x4000 + place, 8] as const) },
      'header.numberOfAlgorithms @28: 9 is not 1 to 8',
    ],
    ['four billion algorithms', { count: 0xffffffff }, 'header.numberOfAlgorithms @28: 4294967295 is not 1 to 8'],
    ['fewer algorithms than it counts', { count: 2 }, 'header.algId @32: needs 2 bytes, 1 left'],
    [
      'an algorithm twice',
      {
        algorithms: [
          [SHA384, 48],
          [SHA384, 48],
        ],
      },
      'header.algId @36: 0xc is declared twice',
    ],
    ['another size of SHA-384', { algorithms: [[SHA384, 32]] }, 'header.digestSize @32: 32 is no size of 0xc'],
    ['an unknown algorithm without a digest', { algorithms: [[0x4000, 0]] }, 'header.digestSize @32: 0 is no size of 0x4000'],
    ['an unknown algorithm with a huge digest', { algorithms: [[0x4000, 65]] }, 'header.digestSize @32: 65 is no size of 0x4000'],
    ['a size past the end', { size: 4096 }, 'header.event @32: needs 4096 bytes, 267 left'],
    ['a size of a gigabyte', { size: 0x40000000 }, 'header.eventSize @32: 1073741824 bytes are more than 1048576'],
  ])('is refused with %s in its header', (_, header, why) => {
    expect(refusal(withHeader(header))).toBe(why)
  })

  it('is refused with bytes behind the header’s last field', () => {
    const header = headerBytes({ vendorInfo: text('abc') })
    header[header.length - 4] = 2
    expect(refusal(logBytes(EVENTS, Buffer.alloc(0), header))).toBe('header.end @35: 1 bytes follow the last field')
  })

  it.each<[string, readonly Logged[], string]>([
    ['an index over the highest', [{ index: 5, type: 4, data: text('') }], 'event 0.index @73: 5 is over 4'],
    ['no digest', [{ index: 1, type: 4, data: text(''), digests: [] }], 'event 0.digestCount @77: 0 digests, 1 algorithms are declared'],
    [
      'a digest that is not declared',
      [{ index: 1, type: 4, data: text(''), digests: [[SHA256, digest(32)]] }],
      'event 0.algId @79: 0xb is not declared',
    ],
    ['too many events', Array.from({ length: 6 }, () => ({ index: 1, type: 4, data: text('') })), 'events @395: are more than 5'],
  ])('is refused with an event of %s', (_, events, why) => {
    expect(refusal(logBytes(events))).toBe(why)
  })

  it('is refused with two digests of one bank', () => {
    const two = [[SHA384, digest(48)] as const, [SHA384, digest(48, 8)] as const]
    expect(refusal(logBytes([{ index: 1, type: 4, data: text(''), digests: two }]))).toMatch(/^event 0\.digestCount @77: 2 digests/)
    const log = withHeader(
      {
        algorithms: [
          [SHA384, 48],
          [SHA256, 32],
        ],
      },
      [{ index: 1, type: 4, data: text(''), digests: two }],
    )
    expect(refusal(log)).toBe('event 0.algId @133: 0xc appears twice')
  })

  it.each([
    ['four billion digests', { at: 8, value: 0xffffffff }, 'event 0.digestCount @77: 4294967295 digests, 1 algorithms are declared'],
    ['data past the end', { at: 62, value: 5 }, 'event 0.event @131: needs 5 bytes, 4 left'],
    ['data of a gigabyte', { at: 62, value: 0x40000000 }, 'event 0.eventSize @131: 1073741824 bytes are more than 1048576'],
  ])('is refused with %s', (_, { at, value }, why) => {
    const record = recordBytes({ index: 1, type: 4, data: new Uint8Array(4) })
    record.set(u32(value), at)
    expect(refusal(new Uint8Array(Buffer.concat([headerBytes(), record])))).toBe(why)
  })

  it('is refused when it is larger than its kind may be', () => {
    expect(refusal(logBytes([], Buffer.alloc(4096 - 64)))).toBe('tdx-event-log-malformed event_log @0: 4097 bytes are more than 4096')
    expect(refusal(logBytes([], Buffer.alloc(4096 - 65)))).toBe('read 0 events')
  })

  it('is refused at every truncation that is not behind an event', () => {
    const bytes = logBytes(EVENTS, Buffer.alloc(0))
    const ends = EVENTS.map((_, count) => logBytes(EVENTS.slice(0, count), Buffer.alloc(0)).length)
    const whole = Array.from(bytes, (_, length) => length).filter((length) => typeof outcome(bytes.subarray(0, length)) !== 'string')
    expect(whole).toEqual(ends)
  })

  it('throws nothing but its code, whatever the bytes', () => {
    const mutated = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([at, bytes]) => {
      const log = logBytes(EVENTS)
      log.set(bytes.subarray(0, log.length - (at % log.length)), at % log.length)
      return log
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
        const result = outcome(bytes)
        const ended =
          typeof result === 'string' ? /^tdx-event-log-malformed event_log\.[\w .]+( @\d+)?: /.test(result) : result.events.length <= 5
        expect([ended, result]).toEqual([true, result])
      }),
      { seed: 20261124, numRuns: 2000 },
    )
  })
})

const LEGACY: LogRules = { ...RULES, legacy: 'sha1' }
const sha1Record = (index: number, type: number, data: Uint8Array): Buffer =>
  Buffer.concat([u32(index), u32(type), digest(20), u32(data.length), data])
const sha1Log = (...records: readonly Buffer[]): Uint8Array => new Uint8Array(Buffer.concat(records))
const sha1Event = (number: number, [index, type]: readonly [number, number], data: Uint8Array) => ({
  number,
  index,
  type,
  digests: new Map([[0x0004, digest(20)]]),
  data: new Uint8Array(data),
})

describe('a log of SHA-1 alone', () => {
  it('is read record by record, the first included', () => {
    const bytes = sha1Log(sha1Record(0, 8, text('version')), sha1Record(4, 4, new Uint8Array(4)), Buffer.alloc(8, 0xff))
    expect(parseTcg2(bytes, LEGACY)).toEqual({
      algorithms: new Map([[0x0004, 20]]),
      events: [sha1Event(0, [0, 8], text('version')), sha1Event(1, [4, 4], new Uint8Array(4))],
    })
  })

  it('may begin with the header of an older format, or a record that extends nothing', () => {
    for (const first of ['Spec ID Event02\0', 'Spec ID Event00\0', 'StartupLocality\0'])
      expect(parseTcg2(sha1Log(sha1Record(0, 3, text(first))), LEGACY).events).toHaveLength(1)
  })

  it('is none where the rules know only newer ones, or the first record is a header of those', () => {
    expect(outcome(sha1Log(sha1Record(0, 8, text('version'))))).toBe(
      'tdx-event-log-malformed event_log.header.eventType @8: is not EV_NO_ACTION',
    )
    expect(parseTcg2(logBytes(EVENTS), LEGACY)).toEqual(parseTcg2(logBytes(EVENTS), RULES))
    expect(outcome(withHeader({ type: 4 }), LEGACY)).toMatch(/header\.eventType @8: is not EV_NO_ACTION$/)
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /header\.pcrIndex @0: needs 4 bytes, 0 left$/],
    ['less than a record', sha1Log(sha1Record(0, 8, new Uint8Array())).subarray(0, -1), /header\.eventType @8: is not EV_NO_ACTION$/],
    ['an index over the highest', sha1Log(sha1Record(5, 8, text('x'))), /event 0\.index @8: 5 is over 4$/],
    ['data past the end', sha1Log(sha1Record(0, 8, text('x'))).subarray(0, -1), /event 0\.event @32: needs 1 bytes, 0 left$/],
    [
      'data of a gigabyte',
      sha1Log(sha1Record(0, 8, text('x'))).with(31, 0x40),
      /event 0\.eventSize @32: 1073741825 bytes are more than 1048576$/,
    ],
    ['too many events', sha1Log(...Array.from({ length: 6 }, () => sha1Record(0, 8, text('x')))), /events @165: are more than 5$/],
  ])('is refused with %s', (_, bytes, why) => {
    expect(outcome(bytes, LEGACY)).toMatch(why)
  })
})
