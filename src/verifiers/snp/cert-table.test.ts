import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GUID, certTableBytes, outlineDer } from '../../../test/cert-table-bytes.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { certificateEntries, readCertTable, readCertificates, skipCertTable } from './cert-table.ts'

const UNKNOWN = '11111111-2222-3333-4444-555555555555'
const blob = outlineDer(1)
const other = outlineDer(2)

/** The error with which a table is refused; undefined when it is read. */
function refusalOf(read: () => unknown): AttestationError | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
}
/** Checks of which only the last failed, and which it was. */
const endingWith = (id: string): unknown => ({
  asymmetricMatch: (checks: readonly Check[]) =>
    checks.findIndex(({ outcome }) => outcome === 'fail') === checks.length - 1 && checks.at(-1)?.id === id,
})
const tableRefusal = (bytes: Uint8Array): AttestationError | undefined => refusalOf(() => readCertTable(bytes, []))

describe('readCertTable', () => {
  it('reads entries by their GUIDs, in order', () => {
    const table = certTableBytes([
      { guid: GUID.vcek, blob },
      { guid: GUID.ask, blob: other },
      { guid: UNKNOWN, blob: new Uint8Array([7]) },
    ])
    const { entries, checks } = readCertTable(table, [])
    expect(entries).toEqual([
      { guid: GUID.vcek, kind: 'vcek', offset: 96, bytes: blob },
      { guid: GUID.ask, kind: 'ask', offset: 108, bytes: other },
      { guid: UNKNOWN, kind: undefined, offset: 120, bytes: new Uint8Array([7]) },
    ])
    expect(checks.map(({ id, outcome }) => [id, outcome])).toEqual(['SNP-12', 'SNP-13', 'SNP-14', 'SNP-15'].map((id) => [id, 'pass']))
  })

  it('knows every GUID of the specification', () => {
    const known = [...Object.values(GUID), 'ecae0c0f-9502-43b1-afa2-0ae2e0d565b6', '9f4116cd-c503-4f5a-8f6f-fb68882f4ce2']
    const { entries } = readCertTable(certTableBytes(known.map((guid) => ({ guid, blob }))), [])
    expect(entries.map(({ kind }) => kind)).toEqual([
      'vcek',
      'vlek',
      'ask',
      'ark',
      'crl',
      'google-platform-info',
      'google-launch-endorsement',
    ])
  })

  it('reads an empty table, and one with bytes behind its last blob', () => {
    expect(readCertTable(new Uint8Array(24), []).entries).toEqual([])
    expect(readCertTable(new Uint8Array(0x4000), []).entries).toEqual([])
  })

  it.each([
    ['no bytes', new Uint8Array(0)],
    ['less than a terminator', new Uint8Array(23)],
    ['no terminator', certTableBytes([{ guid: GUID.vcek, blob }]).slice(0, 24)],
    ['a terminator cut short', certTableBytes([{ guid: GUID.vcek, blob: new Uint8Array(0) }]).slice(0, 47)],
    [
      'a zero GUID with an offset instead of a terminator',
      certTableBytes([{ guid: '00000000-0000-0000-0000-000000000000', blob }]).slice(0, 24),
    ],
    ['65 entries', certTableBytes(Array.from({ length: 65 }, () => ({ guid: UNKNOWN, blob: new Uint8Array(0) })))],
    ['more than 64 KiB', new Uint8Array(64 * 1024 + 1)],
  ])('SNP-12 refuses %s', (_, table) => {
    expect(tableRefusal(table)).toMatchObject({ code: 'snp-cert-table-malformed', at: 'cert_table', checks: endingWith('SNP-12') })
  })

  it('takes 64 entries and 64 KiB', () => {
    const entries = Array.from({ length: 64 }, () => ({ guid: UNKNOWN, blob: new Uint8Array(0) }))
    expect(readCertTable(certTableBytes(entries), []).entries).toHaveLength(64)
    expect(readCertTable(new Uint8Array(64 * 1024), []).entries).toEqual([])
  })

  it.each([0, 23, 47])('SNP-13 refuses a blob at %i, inside the header', (offset) => {
    const table = certTableBytes([{ guid: GUID.vcek, blob, offset }])
    expect(tableRefusal(table)).toMatchObject({ code: 'snp-cert-table-malformed', at: 'cert_table', checks: endingWith('SNP-13') })
  })

  it.each([
    ['offset 0xFFFFFFF0 and length 0x20, whose 32-bit sum wraps', 0xfffffff0, 0x20],
    ['one byte past the end', 48, 13],
    ['an offset past the end', 61, 0],
    ['the largest numbers', 0xffffffff, 0xffffffff],
  ])('SNP-14 refuses %s', (_, offset, length) => {
    const table = certTableBytes([{ guid: GUID.vcek, blob, offset, length }])
    expect(tableRefusal(table)).toMatchObject({ code: 'snp-cert-table-malformed', at: 'cert_table', checks: endingWith('SNP-14') })
  })

  it('SNP-15 refuses two VCEKs, equal or not', () => {
    const twice = (second: Uint8Array): Uint8Array =>
      certTableBytes([
        { guid: GUID.vcek, blob },
        { guid: GUID.vcek, blob: second },
      ])
    expect(tableRefusal(twice(other))).toMatchObject({ code: 'snp-cert-table-duplicate', at: 'cert_table', checks: endingWith('SNP-15') })
    expect(tableRefusal(twice(blob))).toMatchObject({ code: 'snp-cert-table-duplicate', at: 'cert_table', checks: endingWith('SNP-15') })
  })

  it.each([
    ['the same bytes', 72, 12],
    ['one byte of the other', 83, 12],
  ])('SNP-15 refuses entries over %s', (_, offset, length) => {
    const table = certTableBytes([
      { guid: GUID.vcek, blob },
      { guid: GUID.ask, blob: other, offset, length },
    ])
    expect(tableRefusal(table)).toMatchObject({ code: 'snp-cert-table-duplicate', at: 'cert_table', checks: endingWith('SNP-15') })
  })

  it('takes an unknown GUID twice, side by side', () => {
    const table = certTableBytes([
      { guid: UNKNOWN, blob },
      { guid: UNKNOWN, blob: other },
    ])
    expect(readCertTable(table, []).entries).toHaveLength(2)
  })

  it('lets nothing but AttestationError escape', () => {
    assert(
      property(uint8Array({ maxLength: 300 }), (bytes) => {
        const outcome = tableRefusal(bytes)
        expect(outcome === undefined || outcome.code.startsWith('snp-cert-table-')).toBe(true)
      }),
      { seed: 20261123, numRuns: 300 },
    )
  })

  it('skips its checks when no table came', () => {
    const { entries, checks } = skipCertTable([])
    expect(entries).toEqual([])
    expect(checks.map(({ id, outcome }) => [id, outcome])).toEqual(['SNP-12', 'SNP-13', 'SNP-14', 'SNP-15'].map((id) => [id, 'skip']))
  })
})

