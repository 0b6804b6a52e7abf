import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRevoked } from './crl-serials.ts'
import type { DerDocument } from './der.ts'
import { AttestationError } from './problems.ts'

const DOCUMENT: DerDocument = { what: 'crl', code: 'snp-crl-signature' }
const malformed = expect.objectContaining({ code: 'snp-crl-signature', at: 'crl.revokedCertificates' })
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const DATE = `170d${Buffer.from('260601000000Z').toString('hex')}`
const REASON = '300c300a0603551d1504030a0101'
const tlv = (tag: string, content: string): string => `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`
const entry = (serial: string, rest = DATE): string => tlv('30', `${tlv('02', serial)}${rest}`)
const read = (...entries: readonly string[]) => readRevoked(bytes(entries.join('')), DOCUMENT)

const isHandled = (input: Uint8Array): boolean => {
  try {
    return readRevoked(input, DOCUMENT).size >= 0
  } catch (error) {
    return error instanceof AttestationError
  }
}

describe('revoked serial numbers', () => {
  it('are found, and no others', () => {
    const list = read(entry('010001'), entry('00'), entry('0080', DATE + REASON), entry('7f'))
    expect(list.size).toBe(4)
    expect([0x10001n, 0n, 0x80n, 0x7fn].map(list.has)).toEqual([true, true, true, true])
    expect([1n, 0x100n, 0x010000n, 0x1000100n, 0x8000n, 0xffn, 2n ** 159n].map(list.has)).toEqual(Array.from({ length: 7 }, () => false))
    expect(list.otherExtensions).toEqual([])
  })

  it('may be none', () => {
    const list = read()
    expect([list.size, list.has(0n), list.has(1n)]).toEqual([0, false, false])
  })

  it('are never matched by a negative number', () => {
    const list = read(entry('80'))
    expect([list.has(0x80n), list.has(128n)]).toEqual([false, false])
  })

  it('may have 20 bytes', () => expect(read(entry(`00${'ff'.repeat(20)}`)).has(2n ** 160n - 1n)).toBe(true))

  it('may be dated by either type of time', () => {
    const late = `180f${Buffer.from('20500601000000Z').toString('hex')}`
    expect(read(entry('05', late)).has(5n)).toBe(true)
  })

  it('hand on the extensions of their entries, apart from plain reason codes', () => {
    const invalidity = '3010 300e 0603551d18 0407 0505050505'.replaceAll(' ', '')
    const list = read(entry('01', DATE + REASON), entry('02', DATE + invalidity))
    expect(list.otherExtensions.map((other) => Buffer.from(other).toString('hex'))).toEqual([invalidity])
  })

  it.each([
    ['an entry of another type', `31${entry('01').slice(2)}`],
    ['an entry that is cut short', entry('01').slice(0, -2)],
    ['an entry whose extensions are cut short', entry('01', DATE + REASON).slice(0, -2)],
    ['an entry that ends inside its date', `30050201 01${DATE}`.replace(' ', '')],
    ['an entry that ends inside its date, at the end of the next', `${tlv('30', `020101${DATE.slice(0, 8)}`)}${DATE.slice(8)}`],
    // The end of the first date, "0Z", is also a header of 90 bytes.
    [
      'an entry that ends inside its date, where another begins',
      `${tlv('30', `020101170d${'30'.repeat(11)}`)}305a020105${DATE}${'00'.repeat(72)}`,
    ],
    ['an entry whose date is all that is behind its end', `3003020101${DATE}`],
    ['an entry without a date', entry('01', '')],
    ['an entry without a serial number', tlv('30', DATE)],
    ['an empty serial number', entry('')],
    ['a serial number that is not minimal', entry('0001')],
    ['a negative one that is not minimal', entry('ff80')],
    ['a serial number of 22 bytes', entry(`01${'00'.repeat(21)}`)],
    ['a serial number that reaches into the next entry', `${tlv('30', `0220${DATE}`)}${entry('01')}`],
    ['a date that is none', entry('01', `170d${'41'.repeat(12)}5a`)],
    ['a date without Z', entry('01', `170d${'30'.repeat(13)}`)],
    ['a date of another length', entry('01', `170b${'30'.repeat(10)}5a`)],
    ['an indefinite length', `3080${entry('01').slice(4)}0000`],
  ])('are refused with %s', (_, hex) => expect(() => read(hex)).toThrow(malformed))

  it('are refused when very many entries have unusual extensions', () => {
    expect(() => read(...Array.from({ length: 1001 }, () => entry('01', `${DATE}3000`)))).toThrow(malformed)
  })

  it('are read or refused for any bytes', () => {
    expect(isHandled(bytes(entry('01')))).toBe(true)
    expect(() => assert(property(uint8Array({ maxLength: 80 }), isHandled), { seed: 20261123, numRuns: 2000 })).not.toThrow()
  })

  it('of a hundred thousand entries with reason codes are all found', () => {
    const serials = Array.from({ length: 100_000 }, (_, i) => BigInt(i) * 7919n)
    const hex = serials.map((serial) => {
      const digits = serial.toString(16).padStart(2, '0')
      const even = digits.length % 2 === 0 ? digits : `0${digits}`
      return entry(Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`, DATE + REASON)
    })
    const list = read(...hex)
    expect(list.size).toBe(100_000)
    expect(serials.every(list.has)).toBe(true)
    expect(serials.some((serial) => list.has(serial + 1n))).toBe(false)
  })
})
