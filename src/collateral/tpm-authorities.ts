import type { TpmAnchors, TpmRole } from '../verifiers/tpm/anchors.ts'
import { poolOf, type Known } from '../verifiers/tpm/trust/pool.ts'
import { formatName } from '../verifiers/x509-name.ts'

/** One authority of TPM keys, as GET /v1/collateral lists it. Times are RFC 3339. */
export type AuthorityStatus = {
  /** Of the certificate. */
  readonly sha256: string
  /** Whose it is; null for one that only completes chains. */
  readonly authority: string | null
  readonly roles: readonly TpmRole[]
  /** null: only the fingerprint is known here; the certificate comes with the evidence. */
  readonly subject: string | null
  readonly not_after: string | null
  readonly state: 'valid' | 'ends-soon' | 'ended' | 'not-at-hand'
}

/** Milliseconds before the end of a certificate at which somebody should have got another. */
const SOON = 30 * 86_400_000

function stateOf(notAfter: Date, now: Date): 'valid' | 'ends-soon' | 'ended' {
  const left = notAfter.getTime() - now.getTime()
  return left < 0 ? 'ended' : left < SOON ? 'ends-soon' : 'valid'
}

/** The configured authorities: those that are trusted, in the order of the configuration, and behind them those that complete chains. */
export function tpmAuthorities(anchors: TpmAnchors, now: Date): readonly AuthorityStatus[] {
  const held = new Map([...poolOf(anchors).values()].flat().map((one) => [one.sha256, one]))
  const roots = anchors.roots.map(({ sha256, authority, roles }) => ({ sha256, authority, roles, ...datesOf(held.get(sha256), now) }))
  const trusted = new Set(roots.map(({ sha256 }) => sha256))
  const others = [...held.values()].filter(({ sha256 }) => !trusted.has(sha256))
  return [...roots, ...others.map((one) => ({ sha256: one.sha256, authority: null, roles: [], ...datesOf(one, now) }))]
}

function datesOf(one: Known | undefined, now: Date): Pick<AuthorityStatus, 'subject' | 'not_after' | 'state'> {
  if (one === undefined) return { subject: null, not_after: null, state: 'not-at-hand' }
  const { subject, notAfter } = one.certificate
  return { subject: formatName(subject), not_after: notAfter.toISOString(), state: stateOf(notAfter, now) }
}

/** What an operator should look into: authorities whose certificates ended, or will within 30 days. */
export const tpmAlarms = (anchors: TpmAnchors, now: Date): readonly string[] =>
  tpmAuthorities(anchors, now).flatMap(({ state, subject, not_after: end }) => {
    if (state === 'ended') return [`the certificate of the TPM authority ${subject} ended at ${end}`]
    return state === 'ends-soon' ? [`the certificate of the TPM authority ${subject} ends at ${end}`] : []
  })
