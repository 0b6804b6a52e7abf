import { hash } from 'node:crypto'

/** What a `tpm/…` address names: the revocation list of one authority. */
export type TpmDocument = { readonly kind: 'tpm-crl'; readonly issuerSpkiSha256: string }

/** The address of the list that the holder of this key signs, by the SHA-256 (lower-case hex) of its SubjectPublicKeyInfo. */
export const tpmCrlAddress = (issuerSpkiSha256: string): `tpm/${string}` => `tpm/crl/${issuerSpkiSha256}`

const ADDRESS = /^tpm\/crl\/([0-9a-f]{64})$/

/** Reads a `tpm/…` address; undefined for any other text. */
export function parseTpmAddress(address: string): TpmDocument | undefined {
  const [, issuerSpkiSha256] = ADDRESS.exec(address) ?? []
  return issuerSpkiSha256 === undefined ? undefined : { kind: 'tpm-crl', issuerSpkiSha256 }
}

/** By what authorities are known to lists: SHA-256 (lower-case hex) of DER SubjectPublicKeyInfo. */
export const spkiDigest = (spki: Uint8Array): string => hash('sha256', spki)
