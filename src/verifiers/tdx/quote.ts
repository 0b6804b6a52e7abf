import { isZero, passed, refusal, runRules, skipped, type Rule } from '../checks.ts'
import type { Check } from '../verifier.ts'
import { readEnclaveReport, type EnclaveReport } from './enclave-report.ts'
import { fixedBytes, readAuth, type AuthData } from './quote-auth.ts'
import { BODIES, bodyKind, HEADER_BYTES, readHeader, readTdReport, type BodyKind, type QuoteHeader, type TdReport } from './quote-layout.ts'
import { BODY_TYPE, checkHeader, DESCRIPTOR_RULES, MOST_PADDING_BYTES, MOST_QUOTE_BYTES, SIZE_RULES, type Headed } from './quote-rules.ts'

/** What the quoting enclave signed for, told apart by the TEE. */
export type QuoteBody =
  | { readonly tee: 'tdx'; readonly version: 4 | 5; readonly report: TdReport }
  | { readonly tee: 'sgx'; readonly version: 3 | 4 | 5; readonly report: EnclaveReport }

/** A quote of sound structure (specification tdx.md section 1). Nothing in it is believed. */
export type Quote = {
  readonly header: QuoteHeader
  readonly body: QuoteBody
  /** The bytes that the attestation key signed, as received: header, descriptor in version 5, body. */
  readonly signed: Uint8Array
  readonly auth: AuthData
  /** TDX-01 to TDX-17. */
  readonly checks: readonly Check[]
}

/** How a quote was sent: as which evidence, and whether with a PCK chain beside it. */
export type QuoteScope = { readonly tee: 'tdx' | 'sgx'; readonly hasChain: boolean }

/** Where the body lies, and what it is. */
type Place = { readonly kind: BodyKind; readonly at: number; readonly checks: readonly Check[] }

/** A body type, its size and the length of auth data. */
const [U16, U32] = [2, 4]

/**
 * Reads a quote of version 3, 4 or 5 and makes the checks of its structure in their order. Lengths are believed only after they were
 * compared with what is there; zeros behind the declared end are left alone until then.
 * Throws AttestationError with the checks up to the failed one (TDX-01 to TDX-17).
 */
export function readQuote(bytes: Uint8Array, scope: QuoteScope): Quote {
  const sized = runRules(SIZE_RULES, bytes, [])
  const quote = bytes.slice()
  const header = readHeader(quote.subarray(0, HEADER_BYTES))
  const headed = { header, tee: scope.tee }
  const { kind, at, checks } = placeBody(quote, headed, checkHeader(headed, sized))
  const end = at + kind.bytes
  const { data, checks: bounded } = boundAuth(quote.subarray(end), { version: header.version, from: end }, checks)
  const { auth, checks: read } = readAuth(data, { version: header.version, hasChain: scope.hasChain }, bounded)
  const rest = quote.subarray(end + U32 + data.length)
  const body = readBody(header.version, kind, quote.subarray(at, end))
  return { header, body, signed: quote.subarray(0, end), auth, checks: runRules(TRAILING, rest, read) }
}

/** Where the body of a quote with this header lies (TDX-08 to TDX-10). Throws AttestationError with the checks up to the failed one. */
export function placeBody(quote: Uint8Array, { header, tee }: Headed, before: readonly Check[]): Place {
  if (header.version !== 5) {
    const checks = [BODY_TYPE, ...DESCRIPTOR_RULES].map((rule) => skipped(rule, `not in version ${header.version}`))
    return { kind: BODIES[tee === 'tdx' ? 2 : 1], at: HEADER_BYTES, checks: [...before, ...checks] }
  }
  const view = viewOf(quote)
  const [type, size] = [view.getUint16(HEADER_BYTES, true), view.getUint32(HEADER_BYTES + U16, true)]
  const kind = bodyKind(type)
  if (kind === undefined) throw refusal(BODY_TYPE, `${type}`, before)
  const checks = runRules(DESCRIPTOR_RULES, { kind, size, tee }, [...before, passed(BODY_TYPE, `${type}`)])
  return { kind, at: HEADER_BYTES + U16 + U32, checks }
}

/** The body of so many bytes. Throws AttestationError tdx-body-size-mismatch for another number of them. */
export function readBody(version: number, kind: BodyKind, bytes: Uint8Array): QuoteBody {
  const isFifth = version === 5
  if (kind.tee === 'tdx') return { tee: 'tdx', version: isFifth ? 5 : 4, report: readTdReport(kind.name, bytes) }
  return { tee: 'sgx', version: isFifth ? 5 : version === 4 ? 4 : 3, report: readEnclaveReport(bytes) }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

type Bounds = { readonly version: number; readonly from: number }

const AUTH = {
  id: 'TDX-11',
  title: 'The auth data is all there',
  code: 'tdx-auth-data-truncated',
  at: 'AUTH_DATA_LENGTH',
  expected: 'room for the fixed parts, and no more than what is left of the quote',
} as const

const DECLARED = {
  id: 'TDX-01',
  title: 'The quote is not too long by its declared lengths',
  code: 'tdx-quote-too-large',
  at: 'AUTH_DATA_LENGTH',
  expected: `at most ${MOST_QUOTE_BYTES} bytes`,
} as const

/** TDX-11, then the length that the quote gives itself (design section 3, Limits). The shortest quote has room for the four bytes of the length. */
function boundAuth(rest: Uint8Array, { version, from }: Bounds, before: readonly Check[]): { data: Uint8Array; checks: readonly Check[] } {
  const length = viewOf(rest).getUint32(0, true)
  const left = rest.length - U32
  const found = `${length} bytes, ${left} left`
  if (length > left || length < fixedBytes(version)) throw refusal(AUTH, found, before)
  const all = [...before, passed(AUTH, found)]
  const declared = from + U32 + length
  if (declared > MOST_QUOTE_BYTES) throw refusal(DECLARED, `${declared} bytes`, all)
  return { data: rest.subarray(U32, U32 + length), checks: [...all, passed(DECLARED, `${declared} bytes`)] }
}

const TRAILING: readonly Rule<Uint8Array>[] = [
  {
    id: 'TDX-17',
    title: 'Nothing but zeros follows the quote',
    code: 'tdx-quote-trailing-data',
    at: 'quote',
    expected: `at most ${MOST_PADDING_BYTES} bytes, all zero`,
    actual: (rest) => `${rest.length} bytes, ${isZero(rest) ? 'all zero' : 'not all zero'}`,
    holds: (rest) => rest.length <= MOST_PADDING_BYTES && isZero(rest),
  },
]
