import { describe, expect, it } from 'vitest'
import { tokenKey } from '../../test/token-keys.ts'
import { firstSigns, isShown, keyTimes, maySign, stateOf, withHeld, type Holding, type PublishedKey } from './published-key.ts'

const MINUTE = 60_000
const NOW = Date.parse('2026-11-24T08:00:00Z')
/** 10 minutes ahead, 16 minutes of tail. */
const TIMES = keyTimes(300, 900)

const [A, B, C] = [tokenKey('ES256'), tokenKey('ES256', 1), tokenKey('EdDSA')]
const row = (key: typeof A, change: Partial<PublishedKey> = {}): PublishedKey => ({
  kid: key.kid,
  alg: key.alg,
  jwk: key.publicJwk,
  signsFrom: NOW - 60 * MINUTE,
  shownUntil: NOW + 21 * MINUTE,
  superseded: false,
  ...change,
})
const holding = (held: Holding['held'], change: Partial<Holding> = {}): Holding => ({
  held,
  denied: new Set(),
  now: NOW,
  times: TIMES,
  ...change,
})

it('a key is shown for two cache lifetimes before it signs, and for the life of a token and a minute after', () => {
  expect(TIMES).toEqual({ aheadMs: 10 * MINUTE, tailMs: 16 * MINUTE })
})

describe('isShown and maySign', () => {
  it('end together with the time that was promised', () => {
    const key = row(A, { signsFrom: NOW, shownUntil: NOW + 10 * MINUTE })
    expect([isShown(key, NOW + 10 * MINUTE - 1), isShown(key, NOW + 10 * MINUTE)]).toEqual([true, false])
    expect([maySign(key, NOW - 1, NOW), maySign(key, NOW, NOW)]).toEqual([false, true])
    // A minute for clocks that differ.
    expect([maySign(key, NOW, NOW + 9 * MINUTE), maySign(key, NOW, NOW + 9 * MINUTE + 1)]).toEqual([true, false])
  })
})

it('stateOf tells where a key is in its life', () => {
  expect(stateOf(row(A, { signsFrom: NOW + 1 }), NOW)).toBe('next')
  expect(stateOf(row(A, { signsFrom: NOW }), NOW)).toBe('active')
  expect(stateOf(row(A, { superseded: true }), NOW)).toBe('retiring')
})

describe('firstSigns', () => {
  const at = { now: NOW, aheadMs: 10 * MINUTE }

  it.each<[string, readonly PublishedKey[], number]>([
    ['at once where no key was ever shown', [], 0],
    ['two cache lifetimes from now beside a key that is shown', [row(B)], 10],
    ['sooner where the last other key was shown last some time ago', [row(B, { shownUntil: NOW - 4 * MINUTE })], 6],
    ['at once where that is long ago', [row(B, { shownUntil: NOW - 10 * MINUTE })], 0],
    ['at once for a key that lapsed together with the others', [row(A, { shownUntil: NOW - MINUTE }), row(C, { shownUntil: NOW })], 0],
    ['later for one that lapsed while another was shown on', [row(A, { shownUntil: NOW - 6 * MINUTE }), row(C, { shownUntil: NOW })], 10],
  ])('%s', (_, rows, minutes) => {
    expect(firstSigns(rows, A.kid, at)).toBe(NOW + minutes * MINUTE)
  })
})

describe('withHeld', () => {
  it('publishes the first keys so that they sign at once', () => {
    const rows = withHeld([], holding([A, C]))
    expect(rows.map(({ kid, signsFrom, shownUntil }) => [kid, signsFrom, shownUntil])).toEqual([
      [A.kid, NOW, NOW + 21 * MINUTE],
      [C.kid, NOW, NOW + 21 * MINUTE],
    ])
    expect(rows[0]).toMatchObject({ alg: 'ES256', jwk: A.publicJwk, superseded: false })
  })

  it('publishes a successor ahead of its time, and shows both until then', () => {
    const rows = withHeld([row(A)], holding([A, B]))
    expect(rows[0]).toEqual(row(A))
    expect(rows[1]).toMatchObject({ kid: B.kid, signsFrom: NOW + 10 * MINUTE, shownUntil: NOW + 31 * MINUTE })
  })

  it('has nothing to say while nothing changes', () => {
    const rows = [row(A)]
    expect(withHeld(rows, holding([A]))).toBe(rows)
    expect(withHeld(rows, holding([A], { now: NOW + 2 * MINUTE }))).toBe(rows)
  })

  it('shows a key on before it must', () => {
    const [renewed] = withHeld([row(A)], holding([A], { now: NOW + 2 * MINUTE + 1 }))
    expect(renewed).toEqual(row(A, { shownUntil: NOW + 23 * MINUTE + 1 }))
  })

  it('lets a key end that has a successor which signs', () => {
    const before = [row(A), row(B, { signsFrom: NOW })]
    const after = withHeld(before, holding([A, B]))
    expect(after[0]).toEqual(row(A, { superseded: true }))
    const later = withHeld(after, holding([A, B], { now: NOW + 20 * MINUTE }))
    expect(later[0]).toBe(after[0])
    // The successor of another algorithm is none.
    expect(withHeld([row(A), row(C, { signsFrom: NOW })], holding([A, C]))[0]?.superseded).toBe(false)
  })

  it('does not publish a key whose successor signs already', () => {
    expect(withHeld([row(B)], holding([A, B]))).toEqual([row(B)])
    expect(withHeld([], holding([A, B])).map(({ kid }) => kid)).toEqual([B.kid])
  })

  it('goes back to a key that another replica has replaced, while it has no other', () => {
    expect(withHeld([row(A, { superseded: true })], holding([A]))[0]).toMatchObject({ kid: A.kid, superseded: false })
  })

  it('leaves keys of other replicas alone until no cache can hold a set with them', () => {
    const ended = row(B, { shownUntil: NOW - 10 * MINUTE + 1 })
    expect(withHeld([row(A), ended], holding([A]))).toEqual([row(A), ended])
    expect(withHeld([row(A), ended], holding([A], { now: NOW + 1 }))).toEqual([row(A)])
  })

  it('publishes a key anew that lapsed while others were shown', () => {
    const [again] = withHeld([row(A, { shownUntil: NOW - 6 * MINUTE }), row(C)], holding([A]))
    expect(again).toMatchObject({ kid: A.kid, signsFrom: NOW + 10 * MINUTE })
  })

  it('drops a key that is denied, whoever has it, and does not wait for it', () => {
    const denied = new Set([A.kid])
    expect(withHeld([row(A)], holding([A], { denied }))).toEqual([])
    expect(withHeld([row(A)], holding([A, B], { denied })).map(({ kid, signsFrom }) => [kid, signsFrom])).toEqual([[B.kid, NOW]])
  })
})
