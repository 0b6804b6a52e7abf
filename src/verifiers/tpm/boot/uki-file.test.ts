import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorJson, vectorsPresent } from '../../../../test/vectors.ts'
import { AttestationError } from '../../problems.ts'
import { PHASES } from './phases.ts'
import { measureUki } from './uki-file.ts'
import { predictPcr11 } from './uki.ts'

type Row = { readonly name: string; readonly content: Uint8Array; readonly virtualSize?: number; readonly rawAt?: number }

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >>> 8])
const u32 = (value: number): Buffer => Buffer.from([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff))
const OPTIONAL = 16
const HEADER_BYTES = 64 + 24 + OPTIONAL

/** A PE image with nothing in it but what is read. */
function image(
  rows: readonly Row[],
  changes: { readonly count?: number; readonly magic?: string; readonly signature?: string } = {},
): Uint8Array {
  const { count = rows.length, magic = 'MZ', signature = 'PE\0\0' } = changes
  const dos = Buffer.concat([Buffer.from(magic), Buffer.alloc(58), u32(64)])
  const head = Buffer.concat([
    Buffer.from(signature),
    u16(0x8664),
    u16(count),
    Buffer.alloc(12),
    u16(OPTIONAL),
    u16(0),
    Buffer.alloc(OPTIONAL),
  ])
  let at = HEADER_BYTES + rows.length * 40
  const table = rows.map(({ name, content, virtualSize = content.length, rawAt }) => {
    const row = Buffer.concat([
      Buffer.from(name.padEnd(8, '\0')),
      u32(virtualSize),
      u32(0),
      u32(content.length),
      u32(rawAt ?? at),
      Buffer.alloc(16),
    ])
    at += content.length
    return row
  })
  return new Uint8Array(Buffer.concat([dos, head, ...table, ...rows.map(({ content }) => content)]))
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const measured = (bytes: Uint8Array): readonly (readonly [string, string])[] =>
  measureUki(bytes, 'sha256').map(({ name, digest }) => [name, Buffer.from(digest).toString('hex')] as const)
function refusal(bytes: Uint8Array): string {
  try {
    return `measured ${measureUki(bytes, 'sha256').length}`
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.code} ${error.message}`
  }
}

describe('a unified kernel image', () => {
  it('is measured section by section in the order of the stub, without sections that it does not know', () => {
    const rows = [
      { name: '.text', content: text('stub') },
      { name: '.initrd', content: text('initrd') },
      { name: '.pcrsig', content: text('signature') },
      { name: '.linux', content: text('kernel') },
    ]
    expect(measured(image(rows))).toEqual([
      ['.linux', sha256(text('kernel'))],
      ['.initrd', sha256(text('initrd'))],
    ])
  })

  it('is measured by the size in memory: without padding of the file, with zeros that the file lacks', () => {
    expect(measured(image([{ name: '.linux', content: text('kernel\0\0'), virtualSize: 6 }]))).toEqual([['.linux', sha256(text('kernel'))]])
    expect(measured(image([{ name: '.linux', content: text('kernel'), virtualSize: 8 }]))).toEqual([['.linux', sha256(text('kernel\0\0'))]])
    expect(measured(image([{ name: '.linux', content: text(''), virtualSize: 1024 * 1024 }]))).toEqual([
      ['.linux', sha256(new Uint8Array(1024 * 1024))],
    ])
  })

  const kernel = { name: '.linux', content: text('kernel') }
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'uki.e_magic @0: needs 2 bytes, 0 left'],
    ['another magic', image([kernel], { magic: 'ZM' }), 'uki.e_magic @2: is not MZ'],
    ['another signature', image([kernel], { signature: 'NE\0\0' }), 'uki.Signature @4: is not PE'],
    ['97 sections', image([kernel], { count: 97 }), 'uki.NumberOfSections @8: 97 are more than 96'],
    ['a table behind its end', image([kernel], { count: 3 }), 'uki.Name @40: needs 8 bytes, 6 left'],
    ['a section twice', image([kernel, kernel]), 'uki..linux @0: is there twice'],
    ['a section behind its end', image([{ ...kernel, rawAt: 0xffffffff }]), 'uki..linux @0: ends behind the image'],
    ['a section of a gigabyte', image([{ ...kernel, virtualSize: 0x40000000 }]), 'uki..linux @0: is mostly not in the image'],
    [
      'a section one byte past what may be zeros',
      image([{ ...kernel, content: text(''), virtualSize: 1024 * 1024 + 1 }]),
      'uki..linux @0: is mostly not in the image',
    ],
  ])('is none with %s', (_, bytes, why) => {
    expect(refusal(bytes)).toBe(`evidence-malformed ${why}`)
  })
})

const present = vectorsPresent()

describe.skipIf(!present)('the image that a software TPM measured', () => {
  type Expected = {
    readonly events: readonly { readonly what: string; readonly section: string; readonly sha256: string }[]
    readonly pcr11AfterStub: string
    readonly pcr11AfterPhase: Readonly<Record<string, string>>
  }
  const { cases } = (present ? vectorJson('tpm/MANIFEST.json') : { cases: [] }) as {
    cases: readonly { case: string; expected: Expected }[]
  }

  it('has the sections and leads to the values of PCR 11 that are given', () => {
    const expected = cases.find((entry) => entry.case === 'swtpm-uki-pcr11')?.expected
    const sections = measureUki(vectorBytes('tpm/swtpm-uki-pcr11/uki.efi'), 'sha256')
    const data = expected?.events.filter(({ what }) => what === 'data').map(({ section, sha256: digest }) => [section, digest])
    expect(sections.map(({ name, digest }) => [name, Buffer.from(digest).toString('hex')])).toEqual(data)
    const values = predictPcr11(sections, PHASES, 'sha256').map(({ phase, value }) => [phase, Buffer.from(value).toString('hex')])
    expect(values).toEqual([[null, expected?.pcr11AfterStub], ...Object.entries(expected?.pcr11AfterPhase ?? {})])
  })
})
