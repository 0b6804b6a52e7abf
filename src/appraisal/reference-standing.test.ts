import { describe, expect, it } from 'vitest'
import {
  changedStanding,
  NOTHING_DECIDED,
  readReferenceStanding,
  referenceChange,
  standingOf,
  type ReferenceChange,
  type ReferenceStanding,
  type VersionStanding,
} from './reference-standing.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const [PAST, LATER] = ['2026-05-01T00:00:00.000Z', '2026-07-01T00:00:00.000Z']

const active = { state: 'active' } as const
const deprecated = { state: 'deprecated', until: LATER } as const
const revoked = { state: 'revoked', reason: 'leaked build' } as const

const standing = (one: VersionStanding): ReferenceStanding => (one.state === 'draft' ? NOTHING_DECIDED : { versions: { 1: one } })

const decide = (from: VersionStanding, change: Omit<ReferenceChange, 'version'> & object): unknown => {
  const read = referenceChange.parse({ version: 1, ...change })
  const result = changedStanding(standing(from), read, NOW)
  return typeof result === 'string' ? result : standingOf(result, 1)
}

describe('the standing of a set', () => {
  it.each<readonly [VersionStanding, typeof active | typeof deprecated | typeof revoked, unknown]>([
    [{ state: 'draft' }, active, active],
    [{ state: 'draft' }, deprecated, 'not-in-force'],
    [{ state: 'draft' }, revoked, revoked],
    [active, active, 'already-so'],
    [active, deprecated, deprecated],
    [active, revoked, revoked],
    [deprecated, active, active],
    [deprecated, { ...deprecated, until: '2026-08-01T00:00:00.000Z' }, { ...deprecated, until: '2026-08-01T00:00:00.000Z' }],
    [{ ...deprecated, until: NOW.toISOString() }, deprecated, 'not-in-force'],
    [{ ...deprecated, until: PAST }, active, active],
    [deprecated, revoked, revoked],
    [revoked, active, 'revoked-for-ever'],
    [revoked, deprecated, 'revoked-for-ever'],
    [revoked, revoked, 'revoked-for-ever'],
    [active, { ...deprecated, until: PAST }, 'until-is-past'],
    [active, { ...deprecated, until: NOW.toISOString() }, 'until-is-past'],
  ])('%o, %o → %o', (from, change, outcome) => {
    expect(decide(from, change)).toEqual(outcome)
  })

  it('lets several versions be active at once, and touches none but the one named', () => {
    const one = changedStanding(NOTHING_DECIDED, { version: 1, ...active }, NOW)
    const two = typeof one === 'string' ? one : changedStanding(one, { version: 2, ...active }, NOW)
    expect(two).toEqual({ versions: { 1: active, 2: active } })
    expect(NOTHING_DECIDED).toEqual({ versions: {} })
  })

  it('is read back as it was kept, and not at all when it is something else', () => {
    const kept = { versions: { 1: active, 2: deprecated, 30: revoked } }
    expect(readReferenceStanding(structuredClone(kept))).toEqual(kept)
    expect(
      [{}, null, { versions: { 0: active } }, { versions: { 1: { state: 'trusted' } } }, { ...kept, more: 1 }].map((value) =>
        readReferenceStanding(value),
      ),
    ).toEqual(Array.from({ length: 5 }, () => undefined))
  })

  it.each([
    { version: 1, state: 'active', until: LATER },
    { version: 1, state: 'deprecated' },
    { version: 1, state: 'revoked' },
    { version: 1, state: 'revoked', reason: '' },
    { version: 0, state: 'active' },
    { version: '1', state: 'active' },
    { version: 1, state: 'draft' },
    { state: 'active' },
  ])('%o is no decision', (body) => {
    expect(referenceChange.safeParse(body).success).toBe(false)
  })
})
