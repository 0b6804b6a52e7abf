import type { Anchors, Check, Collateral, Context, Finding, Reading, SgxEvidence, TdxEvidence, Unverified, Verifier } from '../verifier.ts'
import { failed, hasOutcome, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import { pckCrlAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress } from './address.ts'
import { checkDates, datesRule } from './certificate-dates.ts'
import { sgxClaims, tdxClaims, type ClaimSources } from './claims-of.ts'
import { judgeCollateral } from './collateral.ts'
import type { CollateralInput, CollateralVerdict, TdModule } from './collateral-input.ts'
import { judgeEventLogs, type EventLogJudgement } from './event-logs.ts'
import { initdataClaims } from './initdata.ts'
import { proveQuote, type QuoteProof } from './proof.ts'
import type { TdReport } from './quote-layout.ts'
import { readQuote, type Quote } from './quote.ts'

/** Evidence of sound structure, with what was proven of it before any collateral was asked for. */
type Read = {
  readonly evidence: TdxEvidence | SgxEvidence
  readonly quote: Quote
  readonly proof: QuoteProof
  /** Which questions the proof has answered: another mode asks others. */
  readonly reading: Reading | undefined
}

type Grounds = { readonly anchors: Anchors; readonly collateral: Collateral; readonly context: Context }
type Facts = NonNullable<QuoteProof['facts']>

/**
 * The documents that a proven quote needs, and those of `early` that would say more. A quote that is not proven needs none: nothing is
 * fetched for certificates that somebody made himself (specification tdx.md section 5).
 */
function wantsOf({ evidence: { type }, proof: { facts } }: Read): Pick<Unverified, 'needs' | 'wants' | 'offers'> {
  if (facts === undefined) return { needs: [], offers: new Map() }
  const fmspc = hexOf(facts.pck.extension.fmspc)
  return {
    needs: [
      rootCaCrlAddress,
      pckCrlAddress(facts.pck.issuedBy),
      tcbInfoAddress(type, fmspc, 'standard'),
      qeIdentityAddress(type, 'standard'),
    ],
    wants: [tcbInfoAddress(type, fmspc, 'early'), qeIdentityAddress(type, 'early')],
    offers: new Map(),
  }
}

const REPORT_DATA = { id: 'TDX-79', title: 'REPORTDATA is the value that the request binds', code: 'tdx-report-data-mismatch' } as const

/** TDX-79: all 64 bytes, nothing padded or cut here. */
function checkReportData({ body }: Quote, reportData: Uint8Array | undefined): Check {
  if (reportData === undefined) return skipped(REPORT_DATA, 'not asked')
  const rule = { ...REPORT_DATA, expected: hexOf(reportData) }
  const actual = hexOf(body.report.reportData)
  return equalBytes(body.report.reportData, reportData) ? passed(rule, actual) : failed(rule, actual)
}

const moduleOf = ({ teeTcbSvn, update, mrSignerSeam, seamAttributes }: TdReport): TdModule => ({
  teeTcbSvn,
  teeTcbSvn2: update?.teeTcbSvn2,
  mrSignerSeam,
  seamAttributes,
})

/** What steps 4 to 9 look at. */
const collateralInput = ({ quote: { body } }: Read, { pck, qe }: Facts, grounds: Grounds): CollateralInput => ({
  ...grounds,
  td: body.tee === 'tdx' ? moduleOf(body.report) : undefined,
  platform: pck.extension,
  pck,
  qe: qe.report,
})

const hasFailed = (checks: readonly Check[]): boolean => hasOutcome(checks, 'fail')

/** TDX-83 to 86. An SGX quote has no registers. */
function judgeLogs({ evidence, quote: { body } }: Read, context: Context): EventLogJudgement {
  if (evidence.type === 'sgx' || body.tee === 'sgx') return { checks: [], claims: null }
  const { eventLog, runtimeLog } = evidence
  return judgeEventLogs({ eventLog, runtimeLog, rtmrs: body.report.rtmrs, replayedRtmrs: context.rigour.tdx.replayedRtmrs })
}

function claimsOf({ evidence, quote }: Read, sources: ClaimSources, eventLog: EventLogJudgement['claims']): Finding['claims'] & object {
  if (quote.body.tee === 'sgx') return { sgx: sgxClaims(quote.body, sources) }
  const document = evidence.type === 'tdx' ? evidence.initdata : undefined
  const initdata = document === undefined ? null : initdataClaims(document, quote.body.report.mrConfigId)
  return { tdx: tdxClaims(quote.body, sources, { eventLog, initdata }) }
}

const earliest = (dates: readonly Date[]): Date => new Date(Math.min(...dates.map((date) => date.getTime())))

type Verified = { readonly facts: Facts; readonly verdict: CollateralVerdict; readonly before: readonly Check[] }

/** Binding and event logs, once quote, platform and TCB are proven; claims exist only when nothing failed. */
function conclude(read: Read, { facts, verdict, before }: Verified, context: Context): Finding {
  const logs = judgeLogs(read, context)
  const checks = [...before, checkReportData(read.quote, context.reportData), ...logs.checks]
  if (hasFailed(checks)) return { checks, validUntil: context.now }
  const sources = { quote: read.quote, ...facts, tcb: verdict.tcb, collateral: verdict.claims }
  const validUntil = earliest(verdict.validUntil)
  return { checks, claims: claimsOf(read, sources, logs.claims), validUntil }
}

const PCK_DATES = datesRule('PCK chain')

/** Steps 2 and 3, dates included. What was proven when the quote was read counts only for the mode that it was read in. */
function proven(read: Read, { anchors, context }: Grounds): { readonly facts: Facts | undefined; readonly checks: readonly Check[] } {
  const isProven = read.reading?.mode === context.mode
  const proof = isProven ? read.proof : proveQuote(read.quote, read.evidence.certificates, { anchors, ...context })
  const dates = proof.windows.length === 0 ? [] : checkDates(PCK_DATES, proof.windows, context.now)
  const checks = [...read.quote.checks, ...proof.chain, ...dates, ...proof.quote]
  return { facts: hasFailed(checks) ? undefined : proof.facts, checks }
}

/** Steps 2 to 9 of section 5; each is worth asking only when those before it have passed. */
function verifyQuote(read: Read, grounds: Grounds): Finding {
  const { context } = grounds
  const { facts, checks } = proven(read, grounds)
  if (facts === undefined) return { checks, validUntil: context.now }
  const { undecided, verdict, checks: judged } = judgeCollateral(collateralInput(read, facts, grounds))
  const before = [...checks, ...judged]
  if (undecided !== undefined) return { checks: before, validUntil: context.now, undecided }
  if (verdict === undefined || hasFailed(before)) return { checks: before, validUntil: context.now }
  return conclude(read, { facts, verdict, before }, context)
}

/** Steps 1 to 3 when the quote is read, all others when it is verified. Without a mode the proof admits any: `verify` then proves anew. */
function unverified(evidence: TdxEvidence | SgxEvidence, anchors: Anchors, reading: Reading | undefined): Unverified {
  const { quote: bytes, certificates, type: tee } = evidence
  const quote = readQuote(bytes, { tee, hasChain: certificates.length > 0 })
  const proof = proveQuote(quote, certificates, { anchors, mode: reading?.mode ?? 'test', memo: reading?.memo })
  const read = { evidence, quote, proof, reading }
  return {
    ...wantsOf(read),
    verify: async (collateral, context) => verifyQuote(read, { anchors, collateral, context }),
  }
}

/**
 * Intel TDX (specification tdx.md): reads the quote, proves what it can prove alone, tells which vendor documents it needs, and verifies.
 * Throws AttestationError (kind malformed, TDX-01 to 18) when the bytes make no sense; it carries the checks up to the failed one.
 */
export const tdx: Verifier<TdxEvidence> = async (evidence, anchors, reading) => unverified(evidence, anchors, reading)

/** Intel SGX quotes (specification tdx.md section 5.5), by the same machinery. Throws as {@link tdx} does. */
export const sgx: Verifier<SgxEvidence> = async (evidence, anchors, reading) => unverified(evidence, anchors, reading)
