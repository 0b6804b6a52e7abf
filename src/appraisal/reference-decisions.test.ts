import { describe, expect, it } from 'vitest'
import { givesMore, NOTHING_DECIDED, revokedIn, withRevoked, type ReferenceStanding, type VersionStanding } from './reference-standing.ts'

const [SOON, LATER] = ['2026-07-01T00:00:00.000Z', '2026-08-01T00:00:00.000Z']

const active = { state: 'active' } as const
const deprecated = { state: 'deprecated', until: SOON } as const
const revoked = { state: 'revoked', reason: 'leaked build' } as const

const standing = (one: VersionStanding): ReferenceStanding => (one.state === 'draft' ? NOTHING_DECIDED : { versions: { 1: one } })

describe('what another person has to agree to', () => {
  it.each([
    [{ state: 'draft' }, active],
    [deprecated, active],
    [revoked, active],
    [deprecated, { ...deprecated, until: LATER }],
  ] as const)('%o, %o gives values, or for longer', (from, wanted) => {
    expect(givesMore(standing(from), { version: 1, ...wanted })).toBe(true)
  })

  it.each([
    [active, deprecated],
    [active, { ...deprecated, until: LATER }],
    [active, revoked],
    [deprecated, deprecated],
    [{ ...deprecated, until: LATER }, deprecated],
    [deprecated, revoked],
    [{ state: 'draft' }, revoked],
    [{ state: 'draft' }, deprecated],
  ] as const)('%o, %o gives none', (from, wanted) => {
    expect(givesMore(standing(from), { version: 1, ...wanted })).toBe(false)
  })

  it('goes by the version that is named', () => {
    expect(givesMore({ versions: { 1: active, 2: deprecated } }, { version: 2, ...deprecated, until: LATER })).toBe(true)
    expect(givesMore({ versions: { 1: deprecated, 2: active } }, { version: 2, ...deprecated, until: LATER })).toBe(false)
  })
})

describe('what is known to be revoked', () => {
  it('stays revoked, with its reason where that was kept, whatever the standing says', () => {
    const kept = { versions: { 1: active, 2: revoked, 3: deprecated } }
    const lost = { state: 'revoked', reason: 'the reason was lost' }
    expect(withRevoked(kept, [1, 2, 4])).toEqual({ versions: { 1: lost, 2: revoked, 3: deprecated, 4: lost } })
    expect(withRevoked(kept, [3])).toEqual({ versions: { 1: active, 2: revoked, 3: lost } })
    expect(withRevoked(kept, [])).toEqual(kept)
  })

  it('is every version of that state, as numbers in order', () => {
    expect(revokedIn({ versions: { 10: revoked, 9: active, 2: revoked, 3: deprecated } })).toEqual([2, 10])
    expect(revokedIn(NOTHING_DECIDED)).toEqual([])
  })
})
