import { assert, nat, oneof, property, tuple, uint8Array } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeAmd } from '../simulator/amd.ts'
import { readCertificateBlob, readCertificateChain } from './pem.ts'
import { AttestationError } from './problems.ts'

let der: Uint8Array
beforeAll(async () => {
  der = (await fakeAmd({ products: ['Milan'] })).vcek({ product: 'Milan' }).der
})

const pem = (bytes: Uint8Array, width = 64): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n')
}
const read = (input: string | Uint8Array): Uint8Array =>
  readCertificateBlob(typeof input === 'string' ? Buffer.from(input, 'latin1') : input, 'cert')
const malformed = expect.objectContaining({ code: 'snp-certificate-malformed', at: expect.stringMatching(/^cert(\.|$)/) as string })

/** The outline of a certificate, ten bytes: its base64 ends in padding. */
const SMALL = Uint8Array.of(0x30, 0x08, 0x30, 0, 0x30, 0, 0x03, 2, 0, 0)

/** The outline of a certificate whose first part is so many SEQUENCEs inside each other. */
function nestedOutline(depth: number): Uint8Array {
  const tbs = Array.from({ length: depth }).reduce<Uint8Array>((inner) => Uint8Array.of(0x30, inner.length, ...inner), new Uint8Array())
  return Uint8Array.of(0x30, tbs.length + 6, ...tbs, 0x30, 0, 0x03, 2, 0, 0)
}

const header = (tag: number, size: number): readonly number[] => [tag, 0x82, size >> 8, size & 0xff]

/** The outline of a certificate that has so many bytes, in lengths of two bytes. */
function sized(length: number): Uint8Array {
  const signature = new Uint8Array(length - 12)
  return Uint8Array.of(...header(0x30, length - 4), 0x30, 0, 0x30, 0, ...header(0x03, signature.length), ...signature)
}

describe('a certificate blob is read', () => {
  it('nested as deep and as large as is allowed', () => {
    expect(read(nestedOutline(31))).toHaveLength(2 * 31 + 8)
    expect(read(sized(65_536))).toHaveLength(65_536)
  })

  it.each([
    ['DER', () => der],
    ['PEM', () => pem(der)],
    ['PEM with a final line break', () => `${pem(der)}\n`],
    ['PEM with CR LF', () => `${pem(der).replaceAll('\n', '\r\n')}\r\n`],
    ['PEM with longer lines', () => pem(der, 76)],
  ])('from %s', (_, make) => expect(Buffer.from(read(make()))).toEqual(Buffer.from(der)))

  it('from PEM with padding', () => expect(Buffer.from(read(pem(SMALL)))).toEqual(Buffer.from(SMALL)))

  it('as a copy', () => {
    const input = der.slice()
    const out = read(input)
    input.fill(0)
    expect(Buffer.from(out)).toEqual(Buffer.from(der))
  })
})

const isHandled = (input: Uint8Array): boolean => {
  try {
    return read(input).length > 0
  } catch (error) {
    return error instanceof AttestationError
  }
}

