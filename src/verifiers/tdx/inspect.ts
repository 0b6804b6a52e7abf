import { attempt } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { readable, type Unreadable } from '../inspect-certificate.ts'
import { AttestationError } from '../problems.ts'
import type { Check, SgxEvidence, TdxEvidence } from '../verifier.ts'
import { enclaveClaims, tdReportClaims } from './claims-of.ts'
import type { InitdataClaims } from './claims.ts'
import { judgeEventLogs } from './event-logs.ts'
import { initdataClaims } from './initdata.ts'
import { inspectAuth, inspectChain, type AuthView, type ChainView } from './inspect-auth.ts'
import { inspectLogs, type LogView } from './inspect-logs.ts'
import type { Headed } from './quote-rules.ts'
import { HEADER_BYTES, TEE_TYPE, readHeader, type QuoteHeader, type TdReport } from './quote-layout.ts'
import { placeBody, readBody, readQuote, type QuoteBody } from './quote.ts'

/** The header (specification tdx.md section 1.1), byte fields in lower-case hex. */
type HeaderView = {
  readonly version: number
  readonly attestation_key_type: number
  readonly tee_type: string
  /** Bytes 8 to 11: QE SVN and PCE SVN in version 3, reserved after. */
  readonly reserved: string
  readonly qe_vendor_id: string
  readonly user_data: string
}

/** What the attestation key signed for, as claims would show it. */
type BodyView = ReturnType<typeof tdReportClaims> | ReturnType<typeof enclaveClaims>

/** A quote and what came along, taken apart and explained, believing none of it. `checks`: those of structure and of the logs only. */
export type QuoteInspection = {
  readonly verified: false
  readonly header: HeaderView
  /** Body and auth data, or why they cannot be read. */
  readonly body: BodyView | Unreadable
  readonly auth: AuthView | Unreadable
  readonly certificates: ChainView
  readonly event_log: LogView
  readonly runtime_log: LogView
  readonly initdata: InitdataClaims | null
  readonly checks: readonly Check[]
}

const headerView = (header: QuoteHeader): HeaderView => ({
  version: header.version,
  attestation_key_type: header.attestationKeyType,
  tee_type: `0x${header.teeType.toString(16).padStart(8, '0')}`,
  reserved: hexOf(header.reserved),
  qe_vendor_id: hexOf(header.qeVendorId),
  user_data: hexOf(header.userData),
})

const bodyView = (body: QuoteBody): BodyView =>
  body.tee === 'tdx' ? tdReportClaims(body.version, body.report) : enclaveClaims(body.version, body.report)

/** As long as it says what it is, a quote is shown as that, whichever evidence it was sent as and whether or not it holds its chain. */
const asItIs = (header: QuoteHeader) => ({ tee: header.teeType === TEE_TYPE.tdx ? 'tdx' : 'sgx', hasChain: true }) as const

/** The shortest quote has room for every body, so it is read even where what follows it is cut off. */
function bodyOf(quote: Uint8Array, headed: Headed): QuoteBody {
  const { kind, at } = placeBody(quote, headed, [])
  return readBody(headed.header.version, kind, quote.subarray(at, at + kind.bytes))
}

/** Codes of quotes of which not even the header is worth showing. */
const NO_QUOTE: readonly string[] = ['tdx-quote-too-short', 'tdx-quote-too-large', 'tdx-quote-version-unsupported']

/**
 * Takes a quote apart without trusting it: every field of header, body, auth data, report of the quoting enclave, certificates, and what logs
 * and initdata say. What verification would merely refuse is shown. Throws AttestationError where no field can be told: size or version.
 */
export function inspectQuote(evidence: TdxEvidence | SgxEvidence): QuoteInspection {
  const judged = attempt(() => readQuote(evidence.quote, { tee: evidence.type, hasChain: evidence.certificates.length > 0 }))
  if (judged instanceof AttestationError && NO_QUOTE.includes(judged.code)) throw judged
  const header = readHeader(evidence.quote.subarray(0, HEADER_BYTES))
  const scope = asItIs(header)
  const body = readable(() => bodyOf(evidence.quote, { header, tee: scope.tee }))
  const quote = readable(() => readQuote(evidence.quote, scope))
  const along = alongside(evidence, body)
  return {
    verified: false,
    header: headerView(header),
    body: 'code' in body ? body : bodyView(body),
    auth: 'code' in quote ? quote : inspectAuth(quote.auth),
    certificates: inspectChain('code' in quote ? undefined : quote.auth, evidence.certificates),
    ...along,
    checks: [...judged.checks, ...along.checks],
  }
}

type Alongside = Pick<QuoteInspection, 'event_log' | 'runtime_log' | 'initdata' | 'checks'>

/** Logs and initdata are held against a TD report that can be read, though it is not proven. */
function alongside(evidence: TdxEvidence | SgxEvidence, body: QuoteBody | Unreadable): Alongside {
  if (evidence.type === 'sgx') return { event_log: null, runtime_log: null, initdata: null, checks: [] }
  const { eventLog, runtimeLog } = evidence
  const report = 'code' in body || body.tee === 'sgx' ? undefined : body.report
  return { ...inspectLogs({ eventLog, runtimeLog }), ...(report === undefined ? NOTHING_HELD : heldAgainst(report, evidence)) }
}

const NOTHING_HELD = { initdata: null, checks: [] }

const REGISTERS = [0, 1, 2, 3] as const

function heldAgainst({ rtmrs, mrConfigId }: TdReport, { eventLog, runtimeLog, initdata }: TdxEvidence) {
  const noLog = eventLog === undefined && runtimeLog === undefined
  return {
    initdata: initdata === undefined ? null : initdataClaims(initdata, mrConfigId),
    checks: noLog ? [] : judgeEventLogs({ eventLog, runtimeLog, rtmrs, replayedRtmrs: REGISTERS }).checks,
  }
}
