import type { KeyObject } from 'node:crypto'
import type { Anchors, Check, Collateral, Mode } from '../../verifier.ts'
import type { TrustFacts } from './facts.ts'

/** How strict an endorsement certificate is read (specification tpm.md section 8). */
export type EkRigour = {
  /** Tolerance for clocks, in seconds, 0 to 300. */
  readonly skewSeconds: number
  readonly softwareTpm: 'refuse' | 'allow'
  /** Whether a certificate counts that has ended: TPMs outlive them. */
  readonly expiredCertificate: 'refuse' | 'allow'
  readonly revocation: 'require' | 'prefer' | 'DANGEROUSLY_OFF'
  readonly crlGraceSeconds: number
}

/** What an endorsement certificate is judged by. */
export type EkInput = {
  /** As the TPM keeps it: DER, with nothing but 00 or FF behind it; or one PEM block. */
  readonly certificate: Uint8Array
  /** Intermediates, each DER or one PEM block. */
  readonly chain: readonly Uint8Array[]
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly now: Date
  readonly mode: Mode
  readonly memo: TrustFacts
  readonly rigour: EkRigour
}

/** A genuine endorsement key. Its public area is not looked at here (TPM-27). */
export type EndorsementKey = {
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex; an id-RSAES-OAEP key as rsaEncryption. */
  readonly spkiSha256: string
  readonly key: KeyObject
  /** 8 lower-case hex digits. */
  readonly manufacturer: string
  readonly model: string
  readonly version: string
  /** SHA-256 of the DER of every authority of the chain, that of the issuer first. */
  readonly authoritiesSha256: readonly string[]
  readonly revocation: 'checked' | 'not-checked' | 'not-configured'
  /** The earliest end among certificates and lists; undefined where an ended certificate was let pass. */
  readonly validUntil: Date | undefined
}

/** TPM-25, TPM-26 and TPM-30. `ek` is there only when no check failed. */
export type EkJudgement = { readonly checks: readonly Check[]; readonly ek?: EndorsementKey; readonly undecided?: 'collateral-unavailable' }
