import { hash, verify, type AsymmetricKeyDetails, type KeyObject } from 'node:crypto'
import { readable } from '../../der-attempt.ts'
import { DerReader, TAG } from '../../der.ts'
import { equalBytes, hexOf } from '../../der-values.ts'
import { readPublicKey, verifyPss } from '../../signatures.ts'
import type { CertifiedKey, TrustFacts } from './facts.ts'
import { describeAlgorithm } from '../../x509-algorithm.ts'
import type { ParsedCertificate } from '../../x509.ts'

type Scheme = { readonly key: 'rsa' | 'ec'; readonly hash: 'sha256' | 'sha384' | 'sha512' }

/** Signatures of certificates and lists (RFC 4055 section 5, RFC 5758 section 3.2). SHA-1 is not among them: no pinned authority needs it. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': { key: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { key: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', hash: 'sha512' },
}

/** A certificate or revocation list, as far as its signature goes. */
export type SignedDocument = Pick<ParsedCertificate, 'tbs' | 'innerAlgorithm' | 'outerAlgorithm' | 'signature'>

/** Why a document is not signed by this key with SHA-256 or better; undefined if it is. */
export function notSignedBy({ tbs, innerAlgorithm, outerAlgorithm, signature }: SignedDocument, key: KeyObject): string | undefined {
  if (!equalBytes(innerAlgorithm.der, outerAlgorithm.der)) return 'names two signature algorithms'
  const { oid, pss } = outerAlgorithm
  const signed = { key, data: tbs, signature }
  if (pss !== undefined) return verifyPss(signed, pss) ? undefined : 'is not signed by its issuer'
  const scheme = SCHEMES[oid]
  if (scheme === undefined) return `is signed with ${describeAlgorithm(outerAlgorithm)}, which is not accepted`
  const isSigned = key.asymmetricKeyType === scheme.key && verify(scheme.hash, tbs, { key, dsaEncoding: 'der' }, signature)
  return isSigned ? undefined : 'is not signed by its issuer'
}

const CURVES: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1']
/** Bits of RSA moduli: the least that is safe, and twice the longest that any known authority has. */
const RSA_BITS = { least: 2048, most: 8192 } as const

/** The key of a SubjectPublicKeyInfo; undefined where it is none, or weaker than specification tpm.md section 8.5 wants it. */
export function strongKeyOf(spki: Uint8Array): KeyObject | undefined {
  const key = readPublicKey(spki)
  return key !== undefined && isStrong(key) ? key : undefined
}

const isStrong = ({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean =>
  asymmetricKeyType === 'ec'
    ? CURVES.includes(asymmetricKeyDetails.namedCurve ?? '')
    : asymmetricKeyType === 'rsa' && isStrongRsa(asymmetricKeyDetails)

const isStrongRsa = ({ modulusLength = 0, publicExponent }: AsymmetricKeyDetails): boolean =>
  modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most && publicExponent === 65537n

/** AlgorithmIdentifier of rsaEncryption (RFC 3279 section 2.3.1) in place of id-RSAES-OAEP. */
const RSA_ENCRYPTION = Buffer.from('300d06092a864886f70d0101010500', 'hex')
/** The identifier of id-RSAES-OAEP (RFC 4055 section 4). */
const RSAES_OAEP = '06092a864886f70d010107'
const SPKI_DOCUMENT = { what: 'subjectPublicKeyInfo', code: 'tpm-ak-cert-chain-invalid' } as const

/**
 * The key of a leaf; undefined where it is none, or weak. Some manufacturers wrote id-RSAES-OAEP as the algorithm of an endorsement key, which
 * OpenSSL does not read as RSA: the same modulus and exponent are then read as rsaEncryption (specification tpm.md section 8.5).
 */
export function leafKeyOf(spki: Uint8Array): CertifiedKey | undefined {
  const key = strongKeyOf(readable(() => withoutOaep(spki)) ?? spki)
  return key === undefined ? undefined : { key, spki: new Uint8Array(key.export({ type: 'spki', format: 'der' })) }
}

/** The same, from the memo where it was read before: reading and writing it takes longer than a signature of it. */
export function knownKeyOf(spki: Uint8Array, { key: known }: Pick<TrustFacts, 'key'>): CertifiedKey | undefined {
  const id = `tpm-key/1 ${hash('sha256', spki, 'base64')}`
  const remembered = known.get(id)
  if (remembered !== undefined) return remembered
  const key = leafKeyOf(spki)
  if (key !== undefined) known.set(id, key)
  return key
}

const withoutOaep = (spki: Uint8Array): Uint8Array =>
  DerReader.all(spki, SPKI_DOCUMENT, (top) =>
    top.sequence('SubjectPublicKeyInfo', (r) => {
      const { content } = r.expect('algorithm', TAG.SEQUENCE)
      const key = r.expect('subjectPublicKey', TAG.BIT_STRING).whole
      return hexOf(content).startsWith(RSAES_OAEP) ? sequenceOf(Buffer.concat([RSA_ENCRYPTION, key])) : spki
    }),
  )

/** A SEQUENCE around contents of 256 bytes to 64 KiB: RSA keys of 2048 bits and more need two bytes of length. */
const sequenceOf = (content: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(TAG.SEQUENCE, 0x82, content.length >> 8, content.length & 0xff), content])
