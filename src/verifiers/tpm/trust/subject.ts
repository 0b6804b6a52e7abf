import { failed, passed, skipped } from '../../checks.ts'
import { equalBytes } from '../../der-values.ts'
import { formatName } from '../../x509-name.ts'
import type { Check } from '../../verifier.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { AkCertificateClaims } from '../claims.ts'
import { spkiDigest } from './address.ts'
import { notValidNow, windowText } from './dates.ts'
import type { TrustInput } from './input.ts'
import type { Known } from './pool.ts'
import { TRUST_RULES } from './rules.ts'
import type { Grounds } from './scope.ts'

/** How a chain is judged for this question. */
export const groundsOf = ({ anchors, collateral, context }: TrustInput): Grounds => ({
  anchors,
  collateral,
  now: context.now,
  mode: context.mode,
  memo: context.memo.tpm,
  rigour: context.rigour.tpm,
})

/** TPM-21. Without a public area the certificate alone tells of the key. */
export function checkKey(akPublic: TrustInput['akPublic'], spki: Uint8Array): Check {
  if (akPublic === undefined) return skipped(TRUST_RULES.key, 'no public area came with the evidence')
  const actual = `certificate ${spkiDigest(spki)}, public area ${spkiDigest(akPublic.spki)}`
  return equalBytes(akPublic.spki, spki) ? passed(TRUST_RULES.key, actual) : failed(TRUST_RULES.key, actual)
}

/** TPM-20 for these certificates: both ends included, clocks differing by what is tolerated. */
export function checkDates(certificates: readonly ParsedCertificate[], { now, rigour }: Pick<Grounds, 'now' | 'rigour'>): Check {
  const wrong = notValidNow(certificates, { now, rigour })
  const when = `now ${now.toISOString()}`
  return wrong.length > 0
    ? failed(TRUST_RULES.dates, `${wrong.join('; ')}; ${when}`)
    : passed(TRUST_RULES.dates, `${certificates.map(windowText).join('; ')}; ${when}`)
}

/**
 * TPM-31: what never counts again. `name` is undefined where nothing tells it; a list that knows keys by name then cannot be answered, so it
 * counts as a hit.
 */
export function checkDenied(
  key: { readonly name: string | undefined; readonly spki: Uint8Array },
  { rigour }: TrustInput['context'],
): Check {
  const { deniedAks } = rigour.tpm
  const rule = TRUST_RULES.denied
  if (deniedAks.includes(`spki:${spkiDigest(key.spki)}`)) return failed(rule, 'the attestation key')
  const { name } = key
  if (name === undefined && deniedAks.some(isName)) return failed(rule, 'keys are denied by name, and nothing tells the name of this one')
  return name !== undefined && deniedAks.includes(name)
    ? failed(rule, 'the attestation key')
    : passed(rule, 'the attestation key is on none')
}

const isName = (entry: string): boolean => !entry.startsWith('spki:')

/** What a token tells of the certificate. */
export const certificateClaims = (
  { certificate, sha256 }: Known,
  anchor: { readonly sha256: string; readonly authority: string },
): AkCertificateClaims => ({
  sha256,
  issuer: formatName(certificate.issuer),
  serial: certificate.serial.toString(16),
  not_after: certificate.notAfter.toISOString(),
  anchor_sha256: anchor.sha256,
  authority: anchor.authority,
})
