import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, decodeMarks, encodeMarks, higherMark, isAddress, isOlder, mergedMarks, type MarkTable } from './marks.ts'

const at = (day: number): Date => new Date(Date.UTC(2026, 0, day))
const address = 'amd/crl/Milan/vcek'
const table = (number: bigint, day: number): MarkTable => new Map([[address, { number, thisUpdate: at(day) }]])

describe('rollback marks', () => {
  it('advance by number and by date separately', () => {
    expect(higherMark({ number: 5n, thisUpdate: at(1) }, { number: 3n, thisUpdate: at(9) })).toEqual({ number: 5n, thisUpdate: at(9) })
  })

  it('call a document older when either is lower', () => {
    const seen = { number: 5n, thisUpdate: at(5) }
    expect(isOlder({ number: 5n, thisUpdate: at(5) }, seen)).toBe(false)
    expect(isOlder({ number: 4n, thisUpdate: at(6) }, seen)).toBe(true)
    expect(isOlder({ number: 6n, thisUpdate: at(4) }, seen)).toBe(true)
  })

  it('merge to a table that covers both, in any order', () => {
    const mark = fc.record({ number: fc.bigInt(0n, 20n), thisUpdate: fc.integer({ min: 1, max: 20 }).map(at) })
    const tables = fc.dictionary(fc.constantFrom('amd/crl/Milan/vcek', 'amd/crl/Genoa/vlek'), mark)
    fc.assert(
      fc.property(tables, tables, (x, y) => {
        const [a, b] = [x, y].map((rows) => new Map(Object.entries(rows)) as MarkTable) as [MarkTable, MarkTable]
        expect(covers(mergedMarks(a, b), a) && covers(mergedMarks(a, b), b)).toBe(true)
        expect(mergedMarks(a, b)).toEqual(mergedMarks(b, a))
      }),
      { seed: 20261123 },
    )
  })

  it('do not cover a table with a mark that is higher or not there', () => {
    expect(covers(table(1n, 1), table(1n, 1))).toBe(true)
    expect(covers(table(1n, 9), table(2n, 1))).toBe(false)
    expect(covers(new Map(), table(1n, 1))).toBe(false)
  })

  it('survive encoding, with numbers of twenty bytes', () => {
    const large = table((1n << 159n) - 1n, 3)
    expect(decodeMarks(encodeMarks(large))).toEqual(large)
  })

  it.each([
    '',
    '{}',
    '[1]',
    '[["amd/crl/Milan/vcek","x","2026-01-01"]]',
    '[["amd/crl/Milan/vcek","1","never"]]',
    '[["../x","1","2026-01-01"]]',
  ])('are unreadable as %s, as a whole', (text) => expect(decodeMarks(Buffer.from(text))).toBeUndefined())
})

describe('an address that names a file', () => {
  it.each([
    'amd/crl/../marks',
    'amd/',
    'amd',
    '/etc/passwd',
    'amd/crl/Milan\0',
    'amd/a b',
    'other/crl',
    'amd/_/x',
    `amd/${'x'.repeat(200)}`,
  ])('is not %j', (text) => expect(isAddress(text)).toBe(false))

  it('is each of ours', () => {
    expect(isAddress(`amd/vcek/Milan/${'ab'.repeat(64)}/3-0-8-115`)).toBe(true)
    expect(isAddress('amd/crl/Turin/vlek')).toBe(true)
  })
})
