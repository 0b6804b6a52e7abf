import type { KeyObject } from 'node:crypto'
import type { Anchors, Check, Collateral, Context } from '../../verifier.ts'
import type { AkCertificateClaims, AkTrust, EkClaims, GceClaims, TpmClaims } from '../claims.ts'

/** The attestation key as its public area tells: nothing here vouches for it. */
type AkIdentity = {
  /** nameAlg ‖ digest of the public area, lower-case hex (specification tpm.md section 3.2). */
  readonly name: string
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
}

/** What trust in an attestation key is judged by. */
export type TrustInput = {
  /** undefined: no public area came with the evidence. */
  readonly akPublic: AkIdentity | undefined
  /** Each the bytes of one DER certificate or of one PEM block, that of the attestation key first. */
  readonly certificates: readonly Uint8Array[]
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly context: Context
}

/** A key that something vouches for, and what is known of it. */
export type Trust = {
  readonly model: AkTrust
  /** The key that quotes must be signed with: that of the certificate; of the public area where there is no certificate. */
  readonly key: KeyObject
  /**
   * `name`: what vouches for the key names it, and so all that its public area says. `key`: only the public key; that the public area which was
   * sent is its area is then the word of whoever sent it, and the issuer's care.
   */
  readonly binds: 'name' | 'key'
  /** Name (hex) of the key, as the public area or Assay's own certificate tells; null where neither does. */
  readonly name: string | null
  readonly certificate: AkCertificateClaims | null
  readonly ek: EkClaims | null
  readonly gce: GceClaims | null
  readonly revocation: TpmClaims['revocation']
  /** The earliest end among certificates and lists; undefined: nothing that was relied on ends. */
  readonly validUntil: Date | undefined
}

/** TPM-18 to TPM-24 and TPM-31. `trust` is there only when no check failed. */
export type TrustJudgement = {
  readonly checks: readonly Check[]
  readonly trust?: Trust
  readonly undecided?: 'collateral-unavailable'
}
