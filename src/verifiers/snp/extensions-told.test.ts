import { describe, expect, it } from 'vitest'
import type { Extension } from '../x509.ts'
import { checkExtensions } from './extensions-checks.ts'
import { readVekExtensions } from './extensions.ts'

const ARC = '1.3.6.1.4.1.3704.1'
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const ia5 = (text: string): string => `16${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`
const ext = (suffix: string, hex: string): Extension => ({
  oid: `${ARC}${suffix}`,
  encodedOid: bytes('2b'),
  critical: false,
  value: bytes(hex),
})
const HWID = 'c5'.repeat(64)
const spls = (...numbers: readonly number[]): Extension[] => numbers.map((number) => ext(`.3.${number}`, '020100'))
const MILAN = [ext('.1', '020100'), ext('.2', ia5('Milan-B0')), ...spls(1, 2, 3, 4, 5, 6, 7, 8), ext('.4', HWID)]
/** Milan’s extensions with some replaced by others, or left out. */
const changed = (suffixes: readonly string[], ...others: readonly Extension[]): Extension[] => [
  ...MILAN.filter(({ oid }) => !suffixes.includes(oid.slice(ARC.length))),
  ...others,
]
/** A text whose length needs a byte of its own. */
const long = (length: number): string => `1682${length.toString(16).padStart(4, '0')}${'4d'.repeat(length)}`

describe('extensions that cannot be read say which one, and why', () => {
  it.each<[string, readonly Extension[], string]>([
    [`extension ${ARC}.6 is unknown or occurs twice`, [...MILAN, ext('.6', '020100')], `vek.${ARC}.6`],
    [`extension ${ARC}.3.1 is unknown or occurs twice`, [...MILAN, ext('.3.1', '020100')], `vek.${ARC}.3.1`],
    ['extension structVersion is missing', changed(['.1']), 'vek.structVersion'],
    ['extension productName is missing', changed(['.2']), 'vek.productName'],
    ['vek.structVersion @0: is not of type 02h', changed(['.1'], ext('.1', '0400')), 'vek.structVersion'],
    ['vek.structVersion @4: is not between 0 and 255', changed(['.1'], ext('.1', '02020100')), 'vek.structVersion'],
    ['vek.productName @0: is not of type 16h', changed(['.2'], ext('.2', '0c00')), 'vek.productName'],
    ['vek.productName @4: is not printable text', changed(['.2'], ext('.2', '16024d00')), 'vek.productName'],
    ['vek.productName @261: is not printable text', changed(['.2'], ext('.2', long(257))), 'vek.productName'],
    ['vek.cspID @4: is not printable text', [...MILAN, ext('.5', '16020d0a')], 'vek.cspID'],
    [`vek.${ARC}.3.8 @3: is not between 0 and 255`, changed(['.3.8'], ext('.3.8', '0201ff')), `vek.${ARC}.3.8`],
    ['vek.end @3: 1 bytes follow the last element', changed(['.3.8'], ext('.3.8', '02010000')), 'vek.end'],
  ])('%s', (message, extensions, at) => {
    const error = { code: 'snp-vek-extension-invalid', message, at }
    expect(() => readVekExtensions(extensions)).toThrow(expect.objectContaining(error))
    expect(checkExtensions(extensions, 'vcek', 'Milan').checks.map(({ id, actual }) => [id, actual])).toEqual([['SNP-40', message]])
  })

  it('take an SPL of 255 and a text of 256 characters', () => {
    const read = readVekExtensions(changed(['.2', '.3.8'], ext('.3.8', '020200ff'), ext('.2', long(256))))
    expect([read.spl.get(8), read.productName.length]).toEqual([255, 256])
  })
})

const TURIN = [ext('.1', '020101'), ext('.2', ia5('Turin')), ...spls(1, 2, 3, 5, 6, 7, 8, 9), ext('.4', 'c5'.repeat(8))]
const CSP = ext('.5', ia5('CN=cc'))
const BLANK = ext('.5', '1600')

/** `id outcome actual` of each check. */
const told = (extensions: readonly Extension[], kind: 'vcek' | 'vlek', product: 'Milan' | 'Genoa' | 'Turin'): readonly string[] =>
  checkExtensions(extensions, kind, product).checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

describe('the checks of a VEK’s extensions say what was found', () => {
  it('in a VCEK of Milan', () => {
    expect(told(MILAN, 'vcek', 'Milan')).toEqual([
      'SNP-40 pass complete for Milan',
      'SNP-34 pass chain Milan, productName Milan-B0',
      'SNP-35 pass 0 on Milan',
      'SNP-42 pass zero',
      `SNP-43 pass hwID ${HWID}, cspID absent`,
    ])
  })

  it('in a VCEK of Turin', () => {
    expect(told(TURIN, 'vcek', 'Turin')).toEqual([
      'SNP-40 pass complete for Turin',
      'SNP-34 pass chain Turin, productName Turin',
      'SNP-35 pass 1 on Turin',
      'SNP-42 pass zero',
      `SNP-43 pass hwID ${'c5'.repeat(8)}, cspID absent`,
    ])
  })

  it.each<[string, readonly Extension[], 'vcek' | 'vlek']>([
    ['SNP-40 fail SPL 3 is missing, SPL 8 is missing', changed(['.3.3', '.3.8']), 'vcek'],
    ['SNP-40 fail SPL 9 does not belong', [...MILAN, ...spls(9)], 'vcek'],
    ['SNP-40 fail SPL 1 is missing, SPL 9 does not belong', [...changed(['.3.1']), ...spls(9)], 'vcek'],
    ['SNP-34 fail chain Milan, productName Genoa', changed(['.2'], ext('.2', ia5('Genoa'))), 'vcek'],
    ['SNP-35 fail 1 on Milan', changed(['.1'], ext('.1', '020101')), 'vcek'],
    ['SNP-42 fail SPL 5 set', changed(['.3.5'], ext('.3.5', '020101')), 'vcek'],
    ['SNP-42 fail SPL 4, 7 set', changed(['.3.4', '.3.7'], ext('.3.4', '020101'), ext('.3.7', '020107')), 'vcek'],
    ['SNP-43 fail hwID absent, cspID absent', changed(['.4']), 'vcek'],
    [`SNP-43 fail hwID ${HWID}, cspID CN=cc`, [...MILAN, CSP], 'vcek'],
    ['SNP-44 pass hwID absent, cspID CN=cc', changed(['.4'], CSP), 'vlek'],
    ['SNP-44 fail hwID absent, cspID absent', changed(['.4']), 'vlek'],
    ['SNP-44 fail hwID absent, cspID ', changed(['.4'], BLANK), 'vlek'],
    [`SNP-44 fail hwID ${HWID}, cspID CN=cc`, [...MILAN, CSP], 'vlek'],
  ])('%s', (line, extensions, kind) => {
    const lines = told(extensions, kind, 'Milan')
    expect(lines).toContain(line)
    expect(lines.filter((other) => other.includes(' fail '))).toEqual(line.includes(' fail ') ? [line] : [])
  })
})
