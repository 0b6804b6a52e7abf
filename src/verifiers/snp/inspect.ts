import type { Check, SnpEvidence } from '../verifier.ts'
import { certificateEntries, readCertTable, type CertTableEntry } from './cert-table.ts'
import { hex, hex64, platformInfoOf, policyOf } from './claims-of.ts'
import type { SnpClaims, SnpTcb } from './claims.ts'
import { readable, type Unreadable } from '../inspect-certificate.ts'
import { inspectCertificate, type CertificateView } from './inspect-certificate.ts'
import { isSupported, productOf, type KnownProduct } from './products.ts'
import { readReport } from './report.ts'
import { rawReport } from './structure-evidence.ts'
import { judgeIdentity } from './structure-identity.ts'
import { readLayout, type Layout } from './structure-layout.ts'
import { checkSize, checkVersion } from './structure-rules.ts'
import { attempt } from '../der-attempt.ts'
import { parseTcb } from './tcb.ts'

/** A TCB as reported, with its parts where the product is known and they can be read. */
type TcbView = { readonly value: string; readonly parts: SnpTcb | null }

/** Fields that are shown as claims would show them. */
type Plain = Pick<
  SnpClaims,
  | 'version'
  | 'guest_svn'
  | 'policy'
  | 'family_id'
  | 'image_id'
  | 'vmpl'
  | 'signature_algo'
  | 'platform_info'
  | 'author_key_en'
  | 'mask_chip_key'
  | 'report_data'
  | 'measurement'
  | 'host_data'
  | 'id_key_digest'
  | 'author_key_digest'
  | 'report_id'
  | 'report_id_ma'
  | 'cpuid'
  | 'current_version'
  | 'committed_version'
  | 'launch_mit_vector'
  | 'current_mit_vector'
>

/** Every field of a report (specification snp.md section 1), unverified. */
type ReportView = Plain & {
  /** null in version 2 and for processors that no source names. */
  readonly product: KnownProduct | null
  readonly key_info: string
  /** `vcek`, `vlek`, `none`, or `reserved <n>`. */
  readonly signing_key: string
  readonly current_tcb: TcbView
  readonly reported_tcb: TcbView
  readonly committed_tcb: TcbView
  readonly launch_tcb: TcbView
  /** All 64 bytes. */
  readonly chip_id: string
  /** Big-endian, 48 bytes each. */
  readonly signature: { readonly r: string; readonly s: string }
}

/** One entry of the certificate table. */
type TableEntryView = { readonly guid: string; readonly kind: string | null; readonly offset: number; readonly length: number }

/** A report and what came along, taken apart and explained, believing none of it. `checks`: those of structure only, up to the first that fails. */
export type SnpInspection = {
  readonly verified: false
  readonly report: ReportView
  readonly cert_table: readonly TableEntryView[] | null
  readonly certificates: readonly (CertificateView | ({ readonly at: string } & Unreadable))[]
  readonly checks: readonly Check[]
}

const SIGNING_KEYS: Readonly<Record<number, string>> = { 0: 'vcek', 1: 'vlek', 7: 'none' }

function tcbOf(product: KnownProduct | undefined, bytes: Uint8Array): TcbView {
  const value = hex(bytes)
  if (!isSupported(product)) return { value, parts: null }
  const parts = readable(() => parseTcb(product, bytes))
  return { value, parts: 'code' in parts ? null : parts }
}

function plainOf({ fields }: Layout): Plain {
  return {
    version: fields.version,
    guest_svn: fields.guestSvn,
    policy: policyOf(fields.policy),
    family_id: hex(fields.familyId),
    image_id: hex(fields.imageId),
    vmpl: fields.vmpl,
    signature_algo: fields.signatureAlgo,
    platform_info: platformInfoOf(fields.platformInfo),
    author_key_en: fields.authorKeyEn,
    mask_chip_key: fields.maskChipKey,
    report_data: hex(fields.reportData),
    measurement: hex(fields.measurement),
    host_data: hex(fields.hostData),
    id_key_digest: hex(fields.idKeyDigest),
    author_key_digest: hex(fields.authorKeyDigest),
    report_id: hex(fields.reportId),
    report_id_ma: hex(fields.reportIdMa),
    cpuid: fields.cpuid,
    current_version: fields.currentVersion,
    committed_version: fields.committedVersion,
    launch_mit_vector: fields.launchMitVector === null ? null : hex64(fields.launchMitVector),
    current_mit_vector: fields.currentMitVector === null ? null : hex64(fields.currentMitVector),
  }
}

function reportOf(layout: Layout): ReportView {
  const { fields, signingKey } = layout
  const product = fields.cpuid === null ? undefined : productOf(fields.cpuid.family, fields.cpuid.model)
  // Version 2 names no product, but only family 19h makes it (section 2), and all of that family have one TCB layout.
  const tcbLayout = fields.cpuid === null ? 'Milan' : product
  return {
    ...plainOf(layout),
    product: product ?? null,
    key_info: `0x${fields.keyInfo.toString(16)}`,
    signing_key: SIGNING_KEYS[signingKey] ?? `reserved ${signingKey}`,
    current_tcb: tcbOf(tcbLayout, fields.currentTcb),
    reported_tcb: tcbOf(tcbLayout, fields.reportedTcb),
    committed_tcb: tcbOf(tcbLayout, fields.committedTcb),
    launch_tcb: tcbOf(tcbLayout, fields.launchTcb),
    chip_id: hex(fields.chipId),
    signature: { r: hex(fields.signature.subarray(0, 48)), s: hex(fields.signature.subarray(48)) },
  }
}

/** The checks of structure, up to the first that fails: inspection shows a fault, it does not refuse. */
function checksOf(bytes: Uint8Array): readonly Check[] {
  const judged = attempt(() => {
    const { report, checks } = readReport(bytes)
    return judgeIdentity(report, checks)
  })
  return judged.checks
}

function certificatesOf(evidence: SnpEvidence, entries: readonly CertTableEntry[]): SnpInspection['certificates'] {
  const blobs = [
    ...certificateEntries(entries).map(({ kind, bytes }) => ({ at: `cert_table.${kind}`, bytes })),
    ...evidence.certificates.map((bytes, i) => ({ at: `certificates[${i}]`, bytes })),
  ]
  return blobs.map(({ at, bytes }) => ({ at, ...readable(() => inspectCertificate(bytes, at)) }))
}

const entryOf = ({ guid, kind, offset, bytes }: CertTableEntry): TableEntryView => ({
  guid,
  kind: kind ?? null,
  offset,
  length: bytes.length,
})

/**
 * Takes a report apart without trusting it: every field of report, certificate table and certificates. What verification would merely refuse
 * is shown. Throws AttestationError where no field can be told: size, envelope or version of the report, the header of the table.
 */
export function inspectSnp(evidence: SnpEvidence): SnpInspection {
  const bytes = rawReport(evidence)
  checkVersion(bytes, checkSize(bytes))
  const entries = evidence.certTable === undefined ? undefined : readCertTable(evidence.certTable, []).entries
  return {
    verified: false,
    report: reportOf(readLayout(bytes)),
    cert_table: entries?.map(entryOf) ?? null,
    certificates: certificatesOf(evidence, entries ?? []),
    checks: checksOf(bytes),
  }
}
