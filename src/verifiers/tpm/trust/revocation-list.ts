import { parseCrl, type RevocationList } from '../../crl.ts'
import { equalBytes } from '../../der-values.ts'
import { AttestationError } from '../../problems.ts'
import { formatName } from '../../x509-name.ts'
import { USAGE } from '../../x509-usage.ts'
import type { ParsedCertificate } from '../../x509.ts'
import { TPM_DIALECT } from './certificate.ts'
import { notSignedBy, strongKeyOf } from './signed-by.ts'
import { usagesOf } from './usage.ts'

const DOCUMENT = { what: 'tpm-crl', code: 'tpm-crl-unavailable' } as const

/**
 * Reads a revocation list in DER and proves that this authority issued it, for all of its certificates (RFC 5280 sections 5 and 6.3.3): name,
 * signature, key usage, and nothing that is not understood. Its window is not asked. Throws AttestationError tpm-crl-unavailable.
 */
export function proveTpmList(der: Uint8Array, issuer: ParsedCertificate): RevocationList {
  const list = parseCrl(der, DOCUMENT, TPM_DIALECT)
  const fault = faultOf(list, issuer)
  if (fault !== undefined) throw new AttestationError(DOCUMENT.code, `the list ${fault}`, { at: DOCUMENT.what })
  return list
}

function faultOf(list: RevocationList, issuer: ParsedCertificate): string | undefined {
  if (list.notUnderstood !== undefined) return `has extension ${list.notUnderstood}, which is not understood`
  if (!equalBytes(list.issuerDer, issuer.subjectDer)) return `is issued by ${formatName(list.issuer)}`
  const usages = usagesOf(issuer)
  if ('fault' in usages || ((usages.usage ?? 0) & USAGE.crlSign) === 0) return 'stands under an authority that may not sign lists'
  const key = strongKeyOf(issuer.spki)
  return key === undefined ? 'stands under a key that is weak, or none' : notSignedBy(list, key)
}