describe('certificateEntries', () => {
  it('leaves lists and vendor blobs out', () => {
    const { entries } = readCertTable(certTableBytes([...Object.values(GUID), UNKNOWN].map((guid) => ({ guid, blob }))), [])
    expect(certificateEntries(entries).map(({ kind }) => kind)).toEqual(['vcek', 'vlek', 'ask', 'ark'])
  })
})

const pem = (der: Uint8Array): Uint8Array =>
  Buffer.from(`-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`)

describe('readCertificates', () => {
  it('reads DER and PEM', () => {
    const { ders, checks } = readCertificates(
      [
        { at: 'a', bytes: blob },
        { at: 'b', bytes: pem(other) },
      ],
      [],
    )
    expect(ders).toEqual([blob, other])
    expect(checks).toMatchObject([{ id: 'SNP-16', outcome: 'pass', actual: '2 certificates' }])
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a byte behind the DER', new Uint8Array([...blob, 0])],
    ['two PEM blocks', Buffer.concat([pem(blob), pem(other)])],
    ['text', Buffer.from('certificate')],
  ])('SNP-16 refuses %s, and says which one', (_, bytes) => {
    const error = refusalOf(() => readCertificates([{ at: 'certificates[3]', bytes }], []))
    expect(error).toMatchObject({ code: 'snp-certificate-malformed', at: 'certificates[3]', checks: endingWith('SNP-16') })
    expect(error?.message).toContain('certificates[3]')
  })
})
