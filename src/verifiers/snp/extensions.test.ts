import { describe, expect, it } from 'vitest'
import { MARKER_OID } from '../anchors.ts'
import { DerReader } from '../der.ts'
import type { Extension } from '../x509.ts'
import { checkExtensions } from './extensions-checks.ts'
import { readVekExtensions, vekExtensionName } from './extensions.ts'

const ARC = '1.3.6.1.4.1.3704.1'
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const ia5 = (text: string): string => `16${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`
const ext = (suffix: string, hex: string, critical = false): Extension => ({
  oid: `${ARC}${suffix}`,
  encodedOid: bytes('2b06010401'),
  critical,
  value: bytes(hex),
})
const HWID = 'c5'.repeat(64)
const SPLS = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => ext(`.3.${number}`, '020100'))
const MILAN = [ext('.1', '020100'), ext('.2', ia5('Milan-B0')), ...SPLS, ext('.4', HWID)]
const without = (...suffixes: readonly string[]): Extension[] => MILAN.filter(({ oid }) => !suffixes.includes(oid.slice(ARC.length)))
const invalid = expect.objectContaining({ code: 'snp-vek-extension-invalid' })

describe('the extensions of a VEK', () => {
  it('are read by name', () => {
    const read = readVekExtensions([...without('.3.8'), ext('.3.8', '020200db')])
    expect(read).toMatchObject({ structVersion: 0, productName: 'Milan-B0', cspId: undefined })
    expect([read.spl.get(8), read.spl.size, Buffer.from(read.hwid ?? []).toString('hex')]).toEqual([0xdb, 8, HWID])
  })

  it('have names for inspection', () => {
    expect([vekExtensionName(`${ARC}.3.9`), vekExtensionName(`${ARC}.3.10`), vekExtensionName('2.5.29.19')]).toEqual([
      'fmcSPL',
      undefined,
      undefined,
    ])
    expect(vekExtensionName(`${ARC}.toString`)).toBeUndefined()
  })

  it.each([
    ['raw', HWID, HWID],
    ['wrapped', `0440${HWID}`, HWID],
    ['raw and like a wrapper', `0440${'c5'.repeat(62)}`, `0440${'c5'.repeat(62)}`],
    ['eight bytes raw', '04060102030405ff', '04060102030405ff'],
    ['eight bytes wrapped', '04080102030405060708', '0102030405060708'],
    ['66 bytes without a wrapper', `0540${HWID}`, `0540${HWID}`],
    ['66 bytes with a wrong wrapper', `043f${HWID}`, `043f${HWID}`],
    ['of another length', '0102', '0102'],
  ])('hold a hwID %s', (_, hex, hwid) => {
    const read = readVekExtensions([...without('.4'), ext('.4', hex)])
    expect(Buffer.from(read.hwid ?? []).toString('hex')).toBe(hwid)
  })

  it.each([
    ['an INTEGER that is not minimal', [...without('.3.1'), ext('.3.1', '02020004')]],
    ['a negative INTEGER', [...without('.3.1'), ext('.3.1', '0201ff')]],
    ['256', [...without('.3.1'), ext('.3.1', '02020100')]],
    ['a byte behind the INTEGER', [...without('.3.1'), ext('.3.1', '02010000')]],
    ['an empty value', [...without('.3.1'), ext('.3.1', '')]],
    ['a productName of another type', [...without('.2'), ext('.2', `0c${ia5('Milan').slice(2)}`)]],
    ['a productName with a NUL', [...without('.2'), ext('.2', '16024d00')]],
    ['no productName', without('.2')],
    ['no structVersion', without('.1')],
    ['a cspID that is not printable', [...MILAN, ext('.5', '16020d0a')]],
    ['one twice', [...MILAN, ext('.3.1', '020100')]],
    ['a common one twice', [...MILAN, ...['2.5.29.14', '2.5.29.14'].map((oid) => ({ ...ext('', '0500'), oid }))]],
    ['an unlisted SPL', [...MILAN, ext('.3.10', '020100')]],
    ['an unlisted extension of AMD', [...MILAN, ext('.6', '020100')]],
    ['AMD’s arc itself', [...MILAN, ext('', '020100')]],
    ['a critical one that nobody knows', [...MILAN, { ...ext('', '0500', true), oid: '2.5.29.19' }]],
  ])('are refused with %s', (_, extensions) => expect(() => readVekExtensions(extensions)).toThrow(invalid))

  it('may include others that are not critical, and the simulator’s marker', () => {
    const marker = DerReader.all(bytes('06156983b68de5fae9c69aadd983f792f7badfa1ff3f01'), { what: 'x', code: 'evidence-malformed' }, (r) =>
      r.oidWithEncoding('x'),
    )
    expect(marker.oid).toBe(MARKER_OID)
    const more = [
      { ...ext('', '0500'), oid: '2.5.29.14' },
      { ...ext('', '0500', true), oid: marker.oid, encodedOid: marker.encoded },
    ]
    expect(readVekExtensions([...MILAN, ...more]).structVersion).toBe(0)
  })

  it('are not taken for the marker by their text', () => {
    expect(() => readVekExtensions([...MILAN, { ...ext('', '0500', true), oid: MARKER_OID }])).toThrow(invalid)
  })
})

