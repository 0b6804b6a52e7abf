import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DerReader, MAX_DEPTH, TAG, checkWellFormed, explicitTag, type DerDocument } from './der.ts'
import { AttestationError } from './problems.ts'

const DOCUMENT: DerDocument = { what: 'thing', code: 'snp-certificate-malformed' }
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const read = <T>(hex: string, decode: (r: DerReader) => T): T => DerReader.all(bytes(hex), DOCUMENT, decode)
const malformed = expect.objectContaining({ name: 'AttestationError', code: 'snp-certificate-malformed' })

const time = (tag: string, text: string): string =>
  `${tag} ${text.length.toString(16).padStart(2, '0')} ${Buffer.from(text).toString('hex')}`

const maybeBoth = (r: DerReader) => [
  r.optional('a', explicitTag(0), (a) => a.integer('n')),
  r.optional('b', explicitTag(1), (b) => b.null('z')),
]

describe('element headers', () => {
  it.each([
    ['short', '04 02 aabb', 2],
    ['one length byte', `04 81 80 ${'00'.repeat(128)}`, 128],
    ['two length bytes', `04 82 0100 ${'00'.repeat(256)}`, 256],
    ['three length bytes', `04 83 010000 ${'00'.repeat(65536)}`, 65536],
  ])('%s', (_, hex, length) => expect(read(hex, (r) => r.octets('x')).length).toBe(length))

  it.each([
    ['indefinite length', '30 80 0000'],
    ['length not minimal: one byte for less than 128', `04 81 7f ${'00'.repeat(127)}`],
    ['length not minimal: leading zero', `04 82 0080 ${'00'.repeat(128)}`],
    ['length not minimal: three bytes for two', `04 83 000100 ${'00'.repeat(256)}`],
    ['four length bytes', `04 84 00000001 00`],
    ['reserved length byte', '04 ff 00'],
    ['length bytes missing', '04 82 01'],
    ['no length', '04'],
    ['contents missing', '04 03 aabb'],
    ['tag of several bytes', '1f 81 01 00'],
    ['tag of several bytes that could be read as one', '1f 00'],
    ['constructed tag of several bytes', 'bf 00'],
    ['end-of-contents tag', '00 00'],
    ['nothing', ''],
  ])('refuses %s', (_, hex) => expect(() => read(hex, (r) => r.any('x'))).toThrow(malformed))

  it('refuses bytes behind the last element, at every level', () => {
    expect(() => read('05 00 00', (r) => r.null('x'))).toThrow(malformed)
    expect(() => read('30 04 0500 0500', (r) => r.sequence('x', (s) => s.null('y')))).toThrow(malformed)
  })

  it('gives an element with and without its header', () => {
    const { tag, content, whole } = read('30 02 0500', (r) => r.any('x'))
    expect([tag, Buffer.from(content).toString('hex'), Buffer.from(whole).toString('hex')]).toEqual([0x30, '0500', '30020500'])
  })

  it('says where and what', () => {
    expect(() => read('30 03 020105', (r) => r.sequence('outer', (s) => s.octets('inner')))).toThrow(
      /^thing\.outer\.inner @0: is not of type 04h$/,
    )
  })
})

