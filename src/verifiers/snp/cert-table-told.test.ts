import { describe, expect, it } from 'vitest'
import { GUID, certTableBytes, outlineDer, type TableEntry } from '../../../test/cert-table-bytes.ts'
import { skipped } from '../checks.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { readCertTable, readCertificates, skipCertTable } from './cert-table.ts'

const UNKNOWN = '11111111-2222-3333-4444-555555555555'
const ZERO = '00000000-0000-0000-0000-000000000000'
const blob = outlineDer(1)
const empty = new Uint8Array(0)
/** A check that was made before the table was read. */
const EARLIER: Check = skipped({ id: 'SNP-10', title: 'earlier' }, 'not asked')

/** `id outcome actual` of every check up to the failed one, and what the error says. */
function refused(read: () => unknown): { readonly message: string; readonly checks: readonly string[] } {
  try {
    read()
    return { message: 'read', checks: [] }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { message: error.message, checks: told(error.checks) }
  }
}
const told = (checks: readonly Check[]): readonly string[] => checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
const table = (...entries: readonly TableEntry[]): Uint8Array => certTableBytes(entries)
const many = (length: number): Uint8Array => table(...Array.from({ length }, () => ({ guid: UNKNOWN, blob: empty })))

const BEFORE = 'SNP-10 skip not asked'

describe('a certificate table that is refused says what was found, behind the checks before it', () => {
  it.each<[rule: string, Uint8Array, checks: readonly string[]]>([
    [
      'The certificate table ends, within its bounds: expected a terminator after at most 64 entries, at most 65536 bytes',
      new Uint8Array(65_537),
      ['SNP-12 fail 65537 bytes'],
    ],
    [
      'The certificate table ends, within its bounds: expected a terminator after at most 64 entries, at most 65536 bytes',
      many(65),
      ['SNP-12 fail no terminator in 65 entries'],
    ],
    [
      'The certificate table ends, within its bounds: expected a terminator after at most 64 entries, at most 65536 bytes',
      table({ guid: GUID.vcek, blob }).subarray(0, 47),
      ['SNP-12 fail no terminator in 1 entries'],
    ],
    [
      'Entries of the certificate table lie after its header: expected every offset at or after the end of the header',
      table({ guid: GUID.vcek, blob, offset: 47 }),
      ['SNP-12 pass 1 entries in 60 bytes', `SNP-13 fail ${GUID.vcek} at 47, header ends at 48`],
    ],
    [
      'Entries of the certificate table lie inside it: expected every offset plus length within the table',
      table({ guid: GUID.ask, blob, length: 13 }),
      ['SNP-12 pass 1 entries in 60 bytes', 'SNP-13 pass header ends at 48', `SNP-14 fail ${GUID.ask} at 48, 13 bytes`],
    ],
    [
      'Entries of the certificate table are distinct: expected no known GUID twice, no two entries over the same bytes',
      table({ guid: GUID.ark, blob }, { guid: GUID.ark, blob }),
      [
        'SNP-12 pass 2 entries in 96 bytes',
        'SNP-13 pass header ends at 72',
        'SNP-14 pass within 96 bytes',
        `SNP-15 fail ${GUID.ark} (ark) twice`,
      ],
    ],
    [
      'Entries of the certificate table are distinct: expected no known GUID twice, no two entries over the same bytes',
      table({ guid: GUID.vcek, blob }, { guid: GUID.ask, blob, offset: 83 }),
      [
        'SNP-12 pass 2 entries in 96 bytes',
        'SNP-13 pass header ends at 72',
        'SNP-14 pass within 96 bytes',
        `SNP-15 fail ${GUID.ask} overlaps the entry before it`,
      ],
    ],
  ])('%s', (rule, bytes, checks) => {
    const found = checks.at(-1)?.replace(/^SNP-\d\d fail /, '')
    expect(refused(() => readCertTable(bytes, [EARLIER]))).toEqual({ message: `${rule}, found ${found}`, checks: [BEFORE, ...checks] })
  })

  it('names the entry that begins later when two overlap, in whichever order they are listed', () => {
    const late = { guid: GUID.vcek, blob, offset: 83 }
    expect(refused(() => readCertTable(table(late, { guid: GUID.ask, blob, offset: 72 }), [])).message).toContain(
      `${GUID.vcek} overlaps the entry before it`,
    )
  })
})

describe('a certificate table that is read', () => {
  it('says what was looked at', () => {
    const { checks } = readCertTable(table({ guid: GUID.vcek, blob }, { guid: GUID.ask, blob }), [EARLIER])
    expect(told(checks)).toEqual([
      BEFORE,
      'SNP-12 pass 2 entries in 96 bytes',
      'SNP-13 pass header ends at 72',
      'SNP-14 pass within 96 bytes',
      'SNP-15 pass distinct',
    ])
  })

  it('that did not come says so in each of its checks', () => {
    expect(told(skipCertTable([EARLIER]).checks)).toEqual([
      BEFORE,
      ...[12, 13, 14, 15].map((number) => `SNP-${number} skip no certificate table`),
    ])
  })

  it('may list its entries in another order than they lie in, side by side', () => {
    const bytes = table({ guid: GUID.vcek, blob, offset: 84 }, { guid: GUID.ask, blob, offset: 72 })
    expect(readCertTable(bytes, []).entries.map(({ kind, offset }) => [kind, offset])).toEqual([
      ['vcek', 84],
      ['ask', 72],
    ])
  })

  it('may have an entry of no bytes inside another, which shares none with it', () => {
    const bytes = table({ guid: GUID.vcek, blob }, { guid: UNKNOWN, blob: empty, offset: 75 })
    expect(readCertTable(bytes, []).entries.map(({ bytes: held }) => held.length)).toEqual([12, 0])
  })

  it.each<[string, Partial<TableEntry>]>([
    ['an offset alone', { offset: 48, length: 0 }],
    ['an offset and a length', { offset: 48, length: 1 }],
  ])('does not end at a zero GUID with %s', (_, place) => {
    expect(readCertTable(table({ guid: ZERO, blob, ...place }), []).entries.map(({ guid }) => guid)).toEqual([ZERO])
  })

  it.each<[string, Partial<TableEntry> & { readonly guid: string }]>([
    ['a zero GUID with a length alone', { guid: ZERO, offset: 0, length: 1 }],
    ['another GUID that holds nothing', { guid: UNKNOWN, offset: 0, length: 0 }],
  ])('does not end at %s, whose offset is then too low', (_, entry) => {
    const { message } = refused(() => readCertTable(table({ blob, ...entry }), []))
    expect(message).toContain(`${entry.guid} at 0, header ends at 48`)
  })
})

describe('a blob that is no certificate', () => {
  it('is told with its place and its fault', () => {
    const blobs = [
      { at: 'cert_table.vcek', bytes: blob },
      { at: 'certificates[0]', bytes: Buffer.from('text') },
    ]
    expect(refused(() => readCertificates(blobs, [EARLIER]))).toEqual({
      message:
        'Each certificate is exactly one DER certificate or one PEM block: expected one certificate, no trailing bytes, ' +
        'found certificates[0]: certificates[0] is neither DER nor one PEM block',
      checks: [BEFORE, 'SNP-16 fail certificates[0]: certificates[0] is neither DER nor one PEM block'],
    })
  })
})
