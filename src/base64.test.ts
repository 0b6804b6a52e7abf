import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Length, decodeBase64 } from './base64.ts'

describe('base64 of requests', () => {
  it('takes both spellings of every value, and gives plain bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(bytes)
        expect(decodeBase64(Buffer.from(bytes).toString('base64url'))).toEqual(bytes)
      }),
      { seed: 20261123 },
    )
  })

  it('takes no text that is not exactly one of the two', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('A', 'Q', 'B', '+', '/', '-', '_', '=', ' ', '\n', '.', 'é'), maxLength: 24 }),
        (text) => {
          const bytes = decodeBase64(text)
          const spellings = bytes === undefined ? [] : [Buffer.from(bytes).toString('base64'), Buffer.from(bytes).toString('base64url')]
          expect(bytes === undefined || spellings.includes(text)).toBe(true)
        },
      ),
      { seed: 20261123, numRuns: 2_000 },
    )
  })

  it.each([
    ['line breaks', 'AAAA\nAAAA'],
    ['blanks', 'AAAA AAAA'],
    ['unused bits set', 'AB=='],
    ['unused bits set, URL-safe', 'AB'],
    ['too little padding', 'AA='],
    ['too much padding', 'AAAA===='],
    ['padding in the middle', 'AA==AA=='],
    ['URL-safe with padding', '-_8='],
    ['standard without padding', '+/8'],
    ['both alphabets', '+_AA'],
    ['a digit too few', 'AAAAA'],
    ['letters outside ASCII', 'ＡＡＡＡ'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })

  it('reads nothing as no bytes', () => {
    expect(decodeBase64('')).toEqual(new Uint8Array())
  })

  it('knows how long a text may be', () => {
    expect([0, 1, 2, 3, 4, 1184].map(base64Length)).toEqual([0, 4, 4, 4, 8, Buffer.alloc(1184).toString('base64').length])
  })
})
