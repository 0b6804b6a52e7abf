import { readCertificateBlob } from '../pem.ts'
import { AttestationError } from '../problems.ts'
import { Reader } from '../reader.ts'
import type { Check } from '../verifier.ts'
import { passed, refusal, skipped } from '../checks.ts'
import { attempt } from '../der-attempt.ts'

/** What a GUID of the table names (specification snp.md section 5); GUID bytes are in the order of their text. */
const GUIDS = {
  '63da758d-e664-4564-adc5-f4b93be8accd': 'vcek',
  'a8074bc2-a25a-483e-aae6-39c045a0b8a1': 'vlek',
  '4ab7b379-bbac-4fe4-a02f-05aef327c782': 'ask',
  'c0b406a4-a803-4952-9743-3fb6014cd0ae': 'ark',
  '92f81bc3-5811-4d3d-97ff-d19f88dc67ea': 'crl',
  'ecae0c0f-9502-43b1-afa2-0ae2e0d565b6': 'google-platform-info',
  '9f4116cd-c503-4f5a-8f6f-fb68882f4ce2': 'google-launch-endorsement',
} as const

/** The names of known entries. */
type CertTableKind = (typeof GUIDS)[keyof typeof GUIDS]

/** One entry: where it lies and what it holds. `kind` is undefined for a GUID that no source names. */
export type CertTableEntry = {
  readonly guid: string
  readonly kind: CertTableKind | undefined
  readonly offset: number
  readonly bytes: Uint8Array
}

/** SNP-12: bounds of the table (specification snp.md section 15). */
const MAX_ENTRIES = 64
const MAX_BYTES = 64 * 1024
/** GUID 16, offset u32, length u32 (section 5). */
const ENTRY_BYTES = 24
const TERMINATOR = '00000000-0000-0000-0000-000000000000'

type Header = { readonly guid: string; readonly offset: number; readonly length: number }

const BOUNDED = {
  id: 'SNP-12',
  title: 'The certificate table ends, within its bounds',
  code: 'snp-cert-table-malformed',
  at: 'cert_table',
  expected: 'a terminator after at most 64 entries, at most 65536 bytes',
} as const
const AFTER_HEADER = {
  id: 'SNP-13',
  title: 'Entries of the certificate table lie after its header',
  code: 'snp-cert-table-malformed',
  at: 'cert_table',
  expected: 'every offset at or after the end of the header',
} as const
const IN_BOUNDS = {
  id: 'SNP-14',
  title: 'Entries of the certificate table lie inside it',
  code: 'snp-cert-table-malformed',
  at: 'cert_table',
  expected: 'every offset plus length within the table',
} as const
const DISTINCT = {
  id: 'SNP-15',
  title: 'Entries of the certificate table are distinct',
  code: 'snp-cert-table-duplicate',
  at: 'cert_table',
  expected: 'no known GUID twice, no two entries over the same bytes',
} as const
const WELL_FORMED = {
  id: 'SNP-16',
  title: 'Each certificate is exactly one DER certificate or one PEM block',
  code: 'snp-certificate-malformed',
  expected: 'one certificate, no trailing bytes',
} as const

/** A table that keeps its rules, with the checks that say so. */
export type CertTable = { readonly entries: readonly CertTableEntry[]; readonly checks: readonly Check[] }

/**
 * Reads the certificate table of the extended guest request: SNP-12 to SNP-15. Blobs stay opaque. Untrusted transport: an entry counts only
 * by what it proves itself. Throws AttestationError with `before` and its own checks.
 */
export function readCertTable(bytes: Uint8Array, before: readonly Check[]): CertTable {
  const headers = readHeaders(bytes, before)
  const end = (headers.length + 1) * ENTRY_BYTES
  const bounded = [...before, passed(BOUNDED, `${headers.length} entries in ${bytes.length} bytes`)]
  const early = headers.find(({ offset }) => offset < end)
  if (early !== undefined) throw refusal(AFTER_HEADER, `${early.guid} at ${early.offset}, header ends at ${end}`, bounded)
  const after = [...bounded, passed(AFTER_HEADER, `header ends at ${end}`)]
  // Numbers here are doubles, so the sum of two u32 cannot wrap.
  const outside = headers.find(({ offset, length }) => offset + length > bytes.length)
  if (outside !== undefined) throw refusal(IN_BOUNDS, `${outside.guid} at ${outside.offset}, ${outside.length} bytes`, after)
  const inside = [...after, passed(IN_BOUNDS, `within ${bytes.length} bytes`)]
  const clash = findClash(headers)
  if (clash !== undefined) throw refusal(DISTINCT, clash, inside)
  return { entries: headers.map((h) => entryOf(h, bytes)), checks: [...inside, passed(DISTINCT, 'distinct')] }
}

