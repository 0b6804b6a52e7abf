import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { lastLink, nextLine, readLine, START } from './audit-chain.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const PREV = 'ab'.repeat(32)

describe('a line', () => {
  it('is read with its place, and with the digest of its bytes', () => {
    const text = `{"seq":1,"prev":"${PREV}","n":1}`
    const link = { seq: 1, sha256: hash('sha256', text, 'hex') }
    expect(readLine(bytes(text))).toEqual({ link, prev: PREV, mends: false })
    expect(readLine(bytes(`{"seq":9007199254740991,"prev":"${PREV}","after_broken":true}`))).toMatchObject({ mends: true })
    expect(readLine(bytes(`{"seq":2,"prev":"${PREV}","after_broken":"true"}`))).toMatchObject({ mends: false })
  })

  it.each([
    '{}',
    '[]',
    `{"prev":"${PREV}"}`,
    `{"seq":"1","prev":"${PREV}"}`,
    `{"seq":0,"prev":"${PREV}"}`,
    `{"seq":-1,"prev":"${PREV}"}`,
    `{"seq":1.5,"prev":"${PREV}"}`,
    `{"seq":9007199254740992,"prev":"${PREV}"}`,
    '{"seq":1}',
    '{"seq":1,"prev":7}',
    `{"seq":1,"prev":["${PREV}"]}`,
    `{"seq":1,"prev":"${PREV}ab"}`,
    `{"seq":1,"prev":"${PREV.toUpperCase()}"}`,
    '{"seq":1,"prev":""}',
  ])('is foreign to every chain: %s', (text) => expect(readLine(bytes(text))).toBe('foreign'))

  it.each(['', 'x', 'null', '7', '"text"', 'true', `{"seq":1,"prev":"${PREV}"`])('is broken: %s', (text) =>
    expect(readLine(bytes(text))).toBe('broken'),
  )

  it('is broken where it is no UTF-8', () => {
    expect(readLine(Buffer.from(`{"seq":1,"prev":"${PREV}","x":"\u00ff"}`, 'latin1'))).toBe('broken')
  })
})

describe('the next line', () => {
  it('names its number and the line before, and what it mends', () => {
    const one = nextLine('{"n":1}', START, false)
    expect(one.text).toBe(`{"seq":1,"prev":"${'0'.repeat(64)}","n":1}`)
    const two = nextLine('{"n":2}', one.link, true)
    expect(two.text).toBe(`{"seq":2,"prev":"${hash('sha256', one.text, 'hex')}","after_broken":true,"n":2}`)
    expect(two.link).toEqual({ seq: 2, sha256: hash('sha256', two.text, 'hex') })
  })
})

const line = nextLine('{"n":1}', START, false)

describe('the end of a text', () => {
  it.each([
    ['the last line', `${line.text}\n`, { link: line.link, rest: false }],
    ['no line that is not ended', line.text, { link: undefined, rest: true }],
    ['the line before what is not ended', `${line.text}\n{"seq"`, { link: line.link, rest: true }],
    ['the line before an empty one', `${line.text}\n\n`, { link: line.link, rest: true }],
    ['the line before foreign ones', `${line.text}\n{}\n{}\n`, { link: line.link, rest: true }],
    ['nothing of nothing', '', { link: undefined, rest: false }],
    ['nothing of a line break', '\n', { link: undefined, rest: true }],
    ['a line behind one that was cut off', `"n":0}\n${line.text}\n`, { link: line.link, rest: false }],
  ])('is %s', (_, text, end) => expect(lastLink(bytes(text))).toEqual(end))
})
