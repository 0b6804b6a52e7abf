import { expect, it } from 'vitest'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import { appraise } from './appraise.ts'
import { readPolicy } from './read-policy.ts'
import { REFERENCE_PLACES, type ReferencePlace } from './reference-lists.ts'
import { referencesEnd, type ReferenceEnds } from './reference-ends.ts'
import type { Claims } from '../verifiers/verifier.ts'

const END = Date.parse('2026-11-30T00:00:00Z')
const ends = (place: ReferencePlace, value: string): ReferenceEnds => new Map([[place, new Map([[value, END]])]])

it.each(REFERENCE_PLACES)('looks up in the list of %s what evidence measured there', (place) => {
  const [technology = '', field = ''] = place.split('.')
  const member = field === 'measurements' ? 'measurement' : field
  const claims = { [technology]: { [member]: 'met' } } as unknown as Claims
  expect(referencesEnd(ends(place, 'met'), claims)).toBe(END)
  expect(referencesEnd(ends(place, 'other'), claims)).toBe(Infinity)
  expect(referencesEnd(ends(place, 'met'), {})).toBe(Infinity)
})

it('goes by the value that ends first', () => {
  const both: ReferenceEnds = new Map([
    ['tdx.mr_td', new Map([['a', END + 1]])],
    ['tdx.rtmr1', new Map([['a', END]])],
  ])
  expect(referencesEnd(both, { tdx: { mr_td: 'a', rtmr1: 'a' } } as Claims)).toBe(END)
})

const validUntil = (value: string): string => {
  const policy = readPolicy(`name: good\nsnp: {measurements: [${soundClaims.measurement}]}`, 'test')
  const { appraisal, code } = appraise({
    id: 'a1',
    mode: 'production',
    freshness: 'challenge',
    policy: { ...policy, sets: { used: [], ends: ends('snp.measurements', value) } },
    items: [{ type: 'snp', finding: genuine(soundClaims), fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: 'ab'.repeat(32),
    collateral: { digest: 'cd'.repeat(32), oldest_fetch: null, earliest_expiry: null },
  })
  expect(code).toBeUndefined()
  return appraisal.valid_until
}

it('bounds a verdict by the reference value that was met, and by no other', () => {
  expect(validUntil(soundClaims.measurement)).toBe('2026-11-30T00:00:00.000Z')
  expect(validUntil('ff')).toBe('2026-12-01T00:00:00.000Z')
})
