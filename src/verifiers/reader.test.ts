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
