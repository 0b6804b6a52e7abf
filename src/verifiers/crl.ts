import type { DistinguishedName, SignatureAlgorithm } from './x509.ts'

/** A CRL read from DER (RFC 5280 section 5): parsed, not believed. */
export type RevocationList = {
  readonly issuer: DistinguishedName
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
  /** cRLNumber (RFC 5280 section 5.2.3). */
  readonly number?: bigint
  readonly entries: number
  readonly isRevoked: (serial: bigint) => boolean
  readonly tbs: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
}

/** stub */
export function parseCrl(der: Uint8Array): RevocationList {
  throw new Error(`not yet ${der.length}`)
}
