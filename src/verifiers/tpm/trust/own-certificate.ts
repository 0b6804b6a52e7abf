import type { EnrolmentBasis } from '../claims.ts'
import type { Mode } from '../../verifier.ts'

/** The extension of Assay's own certificates for attestation keys. */
export const OWN_EXTENSION = '2.25.291172566907466161648125306256757391295.2'

/**
 * What Assay's own certificate says: SEQUENCE { version INTEGER 1, mode UTF8String, akName OCTET STRING, ekSpkiSha256 OCTET STRING,
 * basis UTF8String, listedBy OCTET STRING OPTIONAL }. Hex is lower-case.
 */
export type OwnStatement = {
  readonly mode: Mode
  readonly akName: string
  readonly ekSpkiSha256: string
  readonly basis: EnrolmentBasis
  /** SHA-256 of the DER of the authority that the EK was listed by; null where the EK is listed itself, or not at all. */
  readonly listedBy: string | null
}
