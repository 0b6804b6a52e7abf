import { describe, expect, it } from 'vitest'
import { parseJson, parseJsonMembers, type Json } from './json.ts'
import { AttestationError } from './problems.ts'

const DOCUMENT = { what: 'document', code: 'tdx-tcb-info-malformed' } as const
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string): Json => parseJson(bytesOf(text), DOCUMENT)

/** The same as the language would have it, to compare with. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]))
  return Array.isArray(value) ? value.map(plain) : value
}

const codeOf = (read: () => unknown): string => {
  try {
    read()
    return 'read'
  } catch (error) {
    return error instanceof AttestationError ? error.code : String(error)
  }
}

describe('strict JSON', () => {
  it.each([
    '{}',
    '[]',
    ' [ ] ',
    'null',
    '"a"',
    '{"a":[1,-2,0,{"b":null}],"c":true,"d":false,"":"é€😀"}',
    '\t{ "a" :\r\n[ 1 , 2 ] , "b" : { } }\n',
    String.raw`"\"\\\/\b\f\n\r\té😀"`,
    '{"__proto__":{"a":1},"constructor":2}',
  ])('reads what the language reads: %s', (text) => {
    expect(plain(parse(text))).toEqual(JSON.parse(text))
  })

  it.each([
    ['nothing', ''],
    ['two values', '{} {}'],
    ['a comma too many in an object', '{"a":1,}'],
    ['a comma too many in an array', '[1,]'],
    ['a missing comma', '[1 2]'],
    ['a missing value', '{"a":}'],
    ['a missing colon', '{"a" 1}'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['the wrong bracket', '[1}'],
    ['an open object', '{"a":1'],
    ['an open string', '"a'],
    ['a string that ends in its escape', String.raw`"a\"`],
    ['a string that is cut behind a backslash', '"a\\'],
    ['a control character', '"a\nb"'],
    ['an escape that does not exist', String.raw`"\x41"`],
    ['an escape of three digits', String.raw`"\u004"`],
    ['a leading zero', '[01]'],
    ['a plus sign', '[+1]'],
    ['a bare minus', '[-]'],
    ['a fraction without digits', '[1.]'],
    ['hexadecimal', '[0x10]'],
    ['NaN', '[NaN]'],
    ['Infinity', '[Infinity]'],
    ['a comment', '[1/**/]'],
    ['other white space', '[1\u{a0}]'],
    ['a byte order mark', '\u{feff}{}'],
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, deeper', '[{"b":{"a":1,"a":2}}]'],
    ['a member twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
    ['nesting of 33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['nesting of 10,000 levels', '{"a":'.repeat(10_000)],
  ])('refuses %s', (_, text) => {
    expect(codeOf(() => parse(text))).toBe('tdx-tcb-info-malformed')
  })

  it('takes 32 levels', () => {
    expect(codeOf(() => parse(`${'[{"a":'.repeat(16)}1${'}]'.repeat(16)}`))).toBe('read')
  })

  it.each([
    ['0', 0],
    ['-1', -1],
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740992', Number.NaN],
    ['9007199254740993', Number.NaN],
    ['-9007199254740993', Number.NaN],
    ['1.0', Number.NaN],
    ['1e2', Number.NaN],
    ['-0', Number.NaN],
    ['1e999', Number.NaN],
  ])('reads %s as %d', (text, value) => {
    expect(parse(text)).toBe(value)
  })

  it.each([
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['latin-1', [0x22, 0xe9, 0x22]],
  ])('refuses what is not UTF-8: %s', (_, bytes) => {
    expect(codeOf(() => parseJson(Uint8Array.from(bytes), DOCUMENT))).toBe('tdx-tcb-info-malformed')
  })

  it('refuses a text of more than 1 MiB', () => {
    const longest = `"${'a'.repeat(1024 * 1024 - 2)}"`
    expect([codeOf(() => parse(longest)), codeOf(() => parse(`${longest} `))]).toEqual(['read', 'tdx-tcb-info-malformed'])
  })

  it('never ends in anything but a value or the code, wherever a document is cut', () => {
    const text = String.raw`{"a":[1,-2.5e3,true,null,"\u00e9\\"],"b":{"c":"€"}}`
    const whole = bytesOf(text)
    const codes = new Set([...whole.keys()].map((length) => codeOf(() => parseJson(whole.subarray(0, length), DOCUMENT))))
    expect([...codes]).toEqual(['tdx-tcb-info-malformed'])
  })
})

describe('members with their source', () => {
  it('gives the exact text of each value of the outermost object', () => {
    const members = parseJsonMembers(bytesOf('{ "a" : { "x" : 1.50, "é":"€" } , "b":"2"  }'), DOCUMENT)
    expect([...members].map(([name, { source }]) => [name, source])).toEqual([
      ['a', '{ "x" : 1.50, "é":"€" }'],
      ['b', '"2"'],
    ])
  })

  it('refuses another value than an object', () => {
    expect(codeOf(() => parseJsonMembers(bytesOf('[1]'), DOCUMENT))).toBe('tdx-tcb-info-malformed')
  })
})
