import { hexOf } from '../der-values.ts'
import type { BootClaims } from './boot/claims.ts'
import type { AkClaims, PcrBank, TpmClaims } from './claims.ts'
import type { AkFact } from './facts.ts'
import type { ImaClaims } from './ima/claims.ts'
import type { BankValues } from './pcrs.ts'
import { clockOf, type ClockJudgement, type SignerJudgement } from './quote-checks.ts'
import type { ReadQuote } from './read.ts'
import type { SigningScheme } from './tpm-signature.ts'
import type { Trust } from './trust/input.ts'

/** All that was proven of TPM evidence. */
export type Proven = {
  readonly quote: ReadQuote
  readonly quotes: readonly ReadQuote[]
  readonly ak: AkFact
  readonly scheme: SigningScheme
  readonly trust: Trust
  readonly signer: SignerJudgement
  readonly clock: ClockJudgement
  readonly bank: PcrBank
  readonly values: ReadonlyMap<PcrBank, BankValues>
}

/** Authorities whose attestation keys are of the endorsement hierarchy, where the TPM hides nothing (specification tpm.md section 5). */
const PLAIN_FIRMWARE: readonly string[] = ['google', 'azure']

/** The claims of evidence that is proven. */
export function claimsOf(proven: Proven, boot: BootClaims | null, ima: ImaClaims | null): TpmClaims {
  const { quote, quotes, trust, bank, values } = proven
  const { latest, isSafe } = clockOf(quotes)
  return {
    ak: akClaims(proven),
    ak_trust: trust.model,
    ak_certificate: trust.certificate,
    ek: trust.ek,
    gce: trust.gce,
    revocation: trust.revocation,
    clock: {
      clock: String(latest.clock),
      reset_count: latest.resetCount,
      restart_count: latest.restartCount,
      safe: isSafe,
      rebooted: proven.clock.rebooted,
    },
    firmware_version: quote.attest.firmwareVersion.toString(16).padStart(16, '0'),
    firmware_version_reliable: isFirmwareReliable(proven),
    bank,
    pcrs: Object.fromEntries([...(values.get(bank) ?? [])].map(([pcr, value]) => [String(pcr), hexOf(value)])),
    quoted_banks: [...values.keys()],
    boot,
    ima,
  }
}

const isFirmwareReliable = ({ signer, trust }: Proven): boolean =>
  signer.isEndorsementPrimary === true || (trust.model === 'ak-cert' && PLAIN_FIRMWARE.includes(trust.certificate?.authority ?? ''))

/**
 * A public area is believed where its name is: enrolled or in Assay's own certificate, or signed by the TPM as part of the key's qualified
 * name. Beside another certificate it is the word of whoever sent it, but for the key itself.
 */
function akClaims({ ak, trust, quote: { attest }, scheme, signer }: Proven): AkClaims {
  const area = trust.binds === 'name' || signer.isEndorsementPrimary === true ? ak.area : undefined
  return {
    name: area?.name ?? (trust.binds === 'name' ? trust.name : null),
    spki_sha256: ak.spkiSha256,
    algorithm: ak.key.algorithm,
    ...scheme,
    attributes_verified: area !== undefined,
    st_clear: area?.stClear ?? null,
    qualified_signer: hexOf(attest.qualifiedSigner),
    qualified_signer_verified: signer.isEndorsementPrimary,
  }
}
