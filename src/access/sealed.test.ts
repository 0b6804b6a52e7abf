import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSeal, type SealParts } from './sealed.ts'

const PARTS: SealParts = {
  key: createSecretKey(Buffer.alloc(32, 1)),
  purpose: 'tpm-enrolment',
  issuer: 'https://assay.example',
  mode: 'production',
}
const state = new TextEncoder().encode('{"a": 1}')

describe('a sealed state', () => {
  const { seal, open } = createSeal(PARTS)
  const sealed = seal(state)

  it('is opened by every replica, and shows nothing', () => {
    expect(createSeal({ ...PARTS }).open(sealed)).toEqual(state)
    expect(Buffer.from(sealed).includes('"a"')).toBe(false)
    expect(open(seal(new Uint8Array(0)))).toEqual(new Uint8Array(0))
  })

  it('is never the same twice', () => expect(seal(state)).not.toEqual(sealed))

  it.each<[string, Partial<SealParts>]>([
    ['for another purpose', { purpose: 'ima-state' }],
    ['by another service', { issuer: 'https://assay.example.org' }],
    ['in another mode', { mode: 'test' }],
    ['under another secret', { key: createSecretKey(Buffer.alloc(32, 2)) }],
  ])('is not one that was made %s', (_, change) => {
    const other = createSeal({ ...PARTS, ...change })
    expect(other.open(other.seal(state))).toEqual(state)
    expect(other.open(sealed)).toBeUndefined()
    expect(open(other.seal(state))).toBeUndefined()
  })

  it('opens in none of its bits changed, cut, or with more behind it', () => {
    const flipped = Array.from(sealed, (_, at) => sealed.map((byte, index) => (index === at ? byte ^ 0x80 : byte)))
    expect(flipped.map(open).filter((opened) => opened !== undefined)).toEqual([])
    const cut = Array.from(sealed, (_, length) => sealed.subarray(0, length))
    expect(cut.map(open).filter((opened) => opened !== undefined)).toEqual([])
    expect(open(Uint8Array.of(...sealed, 0))).toBeUndefined()
  })
})
