import type { SnpProduct, SnpTcb } from './claims.ts'

/** What a VEK certificate says (specification snp.md section 6.2): parsed, not believed. */
export type Vek = {
  readonly kind: 'vcek' | 'vlek'
  readonly product: SnpProduct
  /** Extension productName as written: `Milan-B0`, `Genoa`. */
  readonly productName: string
  readonly structVersion: number
  readonly tcb: SnpTcb
  /** Extension hwID: 64 bytes, 8 on Turin; absent in a VLEK. */
  readonly hwid?: Uint8Array
  /** Extension cspID; absent in a VCEK. */
  readonly cspId?: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Lower-case hex. */
  readonly spkiSha256: string
}
/** Reads a VEK certificate and checks its form; throws AttestationError with the code of the first broken rule. */
export function parseVek(der: Uint8Array): Vek {
  throw new Error(`not yet ${der.length}`)
}
/** The product that a certificate's productName names, unverified: a hint for which collateral a version 2 report needs. */
export function productHint(der: Uint8Array): SnpProduct | undefined {
  throw new Error(`not yet ${der.length}`)
}
