import { parseCrl, type RevocationList } from '../crl.ts'
import { AttestationError } from '../problems.ts'
import { readPublicKey, verifyPss } from '../signatures.ts'
import type { AmdAnchor } from '../verifier.ts'
import { AMD_PSS, isAmdPss } from '../x509-algorithm.ts'
import { formatName, sameName } from '../x509-name.ts'
import { amdName } from './vek-names.ts'

/**
 * Reads a revocation list and proves that this root issued it (specification snp.md section 8): issuer, PSS parameters, signature.
 * Nothing is said of its window. Throws AttestationError snp-crl-issuer or snp-crl-signature.
 */
export function proveCrl(der: Uint8Array, ark: AmdAnchor): RevocationList {
  const list = parseCrl(der)
  if (!sameName(list.issuer, amdName(ark.commonName))) throw refusal('snp-crl-issuer', `issued by ${formatName(list.issuer)}`)
  if (!isAmdPss(list.innerAlgorithm, list.outerAlgorithm)) throw refusal('snp-crl-signature', 'signed with another algorithm than AMD’s')
  const key = readPublicKey(ark.spki)
  const isSigned = key !== undefined && verifyPss({ key, data: list.tbs, signature: list.signature }, AMD_PSS)
  if (!isSigned) throw refusal('snp-crl-signature', `not signed by the pinned key of ${ark.commonName}`)
  return list
}

const refusal = (code: 'snp-crl-issuer' | 'snp-crl-signature', why: string): AttestationError =>
  new AttestationError(code, why, { at: 'crl' })
