import type { Check, FactTable } from '../verifier.ts'
import type { VerifyingKey } from './public-key.ts'
import type { TrustFacts } from './trust/facts.ts'

/** An attestation key that is fit to be one by what its public area or its certificate tells; nobody vouches for it (TPM-07 to 12). */
export type AkFact = {
  readonly key: VerifyingKey
  /** DER SubjectPublicKeyInfo, and its SHA-256 in lower-case hex. */
  readonly spki: Uint8Array
  readonly spkiSha256: string
  /** What the public area tells; undefined where only a certificate names the key. */
  readonly area: AkArea | undefined
  /** The checks that made this a fact; none failed. */
  readonly checks: readonly Check[]
}

/** What only a public area tells of an attestation key. */
export type AkArea = {
  /** nameAlg ‖ digest, lower-case hex. */
  readonly name: string
  /** The qualified name that the key has if it is a primary object of the endorsement hierarchy, lower-case hex. */
  readonly endorsementPrimary: string
  /** Id of the scheme, and of its hash. */
  readonly scheme: number
  readonly hash: number
  readonly stClear: boolean
}

/** Time-free facts about TPM keys and certificates that are worth remembering. */
export type TpmFacts = TrustFacts & { readonly ak: FactTable<AkFact> }
