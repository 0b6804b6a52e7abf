import { passed, refusal, runRules, skipped, type Rule } from '../checks.ts'
import { Reader } from '../reader.ts'
import type { Check } from '../verifier.ts'
import { ENCLAVE_REPORT_BYTES } from './enclave-report.ts'

/** What signs a quote and vouches for the signer (specification tdx.md section 1.7), as received. */
export type AuthData = {
  /** r || s over the signed region. */
  readonly quoteSignature: Uint8Array
  /** X || Y of the attestation key. */
  readonly attestationKey: Uint8Array
  /** The 384 bytes that {@link AuthData.qeReportSignature} is over. */
  readonly qeReport: Uint8Array
  readonly qeReportSignature: Uint8Array
  readonly qeAuthData: Uint8Array
  /** 1 to 5 (section 1.8). */
  readonly certificationType: number
  readonly certificationData: Uint8Array
}

/** Auth data with the checks of its structure. */
export type ReadAuth = { readonly auth: AuthData; readonly checks: readonly Check[] }

/** What decides which rules hold: the version, and whether a PCK chain came beside the quote. */
export type AuthScope = { readonly version: number; readonly hasChain: boolean }

const SIGNATURE_BYTES = 64
const KEY_BYTES = 64
/** Signature, attestation key, and in versions 4 and 5 the header of the outer certification data. */
const FIXED_BYTES = { 3: SIGNATURE_BYTES + KEY_BYTES, later: SIGNATURE_BYTES + KEY_BYTES + 6 } as const
/** QE report, its signature, and the length of what follows. */
const QE_BYTES = ENCLAVE_REPORT_BYTES + SIGNATURE_BYTES + 2

/** Bytes of auth data before the part of the quoting enclave. */
export const fixedBytes = (version: number): number => (version === 3 ? FIXED_BYTES[3] : FIXED_BYTES.later)

type Outer = { readonly type: number; readonly size: number; readonly left: number }

const OUTER_RULES: readonly Rule<Outer>[] = [
  {
    id: 'TDX-12',
    title: 'The outer certification data is of type 6',
    code: 'tdx-certification-data-type-unsupported',
    at: 'CERTIFICATION_DATA_TYPE',
    expected: '6',
    actual: ({ type }) => `${type}`,
    holds: ({ type }) => type === 6,
  },
  {
    id: 'TDX-13',
    title: 'The outer certification data fills the auth data',
    code: 'tdx-certification-data-size-mismatch',
    at: 'CERTIFICATION_DATA_SIZE',
    expected: 'what is left of the auth data',
    actual: ({ size, left }) => `${size} bytes, ${left} left`,
    holds: ({ size, left }) => size === left,
  },
]

const QE_AUTH = {
  id: 'TDX-14',
  title: 'The data of the quoting enclave are complete',
  code: 'tdx-qe-auth-data-truncated',
  at: 'QE_AUTH_DATA',
  expected: `${QE_BYTES} bytes and the QE authentication data`,
} as const

const INNER = {
  id: 'TDX-15',
  title: 'The inner certification data ends where the auth data ends',
  code: 'tdx-qe-certification-data-size-mismatch',
  at: 'QE_CERTIFICATION_DATA_SIZE',
  expected: 'a header of 6 bytes and exactly what is left',
} as const

const CERTIFIED: Rule<{ readonly type: number; readonly hasChain: boolean }> = {
  id: 'TDX-16',
  title: 'A PCK certificate chain is at hand',
  code: 'tdx-pck-certification-type-unsupported',
  at: 'QE_CERTIFICATION_DATA_TYPE',
  expected: '5, or 1 to 4 with a chain beside the quote',
  actual: ({ type, hasChain }) => `${type}, ${hasChain ? 'a chain' : 'no chain'} beside the quote`,
  holds: ({ type, hasChain }) => type === 5 || (hasChain && 1 <= type && type <= 4),
}

/** TDX-12 to TDX-16 on auth data that has its fixed parts. Throws AttestationError with the checks up to the failed one. */
export function readAuth(data: Uint8Array, scope: AuthScope, before: readonly Check[]): ReadAuth {
  return Reader.all(data, { what: 'quote.auth_data', code: 'tdx-auth-data-truncated' }, (r) => {
    const head = { quoteSignature: r.bytes('QUOTE_SIGNATURE', SIGNATURE_BYTES), attestationKey: r.bytes('ATTESTATION_KEY', KEY_BYTES) }
    const checks = scope.version === 3 ? [...before, ...withoutOuter] : readOuter(r, before)
    const qe = readQe(r, checks)
    return { auth: { ...head, ...qe.part }, checks: runRules([CERTIFIED], { type: qe.part.certificationType, ...scope }, qe.checks) }
  })
}

const withoutOuter: readonly Check[] = OUTER_RULES.map((rule) => skipped(rule, 'not in version 3'))

function readOuter(r: Reader, before: readonly Check[]): readonly Check[] {
  const [type, size] = [r.u16le('CERTIFICATION_DATA_TYPE'), r.u32le('CERTIFICATION_DATA_SIZE')]
  return runRules(OUTER_RULES, { type, size, left: r.left }, before)
}

type QePart = { readonly part: Omit<AuthData, 'quoteSignature' | 'attestationKey'>; readonly checks: readonly Check[] }

function readQe(r: Reader, before: readonly Check[]): QePart {
  if (r.left < QE_BYTES) throw refusal(QE_AUTH, `${r.left} bytes`, before)
  const report = {
    qeReport: r.bytes('QE_REPORT', ENCLAVE_REPORT_BYTES),
    qeReportSignature: r.bytes('QE_REPORT_SIGNATURE', SIGNATURE_BYTES),
  }
  const length = r.u16le('QE_AUTH_DATA_LENGTH')
  const found = `${length} bytes of authentication data, ${r.left} left`
  if (length > r.left) throw refusal(QE_AUTH, found, before)
  const qeAuthData = r.bytes('QE_AUTH_DATA', length)
  const inner = readInner(r, [...before, passed(QE_AUTH, found)])
  return { part: { ...report, qeAuthData, ...inner.certification }, checks: inner.checks }
}

type Inner = { readonly certification: Pick<AuthData, 'certificationType' | 'certificationData'>; readonly checks: readonly Check[] }

function readInner(r: Reader, before: readonly Check[]): Inner {
  if (r.left < 6) throw refusal(INNER, `${r.left} bytes for the header`, before)
  const [certificationType, size] = [r.u16le('QE_CERTIFICATION_DATA_TYPE'), r.u32le('QE_CERTIFICATION_DATA_SIZE')]
  const found = `${size} bytes, ${r.left} left`
  if (size !== r.left) throw refusal(INNER, found, before)
  const certificationData = r.bytes('QE_CERTIFICATION_DATA', size)
  return { certification: { certificationType, certificationData }, checks: [...before, passed(INNER, found)] }
}
