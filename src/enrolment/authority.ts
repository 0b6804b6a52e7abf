import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { Mode } from '../verifiers/verifier.ts'
import type { OwnStatement } from '../verifiers/tpm/trust/own-certificate.ts'

/** An attestation key to certify, and what is said of it. */
export type AkSubject = {
  readonly publicKey: KeyObject
  readonly statement: OwnStatement
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Assay's own authority for attestation keys: an anchor for nothing else. */
export type AkAuthority = {
  /** DER SubjectPublicKeyInfo: what verifiers know it by. */
  readonly spki: Uint8Array
  /** Its self-signed certificate, DER; made anew by each process, of the same key and name. */
  readonly certificate: () => Promise<Uint8Array>
  /** A certificate with a random serial number, DER. Its statement is of the authority's own mode, whatever the subject says. */
  readonly certify: (subject: AkSubject) => Promise<Uint8Array>
}

/** The key of an authority with what its certificates need to know. */
export type AuthorityKey = {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly mode: Mode
  /** Of subjectKeyIdentifier: the first 20 bytes of SHA-256 over the SubjectPublicKeyInfo (RFC 7093 section 2, method 4). */
  readonly keyId: Uint8Array
}

/** What the file of an authority's key begins with where Assay made it. */
export const AK_CA_KEY = 'assay-ak-ca-key/1'

const KEY_ID_BYTES = 20

/** First 20 bytes of SHA-256 over a key's SubjectPublicKeyInfo. */
export const keyIdOf = (publicKey: KeyObject): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest()
      .subarray(0, KEY_ID_BYTES),
  )

/** The authority of a P-256 key. */
export function createAkAuthority(privateKey: KeyObject, mode: Mode): AkAuthority {
  const publicKey = createPublicKey(privateKey)
  const key: AuthorityKey = { privateKey, publicKey, mode, keyId: keyIdOf(publicKey) }
  let own: Promise<Uint8Array> | undefined
  return {
    spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    certificate: () => (own ??= writer().then(({ authorityCertificate }) => authorityCertificate(key))),
    certify: async (subject) => (await writer()).akCertificate(key, subject),
  }
}

/** What writes ASN.1 takes longer to load than all routes together, which a service that enrols nobody need not wait for. */
const writer = () => import('./certificates.ts')
