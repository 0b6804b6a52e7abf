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

/** A key of which it is asked whether it is denied. `told`: nothing but the sender's word ties the name to the key, if there is one. */
type DeniedSubject = {
  readonly spki: Uint8Array
  readonly name: string | undefined
  readonly naming: 'proven' | 'told'
}

/**
 * TPM-31: what never counts again. One bit of a public area that nobody vouches for makes another name of the same key, so a list that knows keys
 * by name cannot be answered with such a name: that counts as a hit.
 */
export function checkDenied({ spki, name, naming }: DeniedSubject, { rigour }: TrustInput['context']): Check {
  const { deniedAks } = rigour.tpm
  const rule = TRUST_RULES.denied
  const isDenied = deniedAks.includes(`spki:${spkiDigest(spki)}`) || (name !== undefined && deniedAks.includes(name))
  if (isDenied) return failed(rule, 'the attestation key')
  const isKnown = name !== undefined && naming === 'proven'
  return !isKnown && deniedAks.some(isName)
    ? failed(rule, 'keys are denied by name, and nothing proves the name of this one')
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
