import type { ImaClaims } from './ima/claims.ts'
import type { BootClaims } from './boot/claims.ts'

/** How the attestation key came to be trusted (specification tpm.md section 6). Keys that a TEE report or a cloud's document vouches for come later. */
export type AkTrust = 'ak-cert' | 'ek-activation' | 'enrolled-ak'

/** A bank of PCRs, by the name of its hash. */
export type PcrBank = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** Why an endorsement key was enrolled: the operator lists it, a caller with role enroller vouched for it, or any genuine TPM will do. */
export type EnrolmentBasis = 'listed' | 'enroller' | 'any'

/** The attestation key (section 3). */
export type AkClaims = {
  /** nameAlg ‖ digest of the public area, lower-case hex; null where nothing but a public area that nobody vouches for tells it. */
  readonly name: string | null
  readonly spki_sha256: string
  /** `rsa-2048`, `rsa-3072`, `rsa-4096`, `ecc-p256`, `ecc-p384`, `ecc-p521`. */
  readonly algorithm: string
  readonly scheme: 'rsassa' | 'rsapss' | 'ecdsa'
  readonly hash: PcrBank
  /**
   * Whether the attributes were seen in a public area that is proven to be the key's: by its name, which is enrolled or certified, or which
   * the TPM signed. false: the issuer of the certificate vouches for them, whatever area was sent.
   */
  readonly attributes_verified: boolean
  /** stClear: the key dies at each reset of the TPM; null where attributes were not seen. */
  readonly st_clear: boolean | null
  /** Qualified name of the key as the TPM signed it, lower-case hex. */
  readonly qualified_signer: string
  /** Whether qualified_signer is what section 3.3 computes; null where the key's parent is not known. */
  readonly qualified_signer_verified: boolean | null
}

/** The certificate that vouches for the attestation key. Times in RFC 3339. */
export type AkCertificateClaims = {
  readonly sha256: string
  readonly issuer: string
  readonly serial: string
  readonly not_after: string
  /** SHA-256 of the DER of the anchor that the chain ends in; of Assay's own authority that of its SubjectPublicKeyInfo. */
  readonly anchor_sha256: string
  /** Whose anchor that is: `google`, `azure`, `assay`, or the name that the operator gave. */
  readonly authority: string
}

/** What Assay's own certificate says of the TPM that the key lives in. */
export type EkClaims = {
  /** SHA-256 over the DER SubjectPublicKeyInfo of the endorsement key. */
  readonly public_key_sha256: string
  readonly basis: EnrolmentBasis
  /** SHA-256 of the authority's certificate by which the EK was listed; null where it is listed itself or not at all. */
  readonly listed_by: string | null
}

/** The identity of an instance as Google certifies it (section 6.1); numbers as decimal strings. */
export type GceClaims = {
  readonly zone: string
  readonly project_number: string
  readonly project_id: string
  readonly instance_id: string
  readonly instance_name: string
  readonly security_version: string | null
}

/** Clock and counters as the TPM signed them (section 5). */
type ClockClaims = {
  /** Milliseconds, decimal. */
  readonly clock: string
  readonly reset_count: number
  readonly restart_count: number
  readonly safe: boolean
  /** Whether the TPM was reset since the last quote of this key that was accepted; null where nothing was compared. */
  readonly rebooted: boolean | null
}

/** What a verified TPM quote says. Hex is lower-case. */
export type TpmClaims = {
  readonly ak: AkClaims
  readonly ak_trust: AkTrust
  readonly ak_certificate: AkCertificateClaims | null
  /** Only under `ek-activation`. */
  readonly ek: EkClaims | null
  /** Only under a certificate of Google's. */
  readonly gce: GceClaims | null
  /** `not-configured`: the operator names no list for the authorities of this chain. */
  readonly revocation: 'checked' | 'not-checked' | 'not-configured'
  readonly clock: ClockClaims
  /** 16 hexadecimal digits; `obfuscated_possible`: the key may be outside the endorsement hierarchy, where the TPM hides the true value (section 5). */
  readonly firmware_version: string
  readonly firmware_version_reliable: boolean
  /** The strongest permitted bank that was quoted; PCR values by index, lower-case hex. */
  readonly bank: PcrBank
  readonly pcrs: Readonly<Record<string, string>>
  /** Every bank that was quoted and verified. */
  readonly quoted_banks: readonly PcrBank[]
  /** null without an event log. */
  readonly boot: BootClaims | null
  /** null without an IMA list. */
  readonly ima: ImaClaims | null
}
