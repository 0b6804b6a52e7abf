import { attempt } from './der-attempt.ts'
import { readCertificate } from './inspect-certificate.ts'
import { AttestationError } from './problems.ts'
import { inspectCertificate as inspectAmd, type CertificateView as AmdCertificateView } from './snp/inspect-certificate.ts'
import { inspectSnp, type SnpInspection } from './snp/inspect.ts'
import { inspectCertificate as inspectIntel, isIntels, type CertificateView as IntelCertificateView } from './tdx/inspect-certificate.ts'
import { inspectQuote, type QuoteInspection } from './tdx/inspect.ts'
import { tpmCertificateOf, type CertificateView as TpmCertificateView } from './tpm/trust/inspect-certificate.ts'
import { unwrapTsm } from './tsm.ts'
import type { Evidence, EvidenceType } from './verifier.ts'

/** Evidence taken apart and explained, believing none of it. */
export type Inspection = { readonly type: EvidenceType } & (SnpInspection | QuoteInspection)

/**
 * Takes evidence apart without trusting it, as its technology does; configfs-tsm evidence as what is inside. What verification would merely
 * refuse is shown. Throws AttestationError where no field can be told.
 */
export function inspectEvidence(evidence: Evidence): Inspection {
  if (evidence.type === 'tpm')
    throw new AttestationError('evidence-type-unsupported', 'TPM evidence is not supported yet', { at: 'evidence' })
  const inside = evidence.type === 'tsm' ? unwrapTsm(evidence) : evidence
  return { type: evidence.type, ...(inside.type === 'snp' ? inspectSnp(inside) : inspectQuote(inside)) }
}

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError for what is no certificate. */
export function inspectCertificate(bytes: Uint8Array, at: string): AmdCertificateView | IntelCertificateView | TpmCertificateView {
  const cert = attempt(() => readCertificate(bytes, { what: at, code: 'tdx-pck-chain-malformed' }))
  const tpms = tpmCertificateOf(bytes, at, cert)
  if (tpms !== undefined) return tpms
  return !(cert instanceof AttestationError) && isIntels(cert) ? inspectIntel(bytes, at) : inspectAmd(bytes, at)
}
