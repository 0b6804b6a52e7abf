import { describe, expect, it } from 'vitest'
import { logBytes, sha384, text, type Logged } from '../../../test/event-log-bytes.ts'
import { extensions, replay, type Bank, type Extension } from './replay.ts'
import { parseTcg2 } from './tcg2.ts'

const BANK: Bank = { algorithm: 0x000c, hash: 'sha384', registerOf: (index) => (index === 0 ? undefined : index - 1) }
const RULES = { code: 'tdx-event-log-malformed', bytes: 65_536, events: 64, maxIndex: 4 } as const
const ZERO = new Uint8Array(48)

const EVENTS: readonly Logged[] = ['a', 'b', 'c', 'd'].map((name, place) => ({ index: 1 + (place % 2), type: 5, data: text(name) }))
const read = (events: readonly Logged[]): readonly Extension[] => extensions(parseTcg2(logBytes(events), RULES), BANK)
const held = (events: readonly Logged[], end: Uint8Array, register = 0) => replay(read(events), 'sha384', { register, start: ZERO, end })
/** RTMR0 behind events with these data. */
const after = (...data: readonly string[]): Uint8Array => data.reduce<Uint8Array>((value, name) => sha384(value, sha384(text(name))), ZERO)

describe('the events that extend registers', () => {
  it('are those of an index with a register, in order', () => {
    expect(read(EVENTS).map(({ number, register, type, data }) => [number, register, type, data])).toEqual([
      [0, 0, 5, text('a')],
      [1, 1, 5, text('b')],
      [2, 0, 5, text('c')],
      [3, 1, 5, text('d')],
    ])
  })

  it('are never of index 0, EV_NO_ACTION or behind the end', () => {
    const inserted = [
      { index: 0, type: 5, data: text('x') },
      { index: 1, type: 3, data: text('y') },
      { index: 0xffffffff, type: 3, data: text('z') },
    ]
    expect(read([...EVENTS, ...inserted])).toEqual(read(EVENTS))
  })

  it('are none in a bank that the log does not have', () => {
    const log = parseTcg2(logBytes(EVENTS), RULES)
    expect(extensions(log, { ...BANK, algorithm: 0x000b })).toEqual([])
  })
})

describe('a replay', () => {
  it('holds where the register has the value behind the last event', () => {
    const end = after('a', 'c')
    expect(held(EVENTS, end)).toEqual({ register: 0, events: 2, value: Buffer.from(end), holds: true, surplus: undefined })
    expect(held(EVENTS, after('b', 'd'), 1).holds).toBe(true)
  })

  it('begins where the register began', () => {
    const start = new Uint8Array(48).fill(0xff)
    const end = sha384(sha384(start, sha384(text('a'))), sha384(text('c')))
    expect(replay(read(EVENTS), 'sha384', { register: 0, start, end }).holds).toBe(true)
  })

  it('names the first event that is too many', () => {
    expect(held(EVENTS, after('a'))).toMatchObject({ events: 2, holds: false, surplus: 2 })
    expect(held(EVENTS, ZERO)).toMatchObject({ events: 2, holds: false, surplus: 0 })
  })

  it('names none where no part of the log leads to the register', () => {
    expect(held(EVENTS, after('c', 'a'))).toMatchObject({ events: 2, holds: false, surplus: undefined })
    expect(held(EVENTS, after('a', 'c', 'e'))).toMatchObject({ events: 2, holds: false, surplus: undefined })
  })

  it('without events leaves the register as it was', () => {
    expect(held(EVENTS, ZERO, 3)).toEqual({ register: 3, events: 0, value: ZERO, holds: true, surplus: undefined })
    expect(held(EVENTS, after('a'), 3).holds).toBe(false)
  })

  it('is of the bank’s own hash', () => {
    const data = text('a')
    const events = read([{ index: 1, type: 5, data }])
    expect(replay(events, 'sha256', { register: 0, start: new Uint8Array(32), end: new Uint8Array(32) }).value).toHaveLength(32)
  })
})
