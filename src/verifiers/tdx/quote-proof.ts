import { createHash } from 'node:crypto'
import { failed, isZero, passed, skipped, type Rule } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import { readPublicKey, verifyEcdsaInPlace } from '../signatures.ts'
import type { Check } from '../verifier.ts'
import { readEnclaveReport } from './enclave-report.ts'
import type { PckFact, QeFact } from './facts.ts'
import type { AuthData } from './quote-auth.ts'
import type { Quote } from './quote.ts'

type ProofRule = Pick<Rule<never>, 'id' | 'title' | 'code' | 'expected'>

/** TDX-46, 44, 45 and 52: what proves a quote without collateral, in the order of specification tdx.md section 5. */
export const PROOF_RULES = {
  key: {
    id: 'TDX-46',
    title: 'The attestation key is a point of P-256',
    code: 'tdx-attestation-key-invalid',
    expected: 'X and Y of a point on the curve',
  },
  report: {
    id: 'TDX-44',
    title: 'The report of the quoting enclave is signed by the PCK',
    code: 'tdx-qe-report-invalid-signature',
    expected: 'an ECDSA P-256 signature over the 384 bytes of the report',
  },
  binding: {
    id: 'TDX-45',
    title: 'The quoting enclave vouches for the attestation key',
    code: 'tdx-qe-report-data-mismatch',
    expected: 'REPORTDATA of its report: SHA-256 of attestation key and QE authentication data, then 32 zero bytes',
  },
  quote: {
    id: 'TDX-52',
    title: 'The quote is signed by the attestation key',
    code: 'tdx-quote-invalid-signature',
    expected: 'an ECDSA P-256 signature over header and body as received',
  },
} as const satisfies Record<string, ProofRule>

/** TDX-46, 44 and 45, each answered. Without a fact one failed, and those after it were not asked. */
export type QeProof = { readonly checks: readonly Check[]; readonly fact?: QeFact }

/** SubjectPublicKeyInfo of an uncompressed P-256 point up to its coordinates (RFC 5480 section 2). */
const P256_SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/**
 * Proves that the quoting enclave of a proven platform vouches for the attestation key (section 2, S2 and Binding; TDX-46, 44, 45).
 * The length of the authentication data is whatever it is: all of it is hashed.
 */
export function proveQe(auth: AuthData, pck: Pick<PckFact, 'key'>): QeProof {
  const key = readPublicKey(Buffer.concat([P256_SPKI, auth.attestationKey]))
  if (key === undefined) return ending([], PROOF_RULES.key, hexOf(auth.attestationKey))
  const onCurve = [passed(PROOF_RULES.key, hexOf(auth.attestationKey))]
  const isSigned = verifyEcdsaInPlace({ key: pck.key, data: auth.qeReport, signature: auth.qeReportSignature })
  if (!isSigned) return ending(onCurve, PROOF_RULES.report, 'does not verify with the key of the PCK certificate')
  const signed = [...onCurve, passed(PROOF_RULES.report, 'verified with the key of the PCK certificate')]
  const report = readEnclaveReport(auth.qeReport)
  if (!isBound(report.reportData, auth)) return ending(signed, PROOF_RULES.binding, hexOf(report.reportData))
  const checks = [...signed, passed(PROOF_RULES.binding, hexOf(report.reportData))]
  return { checks, fact: { key, report, checks } }
}

function isBound(reportData: Uint8Array, { attestationKey, qeAuthData }: AuthData): boolean {
  const digest = createHash('sha256').update(attestationKey).update(qeAuthData).digest()
  return equalBytes(reportData.subarray(0, 32), digest) && isZero(reportData.subarray(32))
}

const QE_ORDER: readonly ProofRule[] = [PROOF_RULES.key, PROOF_RULES.report, PROOF_RULES.binding]

/** The checks of a proof that failed at a rule: what comes after would not be worth reading. */
const ending = (before: readonly Check[], rule: ProofRule, actual: string): QeProof => ({
  checks: [...before, failed(rule, actual), ...QE_ORDER.slice(before.length + 1).map((next) => skipped(next, 'not reached'))],
})

/** TDX-52 (section 2, S1). */
export function checkQuoteSignature({ signed, auth }: Quote, qe: Pick<QeFact, 'key'>): Check {
  const isSigned = verifyEcdsaInPlace({ key: qe.key, data: signed, signature: auth.quoteSignature })
  return isSigned ? passed(PROOF_RULES.quote, 'verified') : failed(PROOF_RULES.quote, 'does not verify')
}
