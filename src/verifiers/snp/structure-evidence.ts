import { latin1 } from '../der-values.ts'
import { Reader } from '../reader.ts'
import type { Check, SnpEvidence } from '../verifier.ts'
import { certificateEntries, readCertTable, readCertificates, skipCertTable, type CertTableEntry } from './cert-table.ts'
import { readReport, type Report } from './report.ts'
import { judgeIdentity, type Identity } from './structure-identity.ts'
import { REPORT_BYTES } from './structure-rules.ts'
import { refusal } from '../checks.ts'

/** Evidence of sound structure: the report, who it says made it, and the endorsement certificates that came along (DER, without repetitions). */
export type ReadEvidence = {
  readonly report: Report
  readonly identity: Identity
  readonly certificates: readonly Uint8Array[]
  readonly checks: readonly Check[]
}

const RAW = {
  id: 'SNP-01',
  title: 'The report response holds the raw report',
  code: 'snp-envelope-not-raw',
  at: 'report_response',
  expected: '1216 bytes: status 0, size 1184, 24 zero bytes, the report',
} as const

/** MSG_REPORT_RSP: status u32, size u32, 24 reserved bytes, then the report (specification snp.md sections 1 and 10). */
const HEADER_BYTES = 32

const WRAPPED = { ...RAW, title: 'The report is the raw report', at: 'report', expected: 'the signed bytes, 1184 of them' } as const

/** How forms begin that hold a report, parsed or wrapped (section 10): JSON, and the HCL report of Azure, which has an evidence type of its own. */
const FORMS = { '{': 'JSON', HCLA: 'an HCL report' } as const

/** The name of such a form; undefined for other bytes. Bytes of a report's length are a report, whatever they begin with. */
function wrappedForm(bytes: Uint8Array): string | undefined {
  const start = latin1(bytes.subarray(0, 4))
  if (bytes.length === REPORT_BYTES) return undefined
  return Object.entries(FORMS).find(([magic]) => start.startsWith(magic))?.[1]
}

/**
 * The 1184 bytes of the report, unwrapped if need be; the length of a `report` is for SNP-01 to judge.
 * Throws AttestationError snp-envelope-not-raw for a parsed or wrapped form, and for a response that is no plain wrapper.
 */
export function rawReport(evidence: Pick<SnpEvidence, 'form' | 'bytes'>): Uint8Array {
  const wrapped = wrappedForm(evidence.bytes)
  if (evidence.form === 'report' && wrapped !== undefined) throw refusal(WRAPPED, wrapped, [])
  if (evidence.form === 'report') return evidence.bytes
  if (evidence.bytes.length !== HEADER_BYTES + REPORT_BYTES) throw refusal(RAW, `${evidence.bytes.length} bytes`, [])
  return Reader.all(evidence.bytes, { what: 'snp-report-response', code: 'snp-envelope-not-raw' }, (r) => {
    const [status, size] = [r.u32le('STATUS'), r.u32le('SIZE')]
    const reserved = r.bytes('RESERVED', 24).some((b) => b !== 0) ? 'set' : 'zero'
    const sound = status === 0 && size === REPORT_BYTES && reserved === 'zero'
    if (!sound) throw refusal(RAW, `status ${status}, size ${size}, reserved bytes ${reserved}`, [])
    return r.bytes('REPORT', REPORT_BYTES)
  })
}

/** Where a certificate came from: the table's endorsement keys first, then what the request lists. CA certificates of the table are never used. */
function endorsementsOf(entries: readonly CertTableEntry[], ders: readonly Uint8Array[]): readonly Uint8Array[] {
  const table = certificateEntries(entries)
  const shipped = ders.filter((_, i) => ['vcek', 'vlek', undefined].includes(table[i]?.kind))
  return shipped.filter((der, i) => shipped.findIndex((other) => Buffer.compare(other, der) === 0) === i)
}

/** Reads evidence and makes every check of its structure in the order of section 15. Throws AttestationError with the checks up to the failed one. */
export function readEvidence(evidence: SnpEvidence): ReadEvidence {
  const { report, checks } = readReport(rawReport(evidence))
  const table = evidence.certTable === undefined ? skipCertTable(checks) : readCertTable(evidence.certTable, checks)
  const blobs = [
    ...certificateEntries(table.entries).map(({ kind, bytes }) => ({ at: `cert_table.${kind}`, bytes })),
    ...evidence.certificates.map((bytes, i) => ({ at: `certificates[${i}]`, bytes })),
  ]
  const { ders, checks: readable } = readCertificates(blobs, table.checks)
  const identity = judgeIdentity(report, readable)
  return { report, identity, certificates: endorsementsOf(table.entries, ders), checks: identity.checks }
}