/** What stands for the table when none came: its checks, skipped. */
export const skipCertTable = (before: readonly Check[]): CertTable => ({
  entries: [],
  checks: [...before, ...[BOUNDED, AFTER_HEADER, IN_BOUNDS, DISTINCT].map((rule) => skipped(rule, 'no certificate table'))],
})

function readHeaders(bytes: Uint8Array, before: readonly Check[]): readonly Header[] {
  if (bytes.length > MAX_BYTES) throw refusal(BOUNDED, `${bytes.length} bytes`, before)
  const rows = Math.min(MAX_ENTRIES + 1, Math.floor(bytes.length / ENTRY_BYTES))
  const headers = Reader.all(bytes.subarray(0, rows * ENTRY_BYTES), { what: 'cert-table', code: BOUNDED.code }, (r) =>
    Array.from({ length: rows }, () => readHeader(r)),
  )
  const end = headers.findIndex(isTerminator)
  if (end < 0) throw refusal(BOUNDED, `no terminator in ${rows} entries`, before)
  return headers.slice(0, end)
}

const readHeader = (r: Reader): Header => ({
  guid: formatGuid(r.bytes('GUID', 16)),
  offset: r.u32le('OFFSET'),
  length: r.u32le('LENGTH'),
})

/** All 24 bytes are zero: a zero GUID with an offset or a length is an entry of its own, not the end. */
const isTerminator = ({ guid, offset, length }: Header): boolean => guid === TERMINATOR && offset === 0 && length === 0

function formatGuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const isKnown = (guid: string): guid is keyof typeof GUIDS => Object.hasOwn(GUIDS, guid)

/** The first known GUID that comes twice, or the first two entries over the same bytes; in words. */
function findClash(headers: readonly Header[]): string | undefined {
  const seen = new Set<string>()
  for (const { guid } of headers) {
    if (isKnown(guid) && seen.has(guid)) return `${guid} (${GUIDS[guid]}) twice`
    seen.add(guid)
  }
  let end = 0
  for (const { guid, offset, length } of headers.filter((h) => h.length > 0).toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) return `${guid} overlaps the entry before it`
    end = offset + length
  }
  return undefined
}

const entryOf = ({ guid, offset, length }: Header, bytes: Uint8Array): CertTableEntry => ({
  guid,
  kind: isKnown(guid) ? GUIDS[guid] : undefined,
  offset,
  bytes: bytes.slice(offset, offset + length),
})

/** A blob that must be one certificate, and where it was found. */
export type CertificateBlob = { readonly at: string; readonly bytes: Uint8Array }

const CERTIFICATES: readonly (CertTableKind | undefined)[] = ['vcek', 'vlek', 'ask', 'ark']

/** The entries that must be certificates (SNP-16); lists and vendor blobs are opaque until their own parser reads them. */
export const certificateEntries = (entries: readonly CertTableEntry[]): readonly CertTableEntry[] =>
  entries.filter(({ kind }) => CERTIFICATES.includes(kind))

/** SNP-16: the DER of each blob, in order. Throws AttestationError snp-certificate-malformed. */
export function readCertificates(
  blobs: readonly CertificateBlob[],
  before: readonly Check[],
): { ders: readonly Uint8Array[]; checks: readonly Check[] } {
  const ders = blobs.map(({ at, bytes }) => {
    const der = attempt(() => readCertificateBlob(bytes, at))
    if (der instanceof AttestationError) throw refusal({ ...WELL_FORMED, at }, `${at}: ${der.message}`, before)
    return der
  })
  return { ders, checks: [...before, passed(WELL_FORMED, `${ders.length} certificates`)] }
}
