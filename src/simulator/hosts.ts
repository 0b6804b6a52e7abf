import type { SnpProduct, SnpTcb } from '../verifiers/snp/claims.ts'
import type { FakeAmd } from './amd.ts'
import { CERT_GUID, certTable, pem, reportResponse } from './envelopes.ts'
import { signedReport, type ReportFields } from './report.ts'
import type { FakeVek } from './veks.ts'

/** How a host hands its evidence over. `snp-response` is the 1216 bytes of the guest driver. */
type HostEnvelope = 'snp' | 'snp-response' | 'tsm'

/** An evidence item as it travels (design section 3). */
export type EvidenceItemJson =
  | {
      readonly type: 'snp'
      readonly report?: string
      readonly report_response?: string
      readonly cert_table?: string
      readonly certificates?: readonly string[]
    }
  | { readonly type: 'tsm'; readonly provider: 'sev_guest'; readonly outblob: string; readonly auxblob?: string }

/** What a fake host is. */
export type HostOptions = {
  readonly name?: string
  readonly product?: SnpProduct
  readonly kind?: 'vcek' | 'vlek'
  readonly hwid?: Uint8Array
  readonly tcb?: SnpTcb
  readonly envelope?: HostEnvelope
  /** Where the VEK travels; with `nothing` the verifier must have or fetch it. */
  readonly ships?: 'cert-table' | 'certificates' | 'nothing'
  /** Fields of every report of this host that differ from the defaults. */
  readonly fields?: Partial<ReportFields>
  /** Ships the certificate of another chip beside its own reports. */
  readonly wrongVek?: FakeVek
}

/** A confidential VM on a processor of the fake AMD. */
export type FakeHost = {
  readonly name: string
  readonly product: SnpProduct
  readonly vek: FakeVek
  /** A signed report over 64 bytes of report data. */
  readonly report: (reportData: Uint8Array, fields?: Partial<ReportFields>) => Uint8Array
  /** The certificate table that the host hands to the guest. */
  readonly certTable: () => Uint8Array
  /** The evidence item for 64 bytes of report data. */
  readonly evidence: (reportData: Uint8Array, fields?: Partial<ReportFields>) => EvidenceItemJson
}

/** A new host; its chip exists in the fake AMD from then on. */
export function fakeHost(amd: FakeAmd, options: HostOptions = {}): FakeHost {
  const { product = 'Milan', kind = 'vcek', envelope = 'snp', ships = 'cert-table' } = options
  const vek = amd[kind](vekRequest(product, options))
  const shipped = options.wrongVek ?? vek
  const table = () => (ships === 'cert-table' ? certTable([{ guid: CERT_GUID[shipped.kind], bytes: shipped.der }]) : new Uint8Array())
  const report: FakeHost['report'] = (reportData, fields = {}) => signedReport(vek, { ...options.fields, ...fields, reportData })
  return {
    name: options.name ?? product.toLowerCase(),
    product,
    vek,
    report,
    certTable: table,
    evidence: (reportData, fields) => {
      const certificates = ships === 'certificates' ? [pem(shipped.der)] : []
      return ENVELOPES[envelope]({ report: report(reportData, fields), table: table(), certificates })
    },
  }
}

const vekRequest = (product: SnpProduct, { hwid, tcb }: HostOptions) => ({
  product,
  ...(hwid === undefined ? {} : { hwid }),
  ...(tcb === undefined ? {} : { tcb }),
})

type Parts = { readonly report: Uint8Array; readonly table: Uint8Array; readonly certificates: readonly string[] }

/** Standard base64 with padding. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const beside = ({ table, certificates }: Parts) => ({
  ...(table.length === 0 ? {} : { cert_table: base64(table) }),
  ...(certificates.length === 0 ? {} : { certificates }),
})

const ENVELOPES: Record<HostEnvelope, (parts: Parts) => EvidenceItemJson> = {
  snp: (parts) => ({ type: 'snp', report: base64(parts.report), ...beside(parts) }),
  'snp-response': (parts) => ({ type: 'snp', report_response: base64(reportResponse(parts.report)), ...beside(parts) }),
  // configfs-tsm has no place for certificates but auxblob.
  tsm: ({ report, table }) => ({
    type: 'tsm',
    provider: 'sev_guest',
    outblob: base64(report),
    ...(table.length === 0 ? {} : { auxblob: base64(table) }),
  }),
}
