import { z } from 'zod'
import { tpmItem } from './evidence-tpm.ts'
import { base64Bytes, certificateChain as chain } from './wire.ts'

/** Upper limits only (design section 3, Limits): exact lengths, zero included, are the verifier's. */
export const BYTES = {
  /** Far above every report there is, so that a wrong length is named by the verifier and not by this schema. */
  report: 16 * 1024,
  /** Twice the 16 KiB of a quote and the 16 KiB of zeros behind it, for the same reason. */
  quote: 64 * 1024,
  /** GHCB tables seen have at most 16 KiB (specification snp.md section 5). */
  certTable: 64 * 1024,
  manifest: 64 * 1024,
  /** No service can be configured to take more (specification tdx.md section 8.1); what one does take is for the route to ask. */
  log: 4 * 1024 * 1024,
  initdata: 64 * 1024,
}
/** Up to eight items where a composition binds them (design section 3). */
const MAX_ITEMS = 8

/** What is wrong with an object where the bytes of a report belong (specification snp.md section 10); {@link parseRequest} gives it its code. */
export const PARSED_FORM = 'is a parsed form instead of the signed bytes in base64'

/** Bytes of a report. Rebuilding them from a parsed form would prove nothing, so that form is named. */
const reportBytes = (description: string) =>
  base64Bytes(BYTES.report, description, {
    error: ({ input }) => (typeof input === 'object' && input !== null && !Array.isArray(input) ? PARSED_FORM : undefined),
  })

const snp = z
  .strictObject({
    type: z.literal('snp'),
    report: reportBytes('The 1184 bytes of ATTESTATION_REPORT').optional(),
    report_response: reportBytes('The 1216 bytes that the guest driver gives (MSG_REPORT_RSP)').optional(),
    cert_table: base64Bytes(BYTES.certTable, 'The certificate table of the extended guest request').optional(),
    certificates: chain.optional(),
  })
  .refine((item) => (item.report === undefined) !== (item.report_response === undefined), 'needs exactly one of report and report_response')
  .meta({ id: 'SnpEvidence', description: 'An AMD SEV-SNP report with what travelled beside it' })

const quoteBytes = base64Bytes(BYTES.quote, 'The quote, untouched; zeros behind its end are allowed')

const tdx = z
  .strictObject({
    type: z.literal('tdx'),
    quote: quoteBytes,
    certificates: chain
      .meta({ description: 'The PCK chain, leaf first, for a quote that does not hold it (certification data types 1 to 4)' })
      .optional(),
    event_log: base64Bytes(
      BYTES.log,
      'CCEL: the TCG2 log of what was extended into the registers; 1 MiB unless the operator takes more',
    ).optional(),
    runtime_log: base64Bytes(BYTES.log, 'Runtime events as JSON, as dstack keeps them; 1 MiB unless the operator takes more').optional(),
    initdata: base64Bytes(BYTES.initdata, 'The document that MRCONFIGID binds').optional(),
  })
  .meta({ id: 'TdxEvidence', description: 'An Intel TDX quote with what travelled beside it' })

const sgx = z
  .strictObject({ type: z.literal('sgx'), quote: quoteBytes, certificates: chain.optional() })
  .meta({ id: 'SgxEvidence', description: 'An Intel SGX quote with what travelled beside it' })

const tsm = z
  .strictObject({
    type: z.literal('tsm'),
    provider: z.enum(['sev_guest', 'tdx_guest']),
    outblob: base64Bytes(BYTES.quote, 'outblob, untouched'),
    auxblob: base64Bytes(BYTES.certTable, 'auxblob, untouched').optional(),
    manifestblob: base64Bytes(BYTES.manifest, 'manifestblob, untouched').optional(),
  })
  .meta({ id: 'TsmEvidence', description: 'What Linux configfs-tsm hands out under /sys/kernel/config/tsm/report' })

/** One evidence item as it travels. Its output is still the wire form with decoded bytes; `evidenceOf` makes it Evidence. */
export const evidenceItem = z.discriminatedUnion('type', [snp, tdx, sgx, tpmItem, tsm]).meta({ id: 'EvidenceItem' })
/** The items of a request. */
export const evidenceItems = z.array(evidenceItem).min(1, 'needs an item').max(MAX_ITEMS, `has more than ${MAX_ITEMS} items`)

/** An item with its binary members decoded. */
export type EvidenceItem = z.output<typeof evidenceItem>
