import { attempt } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { readable, type Unreadable } from '../inspect-certificate.ts'
import type { Check, TpmEvidence, TpmQuote } from '../verifier.ts'
import { parseAttest, type Attest } from './attest.ts'
import { attestView, type AttestView } from './inspect-attest.ts'
import { inspectPublicArea, inspectSignature, type PublicAreaView, type SignatureView } from './inspect-key.ts'
import { inspectEventLog, inspectImaLog, type EventLogView, type ImaLogView } from './inspect-logs.ts'
import { formatSelections } from './pcr-selection.ts'
import { readStructure } from './read.ts'
import { inspectCertificate, type CertificateView } from './trust/inspect-certificate.ts'

/** One attestation with what came beside it. */
type QuoteView = AttestView & {
  /** null: none came with it. */
  readonly signature: SignatureView | Unreadable | null
  /** Values as they were sent, `sha256:7` with its value; those that the attestation does not select are surplus. */
  readonly pcr_values: readonly { readonly pcr: string; readonly selected: boolean; readonly value: string }[]
  /** Selected PCRs without a value: `sha256:0-7`. */
  readonly pcrs_missing: readonly string[]
}

/** Quotes and what came along, taken apart and explained, believing none of it. `checks`: those of structure only, up to the first that ends reading. */
export type TpmInspection = {
  readonly verified: false
  readonly quotes: readonly QuoteView[]
  readonly ak_public: PublicAreaView | Unreadable | null
  readonly certificates: readonly (CertificateView | ({ readonly at: string } & Unreadable))[]
  readonly event_log: EventLogView | Unreadable | null
  readonly ima_log: ImaLogView | null
  readonly checks: readonly Check[]
}

/**
 * Takes TPM evidence apart without trusting it: every field of attestations, signatures, public area and certificates, and what the logs add
 * up to. What verification would merely refuse is shown, attestations of other types too. Rejects with AttestationError where an attestation
 * cannot be read.
 */
export async function inspectTpm(evidence: TpmEvidence): Promise<TpmInspection> {
  const { quotes, akPublic, akCertificates, eventLog, imaLog } = evidence
  return {
    verified: false,
    quotes: quotes.map((quote, i) => quoteView(quote, `quotes[${i}]`)),
    ak_public: akPublic === undefined ? null : readable(() => inspectPublicArea(akPublic)),
    certificates: akCertificates.map((bytes, i) => certificateView(bytes, `ak_certificates[${i}]`)),
    event_log: eventLog === undefined ? null : readable(() => inspectEventLog(eventLog)),
    ima_log: imaLog === undefined ? null : await inspectImaLog(imaLog),
    checks: attempt(() => readStructure(evidence, undefined)).checks,
  }
}

const certificateView = (bytes: Uint8Array, at: string) => ({ at, ...readable(() => inspectCertificate(bytes, at)) })

function quoteView({ quote, signature, pcrs }: TpmQuote, at: string): QuoteView {
  const attest = parseAttest(quote, `${at}.quote`)
  return {
    ...attestView(attest, quote),
    signature: readable(() => inspectSignature(signature, `${at}.signature`)),
    ...besides(attest, pcrs),
  }
}

/** PCR values beside what the attestation selects. */
function besides({ attested }: Attest, pcrs: TpmQuote['pcrs']): Pick<QuoteView, 'pcr_values' | 'pcrs_missing'> {
  const selections = attested.type === 'quote' ? attested.pcrSelect : []
  const sent = Object.entries(pcrs).flatMap(([bank, values]) => Object.entries(values).map(([pcr, value]) => ({ bank, pcr, value })))
  const isSelected = (bank: string, pcr: string): boolean =>
    selections.some((selection) => selection.bank === bank && selection.pcrs.some((index) => String(index) === pcr))
  const isSent = (bank: string | undefined, pcr: number): boolean => sent.some((row) => row.bank === bank && row.pcr === String(pcr))
  const missing = selections.map(({ bank, hash, pcrs: selected }) => ({ bank, hash, pcrs: selected.filter((pcr) => !isSent(bank, pcr)) }))
  return {
    pcr_values: sent.map(({ bank, pcr, value }) => ({
      pcr: `${bank}:${pcr}`,
      selected: isSelected(bank, pcr),
      value: hexOf(value),
    })),
    pcrs_missing: missing.filter((selection) => selection.pcrs.length > 0).map((selection) => formatSelections([selection])),
  }
}