const codes = (extensions: readonly Extension[], kind: 'vcek' | 'vlek' = 'vcek', product: 'Milan' | 'Genoa' | 'Turin' = 'Milan') =>
  checkExtensions(extensions, kind, product).checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
const turin = (...spls: readonly number[]): Extension[] => [
  ext('.1', '020101'),
  ext('.2', ia5('Turin')),
  ...spls.map((number) => ext(`.3.${number}`, '020100')),
  ext('.4', 'c5'.repeat(8)),
]
const vlek = (...more: readonly Extension[]) => [...without('.4'), ...more]

describe('the checks of a VEK’s extensions', () => {
  it.each([
    ['Milan', codes.bind(undefined, MILAN)],
    ['Turin without spl4', () => codes(turin(1, 2, 3, 5, 6, 7, 8, 9), 'vcek', 'Turin')],
    ['Turin with spl4', () => codes(turin(1, 2, 3, 4, 5, 6, 7, 8, 9), 'vcek', 'Turin')],
    ['a VLEK', () => codes(vlek(ext('.5', ia5('CN=cc'))), 'vlek')],
  ])('pass for %s', (_, run) => expect(run()).toEqual([]))

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('require SPL %i on Milan', (number) => {
    expect(codes(without(`.3.${number}`))).toEqual(['SNP-40 snp-vek-extension-invalid'])
  })

  it.each([1, 2, 3, 5, 6, 7, 8, 9])('require SPL %i on Turin', (number) => {
    const spls = [1, 2, 3, 5, 6, 7, 8, 9].filter((other) => other !== number)
    expect(codes(turin(...spls), 'vcek', 'Turin')).toEqual(['SNP-40 snp-vek-extension-invalid'])
  })

  it.each([
    ['FMC on Milan', () => codes([...MILAN, ext('.3.9', '020100')]), ['SNP-40 snp-vek-extension-invalid']],
    ['extensions that cannot be read', () => codes(without('.1')), ['SNP-40 snp-vek-extension-invalid']],
    ['another product', () => codes(MILAN, 'vcek', 'Genoa'), ['SNP-34 snp-product-mismatch']],
    ['a longer product', () => codes([...without('.2'), ext('.2', ia5('MilanX'))]), ['SNP-34 snp-product-mismatch']],
    ['structVersion 1 on Milan', () => codes([...without('.1'), ext('.1', '020101')]), ['SNP-35 snp-vek-extension-invalid']],
    [
      'structVersion 2 on Turin',
      () => codes([...turin(1, 2, 3, 5, 6, 7, 8, 9).slice(1), ext('.1', '020102')], 'vcek', 'Turin'),
      ['SNP-35 snp-vek-extension-invalid'],
    ],
    ['a reserved SPL', () => codes([...without('.3.5'), ext('.3.5', '020101')]), ['SNP-42 snp-vek-extension-invalid']],
    ['no hwID in a VCEK', () => codes(without('.4')), ['SNP-43 snp-vcek-hwid-missing']],
    ['a cspID in a VCEK', () => codes([...MILAN, ext('.5', ia5('CN=cc'))]), ['SNP-43 snp-vek-extension-invalid']],
    ['no cspID in a VLEK', () => codes(vlek(), 'vlek'), ['SNP-44 snp-vlek-csp-id-invalid']],
    ['an empty cspID in a VLEK', () => codes(vlek(ext('.5', '1600')), 'vlek'), ['SNP-44 snp-vlek-csp-id-invalid']],
    ['a hwID in a VLEK', () => codes([...MILAN, ext('.5', ia5('CN=cc'))], 'vlek'), ['SNP-44 snp-vlek-csp-id-invalid']],
  ])('fail for %s', (_, run, expected) => expect(run()).toEqual(expected))
})