describe('a certificate blob is refused', () => {
  it.each([
    ['empty', () => new Uint8Array(0)],
    ['one byte', () => Uint8Array.of(0x30)],
    ['DER with a byte behind it', () => Uint8Array.of(...der, 0)],
    ['DER cut short', () => der.subarray(0, -1)],
    ['DER twice', () => Uint8Array.of(...der, ...der)],
    ['DER that is no certificate', () => Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00)],
    ['DER with an extra element in the certificate', () => Uint8Array.of(0x30, 0x09, 0x30, 0, 0x30, 0, 0x03, 1, 0, 0x05, 0)],
    ['two PEM blocks', () => `${pem(der)}\n${pem(der)}`],
    ['10,000 PEM blocks', () => `${pem(der)}\n`.repeat(10_000)],
    ['10,000 empty PEM blocks', () => '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'.repeat(10_000)],
    ['PEM with text before it', () => `subject=x\n${pem(der)}`],
    ['PEM with text behind it', () => `${pem(der)}\nx`],
    ['PEM with two final line breaks', () => `${pem(der)}\n\n`],
    ['PEM with a space in it', () => pem(der).replace('\n', '\n ')],
    ['PEM with an empty line in it', () => pem(der).replace('\n', '\n\n')],
    ['PEM of another label', () => pem(der).replaceAll('CERTIFICATE', 'PUBLIC KEY')],
    ['PEM without its end', () => pem(der).replace('-----END CERTIFICATE-----', '')],
    ['PEM whose base64 is not canonical', () => pem(der).replace(/=*\n-----END/, '====\n-----END')],
    ['PEM whose last character has bits that do not count', () => pem(SMALL).replace('AA==', 'AB==')],
    ['PEM with padding inside', () => pem(SMALL).replace('MAgw', 'MA==\nMAgw')],
    ['PEM of DER with a byte behind it', () => pem(Uint8Array.of(...der, 0))],
    ['an outline whose parts are no DER', () => Uint8Array.of(0x30, 0x0a, 0x30, 0x02, 0x30, 0x05, 0x30, 0, 0x03, 2, 0, 0)],
    ['an outline of parts that are nested too deep', () => nestedOutline(32)],
    ['64 KiB and a byte, well-formed', () => sized(65_537)],
    ['more than 64 KiB', () => Uint8Array.of(0x30, 0x83, 0x01, 0x00, 0x00, ...new Uint8Array(65536))],
  ])('%s', (_, make) => expect(() => read(make())).toThrow(malformed))

  it('nested 30,000 deep', () => {
    // Two bytes for each level: short lengths that cannot be true, and longer ones that are.
    expect(() => read(new Uint8Array(60_000).fill(0x30))).toThrow(malformed)
  })

  it('for any bytes with AttestationError only', () => {
    const flips = tuple(nat(der.length - 1), nat(255)).map(([at, value]) => der.with(at, value))
    expect(() => assert(property(oneof(uint8Array({ maxLength: 100 }), flips), isHandled), { seed: 20261123, numRuns: 1000 })).not.toThrow()
  })
})

const chain = (input: string | Uint8Array): readonly Uint8Array[] =>
  readCertificateChain(typeof input === 'string' ? Buffer.from(input, 'latin1') : input, { what: 'cert', code: 'tdx-pck-chain-malformed' })
const other = pem(SMALL)
const brokenChain = expect.objectContaining({ code: 'tdx-pck-chain-malformed', at: expect.stringMatching(/^cert(\.|\[|$)/) as string })

describe('a chain in PEM is read', () => {
  it.each([
    ['one block behind the other', () => `${pem(der)}\n${other}\n`],
    ['without a line break at the end', () => `${pem(der)}\n${other}`],
    ['with one NUL at the end', () => `${pem(der)}\n${other}\n\0`],
    ['with blank lines between', () => `${pem(der)}\n\n \t\r\n${other}\n`],
    ['with CR LF', () => `${pem(der)}\n${other}\n`.replaceAll('\n', '\r\n')],
  ])('%s', (_, make) => expect(chain(make()).map((one) => Buffer.from(one))).toEqual([der, SMALL].map((one) => Buffer.from(one))))

  it('with as many certificates as fit', () => expect(chain(`${other}\n`.repeat(900))).toHaveLength(900))

  it.each([
    ['nothing', () => ''],
    ['white space', () => ' \n'],
    ['a NUL alone', () => '\0'],
    ['two NULs at the end', () => `${other}\n\0\0`],
    ['text before', () => `x\n${other}\n`],
    ['text between', () => `${other}\nx\n${other}\n`],
    ['text behind an end', () => `${other} x\n`],
    ['text at the end', () => `${other}\nx`],
    ['blocks on one line', () => `${other}${other}`.replaceAll('\n', '')],
    ['a key', () => other.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['a block without an end', () => `${other}\n${other.split('\n').slice(0, -1).join('\n')}\n`],
    ['DER', () => der],
    ['a block that is no certificate', () => `${other}\n${pem(Uint8Array.of(0x30, 0))}\n`],
    ['more than 64 KiB', () => `${other}\n`.repeat(1100)],
  ])('not from %s', (_, make) => expect(() => chain(make())).toThrow(brokenChain))
})
