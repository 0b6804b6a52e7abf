import { describe, expect, it } from 'vitest'
import { AttestationError } from './problems.ts'
import { Reader } from './reader.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const what = { what: 'thing' }

/** The error that a reading throws. */
function errorOf(read: () => unknown): AttestationError {
  try {
    read()
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('Reader', () => {
  it('reads little-endian integers in order', () => {
    const read = Reader.all(bytes('0102030405060708090a0b0c0d0e0f'), what, (r) => [
      r.u8('A'),
      r.u16le('B'),
      r.u32le('C'),
      r.u64le('D'),
      r.left,
      r.offset,
    ])
    expect(read).toEqual([0x01, 0x0302, 0x07060504, 0x0f0e0d0c0b0a0908n, 0, 15])
  })

  it('reads big-endian integers in order', () => {
    const read = Reader.all(bytes('0102030405060708090a0b0c0d0e'), what, (r) => [r.u16be('A'), r.u32be('B'), r.u64be('C'), r.offset])
    expect(read).toEqual([0x0102, 0x03040506, 0x0708090a0b0c0d0en, 14])
  })

  it('reads the highest bit as one of the number, whichever end comes first', () => {
    const read = Reader.all(bytes('f0010203f001020304050607'), what, (r) => [r.u32be('A'), r.u64be('B')])
    expect(read).toEqual([0xf0010203, 0xf001020304050607n])
    expect(Reader.all(bytes('010203f0'), what, (r) => r.u32le('A'))).toBe(0xf0030201)
  })

  it.each<[string, (r: Reader) => unknown]>([
    ['16', (r) => r.u16be('A')],
    ['32', (r) => r.u32be('A')],
    ['64', (r) => r.u64be('A')],
  ])('refuses to read %s bits where a byte is missing', (bits, read) => {
    const length = Number(bits) / 8
    const error = errorOf(() => Reader.all(new Uint8Array(length - 1), what, read))
    expect(error.message).toBe(`thing.A @0: needs ${length} bytes, ${length - 1} left`)
  })

  it('hands out windows on its bytes, and no further', () => {
    const source = bytes('01020304')
    const read = Reader.all(source.subarray(1), what, (r) => [r.window('A', 2), r.window('B', 1)])
    source.fill(0xff, 1, 3)
    expect(read.map((window) => [...window])).toEqual([[0xff, 0xff], [4]])
  })

  it('reads a view that does not start at the beginning of its buffer', () => {
    const view = bytes('ffff0102').subarray(2)
    expect(Reader.all(view, what, (r) => r.u16le('A'))).toBe(0x0201)
  })

  it('copies what it hands out', () => {
    const source = bytes('0102')
    const read = Reader.all(source, what, (r) => r.bytes('A', 2))
    source.fill(0xff)
    expect([...read]).toEqual([1, 2])
  })

  it('refuses to read past the end, and names the field and the place', () => {
    const error = errorOf(() => Reader.all(bytes('0102'), what, (r) => [r.u8('A'), r.u16le('B')]))
    expect(error.code).toBe('evidence-malformed')
    expect(error.at).toBe('thing.B')
    expect(error.message).toBe('thing.B @1: needs 2 bytes, 1 left')
  })

  it('refuses bytes that nobody read', () => {
    const error = errorOf(() => Reader.all(bytes('0102'), what, (r) => r.u8('A')))
    expect(error.message).toContain('1 bytes follow the last field')
  })

  it('proves that reserved bytes are zero, under a code of their own if there is one', () => {
    expect(Reader.all(bytes('0000'), what, (r) => r.zeros('R', 2))).toBeUndefined()
    expect(errorOf(() => Reader.all(bytes('0001'), what, (r) => r.zeros('R', 2))).code).toBe('evidence-malformed')
    expect(errorOf(() => Reader.all(bytes('0001'), what, (r) => r.zeros('R', 2, 'snp-reserved-nonzero'))).code).toBe('snp-reserved-nonzero')
  })

  it('uses the code that the caller gave for every failure', () => {
    const snp = { what: 'snp-report', code: 'snp-report-size' } as const
    expect(errorOf(() => Reader.all(bytes(''), snp, (r) => r.u8('A'))).code).toBe('snp-report-size')
    expect(errorOf(() => Reader.all(bytes('00'), snp, () => 0)).code).toBe('snp-report-size')
  })
})
