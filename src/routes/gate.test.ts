import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestationError } from '../verifiers/problems.ts'
import { readStrictJson } from './gate.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'))
const read = (text: string) => readStrictJson(bytes(text))
const list = (length: number) => `[${Array(length).fill('0').join(',')}]`
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

function refusal(task: () => unknown): string {
  try {
    return `read ${JSON.stringify(task())}`
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe('the JSON gate', () => {
  it('reads what JSON.parse reads', () => {
    const text = '{"a":[1,{"b":"x,{}[]\\"\\\\"},"c"],"d":{"a":null},"e":"\\u0061"}'
    expect(read(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['the same name', '{"a":1,"a":2}'],
    ['another spelling of it', '{"a":1,"\\u0061":2}'],
    ['a name behind nested values', '{"a":{"b":[1,2]},"c":3,"a":4}'],
    ['a name in a nested object', '[{"x":{"a":1,"b":2,"a":3}}]'],
    ['names around strings full of structure', '{"a":"},{\\"a\\":","a":"["}'],
    ['the empty name', '{"":1,"":2}'],
    ['a name that ends in a backslash', '{"a\\\\":1,"a\\\\":2}'],
  ])('refuses a member that appears twice: %s', (_, text) => {
    expect(() => JSON.parse(text)).not.toThrow()
    expect(refusal(() => read(text))).toMatch(/^request-malformed: a member appears a second time at character \d+$/)
  })

  it('takes one name in two objects, and a name as a value', () => {
    expect(read('[{"a":1},{"a":"a"}]')).toEqual([{ a: 1 }, { a: 'a' }])
  })

  it.each(['{"__proto__":{}}', '{"a":[{"\\u005f_proto__":1}]}'])('refuses __proto__: %s', (text) => {
    expect(refusal(() => read(text))).toMatch(/^request-malformed: a member has a forbidden name/)
  })

  it('takes __proto__ as a value, where it is only a text', () => {
    expect(read('["__proto__"]')).toEqual(['__proto__'])
  })

  it('reads 32 levels and refuses 33', () => {
    expect(read(nested(32))).toBeInstanceOf(Array)
    expect(refusal(() => read(nested(33)))).toBe('request-malformed: nesting is deeper than 32 at character 32')
  })

  it('refuses more values than any request has', () => {
    expect(read(list(10_000))).toHaveLength(10_000)
    expect(refusal(() => read(list(20_000)))).toBe('request-malformed: more than 20000 values and members')
  })

  it('refuses a million levels without a stack', () => {
    expect(refusal(() => read(nested(1_000_000)))).toMatch(/^request-malformed: nesting/)
  })

  it.each([
    ['a broken sequence', Uint8Array.of(0x22, 0xc3, 0x28, 0x22)],
    ['an overlong form', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ['a surrogate', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['UTF-16', new Uint8Array(Buffer.from('\ufeff{}', 'utf16le'))],
  ])('refuses what is not UTF-8: %s', (_, body) => {
    expect(refusal(() => readStrictJson(body))).toBe('request-malformed: the body is not UTF-8')
  })

  it.each([
    '',
    ' ',
    '{',
    '{"a"',
    '"',
    '"\\',
    '{"a":1}}',
    '{}{}',
    '{a:1}',
    "{'a':1}",
    '[1,]',
    'NaN',
    '\ufeff{}',
    '{"a":1,}',
    ']',
    '{"\\x":1}',
  ])('refuses what is not JSON: %j', (text) => {
    expect(refusal(() => read(text))).toBe('request-malformed: the body is not JSON')
  })

  it('says nothing of what the body held', () => {
    expect(refusal(() => read('{"secret-name":1,"secret-name":"secret-value"}'))).not.toContain('secret')
    expect(refusal(() => read('{"d": secret-value}'))).not.toContain('secret')
  })
})

const forbidden = (value: unknown): boolean => JSON.stringify(value).includes('__proto__')
/** Every UTF-16 unit as an escape. */
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')

describe('properties of the JSON gate', () => {
  it('gives back every value whose text is strict', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        fc.pre(!forbidden(value))
        expect(read(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { seed: 20261123 },
    )
  })

  it('lets no error but AttestationError escape, whatever the bytes', () => {
    const alphabet = fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', 'a', '1', ' ', 'é', 'null')
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (parts) => {
        const text = parts.join('')
        const outcome = refusal(() => read(text))
        // Where the gate lets a text through, it is what JSON.parse makes of it.
        expect(outcome.startsWith('request-malformed') || outcome === `read ${JSON.stringify(JSON.parse(text))}`).toBe(true)
      }),
      { seed: 20261123, numRuns: 2_000 },
    )
  })

  it('sees every duplicate that is planted', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((n) => n !== '__proto__')
    fc.assert(
      fc.property(name, fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (key, first, second) => {
        fc.pre(!forbidden([first, second]))
        const text = `{${JSON.stringify(key)}:${JSON.stringify(first)},"x y z w":0,"${escaped(key)}":${JSON.stringify(second)}}`
        expect(refusal(() => read(text))).toMatch(/a member appears a second time/)
      }),
      { seed: 20261123 },
    )
  })
})
