import { describe, expect, it } from 'vitest'
import { AttestationError } from './problems.ts'
import { readJson } from './strict-json.ts'

const RULES = { code: 'tdx-event-log-malformed', at: 'log', depth: 3, marks: 8 } as const
const read = (text: string) => readJson(new Uint8Array(Buffer.from(text)), RULES)

function refusal(bytes: Uint8Array): string {
  try {
    return `read ${JSON.stringify(readJson(bytes, RULES))}`
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.code} ${error.at}: ${error.message}`
  }
}

// The structure itself is tested where it is used most: routes/gate.test.ts.
describe('strict JSON', () => {
  it('reads within its bounds', () => {
    expect(read('[[["a"]]]')).toEqual([[['a']]])
    expect(read('[0,0,0,0,0,0,0]')).toHaveLength(7)
  })

  it.each([
    ['[[[[]]]]', 'nesting is deeper than 3 at character 3'],
    ['[0,0,0,0,0,0,0,0]', 'more than 8 values and members'],
    ['{"a":1,"\\u0061":2}', 'a member appears a second time at character 7'],
    ['{"__proto__":1}', 'a member has a forbidden name at character 1'],
    ['[1', 'the log is not JSON'],
    ['', 'the log is not JSON'],
  ])('refuses %s with the code of its rules', (text, why) => {
    expect(refusal(new Uint8Array(Buffer.from(text)))).toBe(`tdx-event-log-malformed log: ${why}`)
  })

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22))).toBe('tdx-event-log-malformed log: the log is not UTF-8')
    expect(refusal(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toBe('tdx-event-log-malformed log: the log is not JSON')
  })
})
