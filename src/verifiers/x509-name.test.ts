import { describe, expect, it } from 'vitest'
import { DerReader } from './der.ts'
import { AttestationError } from './problems.ts'
import { commonNameOf, readName, sameName } from './x509-name.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const read = (hex: string) => DerReader.all(bytes(hex), { what: 'x', code: 'evidence-malformed' }, (r) => readName(r, 'name')).name

describe('names', () => {
  it('are compared by attribute, order and text, not by the type of the string', () => {
    const utf8 = read('30 0d 310b 3009 0603550403 0c0241 42')
    expect(utf8).toEqual([{ oid: '2.5.4.3', value: 'AB' }])
    expect(sameName(utf8, read('30 0d 310b 3009 0603550403 130241 42'))).toBe(true)
    expect(sameName(utf8, read('30 0d 310b 3009 060355040a 0c0241 42'))).toBe(false)
    expect(sameName(utf8, read('30 0d 310b 3009 0603550403 0c0241 43'))).toBe(false)
    expect(sameName(utf8, [...utf8, ...utf8])).toBe(false)
    expect(sameName([...utf8, ...utf8], utf8)).toBe(false)
  })

  it('have a common name only if they have one', () => {
    const cn = { oid: '2.5.4.3', value: 'A' }
    expect([commonNameOf([cn]), commonNameOf([cn, cn]), commonNameOf([])]).toEqual(['A', undefined, undefined])
  })

  it.each([
    ['two attributes in one relative name', '30 16 3114 3008 0603550403 0c0141 3008 060355040a 0c0141'],
    ['a NUL in the text', '30 0d 310b 3009 0603550403 0c0241 00'],
    ['text beyond ASCII', '30 0d 310b 3009 0603550403 0c02c3a4'],
    ['no text', '30 0b 3109 3007 0603550403 0c00'],
    ['BMPString, whose bytes happen to be ASCII', '30 0d 310b 3009 0603550403 1e024142'],
    ['UniversalString, whose bytes happen to be ASCII', '30 0f 310d 300b 0603550403 1c0441424344'],
    ['TeletexString', '30 0d 310b 3009 0603550403 14024142'],
    ['a constructed string', '30 0f 310d 300b 0603550403 2c040c024142'],
    ['bytes', '30 0d 310b 3009 0603550403 04024142'],
    ['text of a wide type', '30 0d 310b 3009 0603550403 1e020041'],
  ])('are malformed with %s', (_, hex) => expect(() => read(hex)).toThrow(AttestationError))
})
