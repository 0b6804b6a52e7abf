import { describe, expect, it } from 'vitest'
import { minted, outcome, refusal, verify } from '../test/lab.ts'
import { allowOnly, isCanonical, readCompact } from './compact.ts'
import { readObject } from './json.ts'

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const BOUNDS = { length: 100, code: 'token-malformed' } as const
const why = (text: unknown): unknown => {
  try {
    return readCompact(text, BOUNDS).header
  } catch (error) {
    return (error as { facts: { why: string } }).facts.why
  }
}
const HEADER = encode('{"a":1}')

describe('canonical base64url', () => {
  it('has one spelling for each bytes', () => {
    for (let length = 0; length < 5; length += 1)
      for (let byte = 0; byte < 256; byte += 1) expect(isCanonical(encode(new Uint8Array(length).fill(byte)))).toBe(true)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const last of alphabet) {
      for (const text of [`A${last}`, `AA${last}`])
        expect([text, isCanonical(text)]).toEqual([text, encode(Buffer.from(text, 'base64url')) === text])
    }
  })

  it.each(['A', 'AAAAA', 'AAA=', 'AA==', 'AA+A', 'AA/A', 'AA A', 'AAA\n', '\nAAA', 'ÄAAA', 'AA.A'])('is not %j', (text) => {
    expect(isCanonical(text)).toBe(false)
  })
})

describe('the gate', () => {
  it.each([
    [undefined, 'it is not a text'],
    [{ payload: '', protected: '', signature: '' }, 'it is not a text'],
    [Buffer.from('a.b.c'), 'it is not a text'],
    ['', 'it has not three parts'],
    [`${HEADER}.AA`, 'it has not three parts'],
    [`${HEADER}.AA.AA.AA`, 'it has not three parts'],
    [`${HEADER}.AA.AA.`, 'it has not three parts'],
    [`.AA.AA`, 'a part is empty or not canonical base64url'],
    [`${HEADER}..AA`, 'a part is empty or not canonical base64url'],
    [`${HEADER}.AA.`, 'a part is empty or not canonical base64url'],
    [`${HEADER}=.AA.AA`, 'a part is empty or not canonical base64url'],
    [`${HEADER}.AB.AA`, 'a part is empty or not canonical base64url'],
    [`${HEADER}.AA.AB`, 'a part is empty or not canonical base64url'],
    [` ${HEADER}.AA.AA`, 'a part is empty or not canonical base64url'],
    [`${encode('[]')}.AA.AA`, 'it is not an object'],
    [`${encode('"a"')}.AA.AA`, 'it is not an object'],
    [`${encode('null')}.AA.AA`, 'it is not an object'],
    [`${encode('{"a":1,"a":1}')}.AA.AA`, 'it names a member twice'],
    [`${encode('{')}.AA.AA`, 'it is not JSON in UTF-8'],
    [`${HEADER}.${'A'.repeat(100)}.AA`, 'it has more than 100 characters'],
  ])('refuses %j: %s', (text, expected) => {
    expect(why(text)).toBe(expected)
  })

  it('lets through as much as its bound, again and again', () => {
    const text = `${HEADER}.${'A'.repeat(100 - HEADER.length - 5)}A.AA`
    expect(text).toHaveLength(100)
    expect(why(text)).toEqual({ a: 1 })
    expect(why(`${HEADER}.AAAA.${'A'.repeat(100 - HEADER.length - 6)}`)).toEqual({ a: 1 })
    for (let i = 0; i < 200; i += 1) expect(why(`${encode(`{"i":${i}}`)}.AA.AA`)).toEqual({ i })
    expect(why(text)).toEqual({ a: 1 })
  })

  it('stands in front of every token', async () => {
    const { token } = minted()
    expect(await outcome(verify(`${token}.`))).toBe('token-malformed')
    expect(await outcome(verify(`${token}=`))).toBe('token-malformed')
    expect(await outcome(verify(undefined as never))).toBe('token-malformed')
    const [head, , signature] = token.split('.')
    expect((await refusal(verify(`${head}.${'A'.repeat(8192)}.${signature}`))).facts).toEqual({ why: 'it has more than 8192 characters' })
  })

  it('names members that may not be there', () => {
    expect(() => allowOnly(['a'], { header: { a: 1 }, text: '' }, 'header-not-allowed')).not.toThrow()
    expect(() => allowOnly(['b'], { header: { a: 1, b: 1 }, text: '' }, 'header-not-allowed')).toThrow(
      expect.objectContaining({ code: 'header-not-allowed', facts: { foreign: ['a'] } }),
    )
  })
})

const read = (text: string | Uint8Array): unknown => {
  try {
    return readObject(Buffer.from(text), 'claims-malformed')
  } catch (error) {
    return (error as { facts: { why: string } }).facts.why
  }
}
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const listed = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

describe('strict JSON', () => {
  it.each([
    '{}',
    '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}',
    String.raw`{"a":"\"a\":1,\"a\":1"}`,
    String.raw`{"a\\":1,"a":"\\"}`,
    String.raw`{"\"":1,"\\\"":"x:\\"}`,
    ' { "a" : "b:c" , "d:e" : [ 1 , "f:g" ] } ',
    '{"__proto__":1,"toString":2}',
    '{"2":1,"1":2}',
    nested(16),
    listed(16),
  ])('reads %j', (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['{"a":1,"a":2}', 'it names a member twice'],
    ['{"a":{"b":1,"b":1}}', 'it names a member twice'],
    ['{"a":[[{"b":1,"b":1}]]}', 'it names a member twice'],
    [String.raw`{"a":1,"\u0061":2}`, 'it names a member twice'],
    [String.raw`{"\\":1,"\\" :"\\"}`, 'it names a member twice'],
    ['{"__proto__":1,"__proto__":2}', 'it names a member twice'],
    ['{"":1,"":2}', 'it names a member twice'],
    [nested(17), 'it is nested deeper than 16'],
    [listed(17), 'it is nested deeper than 16'],
    ['', 'it is not JSON in UTF-8'],
    ['\ufeff{}', 'it is not JSON in UTF-8'],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'it is not JSON in UTF-8'],
    ['{}{}', 'it is not JSON in UTF-8'],
    ['1', 'it is not an object'],
    ['[{}]', 'it is not an object'],
  ])('refuses %j: %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it('keeps what went wrong underneath', () => {
    expect(() => readObject(Buffer.from('{'), 'keys-invalid')).toThrow(
      expect.objectContaining({ code: 'keys-invalid', cause: expect.any(SyntaxError) }),
    )
  })
})
