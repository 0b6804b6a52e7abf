import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson, contentDigest } from './canonical.ts'

describe('canonicalJson', () => {
  it('sorts members by UTF-16 code units, as the example of RFC 8785 section 3.2.3', () => {
    const members = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const values = [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]
    const text = canonicalJson(members)
    expect(Object.values(JSON.parse(text) as object)).toHaveLength(7)
    const places = values.map((value) => text.indexOf(`"${value}"`))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
  })

  it('sorts a member before those that it begins', () => {
    expect(canonicalJson({ 'a!': 1, 'a b': 2, a: 3 })).toBe('{"a":3,"a b":2,"a!":1}')
  })

  it('writes strings as RFC 8785 section 3.2.2.2 does', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"')
  })

  it('writes no white space, keeps the order of lists, leaves out what is undefined', () => {
    expect(canonicalJson({ b: [3, 1, true, null], a: undefined, A: { y: 1, x: 'z' } })).toBe('{"A":{"x":"z","y":1},"b":[3,1,true,null]}')
  })

  it.each([0.5, Number.NaN, 2 ** 53])('refuses %d, which it could not write for certain', (value) => {
    expect(() => canonicalJson({ a: value })).toThrow(RangeError)
  })
})

describe('contentDigest', () => {
  it('is the SHA-256 of the canonical text', () => {
    expect(contentDigest({ b: 1, a: '€' })).toBe(createHash('sha256').update('{"a":"€","b":1}', 'utf8').digest('hex'))
  })
})
