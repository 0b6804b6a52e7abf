import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Evidence } from '../verifiers/verifier.ts'
import { base64Length, decodeBase64 } from './base64.ts'

/** Upper limits only (design section 3, Limits): exact lengths, zero included, are the verifier's. */
const BYTES = {
  /** Far above every report there is, so that a wrong length is named by the verifier and not by this schema. */
  report: 16 * 1024,
  /** GHCB tables seen have at most 16 KiB (specification snp.md section 5). */
  certTable: 64 * 1024,
  certificates: 64 * 1024,
  manifest: 64 * 1024,
}
/** A chain has three certificates; some hosts send each twice. */
const MAX_CERTIFICATES = 16
/** Up to eight items where a composition binds them (design section 3). */
const MAX_ITEMS = 8

const BASE64 = 'standard base64 with padding, or URL-safe without, in canonical form'

/** Bytes as they travel in JSON; the text of a limit names decoded bytes. */
export const base64Bytes = (max: number, description: string, other?: NonNullable<Parameters<typeof z.string>[0]>) =>
  z
    .string(other)
    .max(base64Length(max), `longer than ${max} bytes`)
    .transform((text, ctx) => decodeBase64(text) ?? issue(ctx, `not ${BASE64}`))
    .meta({ description: `${description} (${BASE64})`, contentEncoding: 'base64' })

function issue(ctx: z.core.$RefinementCtx, message: string): never {
  ctx.addIssue(message)
  return z.NEVER
}

/** What is wrong with an object where the bytes of a report belong (specification snp.md section 10); {@link parseRequest} gives it its code. */
export const PARSED_FORM = 'is a parsed form instead of the signed bytes in base64'

/** Bytes of a report. Rebuilding them from a parsed form would prove nothing, so that form is named. */
const reportBytes = (description: string) =>
  base64Bytes(BYTES.report, description, {
    error: ({ input }) => (typeof input === 'object' && input !== null && !Array.isArray(input) ? PARSED_FORM : undefined),
  })

const utf8 = new TextEncoder()

/** One PEM block is passed on as its text, so that the verifier judges its form; anything else must be base64 of DER. */
const certificate = z
  .string()
  .max(base64Length(BYTES.certificates), `longer than ${BYTES.certificates} bytes`)
  .transform((text, ctx) => (text.includes('-----') ? utf8.encode(text) : (decodeBase64(text) ?? issue(ctx, `neither PEM nor ${BASE64}`))))
  .meta({ description: `One certificate: a PEM block, or its DER in ${BASE64}` })

const snp = z
  .strictObject({
    type: z.literal('snp'),
    report: reportBytes('The 1184 bytes of ATTESTATION_REPORT').optional(),
    report_response: reportBytes('The 1216 bytes that the guest driver gives (MSG_REPORT_RSP)').optional(),
    cert_table: base64Bytes(BYTES.certTable, 'The certificate table of the extended guest request').optional(),
    certificates: z.array(certificate).max(MAX_CERTIFICATES).optional(),
  })
  .refine((item) => (item.report === undefined) !== (item.report_response === undefined), 'needs exactly one of report and report_response')
  .meta({ id: 'SnpEvidence', description: 'An AMD SEV-SNP report with what travelled beside it' })

const tsm = z
  .strictObject({
    type: z.literal('tsm'),
    provider: z.enum(['sev_guest', 'tdx_guest']),
    outblob: base64Bytes(BYTES.report, 'outblob, untouched'),
    auxblob: base64Bytes(BYTES.certTable, 'auxblob, untouched').optional(),
    manifestblob: base64Bytes(BYTES.manifest, 'manifestblob, untouched').optional(),
  })
  .meta({ id: 'TsmEvidence', description: 'What Linux configfs-tsm hands out under /sys/kernel/config/tsm/report' })

/** One evidence item as it travels. Its output is still the wire form with decoded bytes; {@link evidenceOf} makes it Evidence. */
export const evidenceItem = z.discriminatedUnion('type', [snp, tsm]).meta({ id: 'EvidenceItem' })
/** The items of a request. */
export const evidenceItems = z.array(evidenceItem).min(1, 'needs an item').max(MAX_ITEMS, `has more than ${MAX_ITEMS} items`)

/** An item with its binary members decoded. */
export type EvidenceItem = z.output<typeof evidenceItem>

/** The evidence that an item carries. */
export const evidenceOf = (item: EvidenceItem): Evidence => (item.type === 'snp' ? snpOf(item) : tsmOf(item))

function snpOf(item: Extract<EvidenceItem, { type: 'snp' }>): Evidence {
  const { report, report_response: response, cert_table: certTable, certificates = [] } = item
  const form = report === undefined ? 'report_response' : 'report'
  const bytes = report ?? response ?? new Uint8Array()
  return { type: 'snp', form, bytes, certificates, ...(certTable === undefined ? {} : { certTable }) }
}

const tsmOf = ({ type, provider, outblob, auxblob, manifestblob }: Extract<EvidenceItem, { type: 'tsm' }>): Evidence => ({
  type,
  provider,
  outblob,
  ...(auxblob === undefined ? {} : { auxblob }),
  ...(manifestblob === undefined ? {} : { manifestblob }),
})

/**
 * SHA-256 (hex) over the decoded evidence: of each item its type, then name and bytes of each member in the order of the schema,
 * each preceded by its length as u32 big-endian; a list is
 * its count in decimal digits, then its elements. Names an appraisal's input in audit lines; never a replay check, because signatures
 * of ECDSA can be rewritten by anyone.
 */
export const evidenceDigest = (items: readonly EvidenceItem[]): string =>
  hash('sha256', Buffer.concat(items.flatMap(partsOf).flatMap(framed)))

function framed(part: string | Uint8Array): readonly Uint8Array[] {
  const bytes = typeof part === 'string' ? utf8.encode(part) : part
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.byteLength)
  return [length, bytes]
}

const partsOf = (item: EvidenceItem): readonly (string | Uint8Array)[] =>
  Object.entries(item).flatMap(([name, value]) => {
    if (value === undefined) return []
    return Array.isArray(value) ? [name, String(value.length), ...value] : [name, value]
  })
