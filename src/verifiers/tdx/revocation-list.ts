import { parseCrl, type RevocationList } from '../crl.ts'
import { equalBytes } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import { readPublicKey, verifyEcdsaDer } from '../signatures.ts'
import { formatName } from '../x509-name.ts'
import type { ParsedCertificate } from '../x509.ts'
import { isEcdsaSha256 } from './certificate-rules.ts'

/** Which of the two lists, as its codes are called. */
export type ListKind = 'root' | 'pck'

type Fault = 'missing' | 'malformed' | 'issuer-mismatch' | 'invalid-signature' | 'extensions-missing'

/** The code of a fault of one of the lists. */
export const listCode = (kind: ListKind, fault: Fault): `tdx-${ListKind}-crl-${Fault}` => `tdx-${kind}-crl-${fault}`

/** Who must have issued a list: the proven certificate of its authority, or its name and key. */
export type ListIssuer = Pick<ParsedCertificate, 'subjectDer' | 'spki'>

/** Extensions that every list has (specification tdx.md section 3.4). */
const REQUIRED: Readonly<Record<string, string>> = { '2.5.29.20': 'cRLNumber', '2.5.29.35': 'authorityKeyIdentifier' }

/**
 * TDX-27 and TDX-28 apart from presence and dates: reads a list in DER and proves that this authority issued it. One that holds what must be
 * understood and is not counts as malformed. Throws AttestationError.
 */
export function proveList(der: Uint8Array, kind: ListKind, issuer: ListIssuer): RevocationList {
  const what = `${kind}-crl`
  const refusal = (fault: Fault, why: string) => new AttestationError(listCode(kind, fault), `${what}: ${why}`, { at: what })
  const list = parseCrl(der, { what, code: listCode(kind, 'malformed') })
  if (list.notUnderstood !== undefined) throw refusal('malformed', `extension ${list.notUnderstood} is not understood`)
  if (!equalBytes(list.issuerDer, issuer.subjectDer)) throw refusal('issuer-mismatch', `issued by ${formatName(list.issuer)}`)
  if (!isSigned(list, issuer.spki)) throw refusal('invalid-signature', 'not signed by its issuer with ecdsa-with-SHA256')
  const missing = Object.entries(REQUIRED).flatMap(([oid, name]) => (list.extensionOids.includes(oid) ? [] : [name]))
  if (missing.length > 0) throw refusal('extensions-missing', `lacks ${missing.join(', ')}`)
  return list
}

function isSigned(list: RevocationList, spki: Uint8Array): boolean {
  const key = readPublicKey(spki)
  return key !== undefined && isEcdsaSha256(list) && verifyEcdsaDer({ key, data: list.tbs, signature: list.signature })
}
