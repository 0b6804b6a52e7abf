import { attempt } from './der-attempt.ts'
import { readCertificate } from './inspect-certificate.ts'
import { AttestationError } from './problems.ts'
import { inspectCertificate as inspectAmd, type CertificateView as AmdCertificateView } from './snp/inspect-certificate.ts'
import { inspectSnp, type SnpInspection } from './snp/inspect.ts'
import { inspectCertificate as inspectIntel, isIntels, type CertificateView as IntelCertificateView } from './tdx/inspect-certificate.ts'
import { inspectQuote, type QuoteInspection } from './tdx/inspect.ts'
import { inspectTpmStructure } from './tpm/inspect-structure.ts'
import { inspectTpm, type TpmInspection } from './tpm/inspect.ts'
import { tpmCertificateOf, type CertificateView as TpmCertificateView } from './tpm/trust/inspect-certificate.ts'
import { unwrapTsm } from './tsm.ts'
import type { Evidence, EvidenceType } from './verifier.ts'

/** Evidence taken apart and explained, believing none of it. */
export type Inspection = { readonly type: EvidenceType } & (SnpInspection | QuoteInspection | TpmInspection)

/**
 * Takes evidence apart without trusting it, as its technology does; configfs-tsm evidence as what is inside. What verification would merely
 * refuse is shown. Rejects with AttestationError where no field can be told.
 */
export async function inspectEvidence(evidence: Evidence): Promise<Inspection> {
  if (evidence.type === 'tpm') return { type: evidence.type, ...(await inspectTpm(evidence)) }
  const inside = evidence.type === 'tsm' ? unwrapTsm(evidence) : evidence
  return { type: evidence.type, ...(inside.type === 'snp' ? inspectSnp(inside) : inspectQuote(inside)) }
}

/**
 * The same for one structure of a TPM that came by itself, as its first bytes tell; undefined for anything else. Throws AttestationError where it
 * is not one to its last byte.
 */
export function inspectStructure(bytes: Uint8Array): Inspection | undefined {
  const inspection = inspectTpmStructure(bytes)
  return inspection === undefined ? undefined : { type: 'tpm', ...inspection }
}

/** Every field of one certificate (DER or one PEM block), believing none. Throws AttestationError for what is no certificate. */
export function inspectCertificate(bytes: Uint8Array, at: string): AmdCertificateView | IntelCertificateView | TpmCertificateView {
  const cert = attempt(() => readCertificate(bytes, { what: at, code: 'tdx-pck-chain-malformed' }))
  const tpms = tpmCertificateOf(bytes, at, cert)
  if (tpms !== undefined) return tpms
  return !(cert instanceof AttestationError) && isIntels(cert) ? inspectIntel(bytes, at) : inspectAmd(bytes, at)
}