describe('values', () => {
  it.each([
    ['02 01 00', 0n],
    ['02 01 7f', 127n],
    ['02 02 0080', 128n],
    ['02 01 80', -128n],
    ['02 02 ff7f', -129n],
    [`02 15 00${'ff'.repeat(20)}`, 2n ** 160n - 1n],
  ])('INTEGER %s', (hex, value) => expect(read(hex, (r) => r.integer('x'))).toBe(value))

  it.each([
    ['empty', '02 00'],
    ['padded with zero', '02 02 007f'],
    ['padded with ones', '02 02 ff80'],
    ['longer than a serial number', `02 16 01${'00'.repeat(21)}`],
    ['another type', '0a 01 00'],
  ])('refuses INTEGER %s', (_, hex) => expect(() => read(hex, (r) => r.integer('x'))).toThrow(malformed))

  it.each([
    ['06 03 550406', '2.5.4.6'],
    ['06 09 2a864886f70d01010a', '1.2.840.113549.1.1.10'],
    ['06 01 00', '0.0'],
    ['06 01 4f', '1.39'],
    ['06 01 50', '2.0'],
    ['06 15 6983b68de5fae9c69aadd983f792f7badfa1ff3f01', '2.25.291172566907466161648125306256757391295.1'],
  ])('OBJECT IDENTIFIER %s', (hex, text) => expect(read(hex, (r) => r.oid('x'))).toBe(text))

  it.each([
    ['empty', '06 00'],
    ['arc with a leading zero septet', '06 03 558004'],
    ['unfinished arc', '06 02 5584'],
    ['longer than any that is used', `06 31 ${'01'.repeat(49)}`],
  ])('refuses OBJECT IDENTIFIER %s', (_, hex) => expect(() => read(hex, (r) => r.oid('x'))).toThrow(malformed))

  it.each([
    ['17', '201022172305Z', '2020-10-22T17:23:05.000Z'],
    ['17', '491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['17', '500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['17', '240229000000Z', '2024-02-29T00:00:00.000Z'],
    ['18', '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    ['18', '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  ])('time %s %s', (tag, text, iso) => expect(read(time(tag, text), (r) => r.time('x')).toISOString()).toBe(iso))

  it.each([
    ['UTCTime without seconds', '17', '2010221723Z'],
    ['UTCTime with an offset', '17', '201022172305+0000'],
    ['a day that is not', '17', '230229000000Z'],
    ['month 13', '17', '231301000000Z'],
    ['hour 24', '17', '230101240000Z'],
    ['second 60', '17', '230101000060Z'],
    ['GeneralizedTime for a year of UTCTime', '18', '20491231235959Z'],
    ['GeneralizedTime with fractions', '18', '20500101000000.5Z'],
    ['a string that reads like a time', '04', '20500101000000Z'],
    ['GeneralizedTime without Z', '18', '20500101000000'],
    ['text of another type', '0c', '201022172305Z'],
    ['a line break behind it', '17', '201022172305Z\n'],
  ])('refuses %s', (_, tag, text) => expect(() => read(time(tag, text), (r) => r.time('x'))).toThrow(malformed))

  it('reads TRUE only as FF, and never a written-out default', () => {
    expect(read('01 01 ff', (r) => r.true('x'))).toBe(true)
    for (const hex of ['01 01 00', '01 01 01', '01 02 ffff', '01 00']) expect(() => read(hex, (r) => r.true('x'))).toThrow(malformed)
  })

  it('reads NULL only empty', () => {
    expect(() => read('05 01 00', (r) => r.null('x'))).toThrow(malformed)
  })

  it('reads bit strings of whole bytes only', () => {
    expect(read('03 03 00aabb', (r) => r.bitBytes('x')).length).toBe(2)
    for (const hex of ['03 00', '03 02 04f0', '03 02 0800']) expect(() => read(hex, (r) => r.bitBytes('x'))).toThrow(malformed)
  })

  it('reads optional elements by their tag', () => {
    expect(read('a1 02 0500', maybeBoth)).toEqual([undefined, null])
    expect(read('a0 03 020105', maybeBoth)).toEqual([5n, undefined])
  })
})

/** `levels` sequences, one inside the other. */
function nested(levels: number): Uint8Array {
  let inner = Buffer.alloc(0)
  for (let i = 0; i < levels; i += 1) inner = Buffer.concat([header(inner.length), inner])
  return inner
}
const header = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(TAG.SEQUENCE, length)
  const hex = length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0')
  return Buffer.concat([Buffer.of(TAG.SEQUENCE, 0x80 | (hex.length / 2)), Buffer.from(hex, 'hex')])
}

const descend = (r: DerReader): number => (r.left === 0 ? 0 : 1 + r.sequence('level', descend))

describe('nesting', () => {
  it('is read to its limit and not beyond', () => {
    expect(DerReader.all(nested(MAX_DEPTH), DOCUMENT, descend)).toBe(MAX_DEPTH)
    expect(() => DerReader.all(nested(MAX_DEPTH + 1), DOCUMENT, descend)).toThrow(malformed)
    expect(() => checkWellFormed(nested(MAX_DEPTH), DOCUMENT)).not.toThrow()
    expect(() => checkWellFormed(nested(MAX_DEPTH + 1), DOCUMENT)).toThrow(malformed)
  })

  it('of 30,000 levels is a plain refusal', () => {
    const bomb = nested(30_000)
    expect(() => DerReader.all(bomb, DOCUMENT, descend)).toThrow(malformed)
    expect(() => checkWellFormed(bomb, DOCUMENT)).toThrow(malformed)
  })
})

/** What a reader let out besides AttestationError; undefined when nothing. */
function escaped(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof AttestationError ? undefined : error
  }
}

const isHandled = (input: Uint8Array): boolean => {
  const runs = [TAG.INTEGER, TAG.OID, TAG.UTC_TIME, TAG.BIT_STRING, TAG.BOOLEAN].map(
    (tag) => () => DerReader.all(Uint8Array.of(tag, input.length, ...input), DOCUMENT, readAs(tag)),
  )
  const whole = [() => checkWellFormed(input, DOCUMENT), () => DerReader.all(input, DOCUMENT, (r) => r.list((e) => e.any('x')))]
  return [...whole, ...runs].every((run) => escaped(run) === undefined)
}

const isSame = (content: Uint8Array): boolean => {
  const whole = Uint8Array.of(...header(content.length), ...content)
  whole[0] = TAG.OCTET_STRING
  return Buffer.from(DerReader.all(whole, DOCUMENT, (r) => r.octets('x'))).equals(content)
}

describe('any bytes', () => {
  it('are read or refused, never worse', () => {
    expect(() => assert(property(uint8Array({ maxLength: 64 }), isHandled), { seed: 20261123, numRuns: 2000 })).not.toThrow()
  })

  it('come out as they went in', () => {
    expect(() => assert(property(uint8Array({ maxLength: 300 }), isSame), { seed: 20261123 })).not.toThrow()
  })
})

const readAs =
  (tag: number) =>
  (r: DerReader): unknown => {
    if (tag === TAG.INTEGER) return r.integer('x')
    if (tag === TAG.OID) return r.oid('x')
    if (tag === TAG.UTC_TIME) return r.time('x')
    return tag === TAG.BIT_STRING ? r.bitBytes('x') : r.true('x')
  }
