import type { Admitted } from '../../admission.ts'
import { readable } from '../../der-attempt.ts'
import { AttestationError } from '../../problems.ts'
import type { Anchors, CollateralAddress } from '../../verifier.ts'
import type { RevocationList } from '../../crl.ts'
import type { ParsedCertificate } from '../../x509.ts'
import { parseTpmAddress, spkiDigest } from './address.ts'
import { poolOf } from './pool.ts'
import { proveTpmList } from './revocation-list.ts'

/** Milliseconds that clocks may differ by: what begins so soon is kept already, and judged when it is used. */
const SKEW = 300_000

const CODE = 'tpm-crl-unavailable'
const refusal = (why: string): AttestationError => new AttestationError(CODE, why, { at: 'tpm-crl' })

/**
 * Proves that bytes are the revocation list that a `tpm/…` address names (see admitCollateral): that of an authority for which the operator
 * configured one, signed by it, and inside its window. Throws AttestationError tpm-crl-unavailable.
 */
export function admitTpm({ address, bytes }: { address: CollateralAddress; bytes: Uint8Array }, anchors: Anchors, now: Date): Admitted {
  const named = parseTpmAddress(address)
  if (named === undefined) throw refusal(`${address} names no document of a TPM authority`)
  const list = proveUnderOne(bytes, authoritiesOf(anchors, named.issuerSpkiSha256))
  const { thisUpdate, nextUpdate, number } = list
  if (thisUpdate.getTime() > now.getTime() + SKEW) throw refusal(`the list is not valid yet: ${list.text}`)
  if (nextUpdate === undefined || nextUpdate <= now) throw refusal(`the list has ended: ${list.text}`)
  return { expiresAt: nextUpdate, mark: { number: number ?? 0n, thisUpdate } }
}

/** The configured certificates of this key; an authority may have renewed its certificate. */
function authoritiesOf({ tpm }: Anchors, issuerSpkiSha256: string): readonly ParsedCertificate[] {
  if (!tpm.crlSources.some((source) => source.issuerSpkiSha256 === issuerSpkiSha256)) return []
  const all = [...poolOf(tpm).values()].flat().map(({ certificate }) => certificate)
  return all.filter(({ spki }) => spkiDigest(spki) === issuerSpkiSha256)
}

function proveUnderOne(bytes: Uint8Array, [authority, ...others]: readonly ParsedCertificate[]): RevocationList {
  if (authority === undefined) throw refusal('the operator configured no list of this authority')
  const proven = others.length === 0 ? undefined : readable(() => proveTpmList(bytes, authority))
  if (proven !== undefined) return proven
  return others.length === 0 ? proveTpmList(bytes, authority) : proveUnderOne(bytes, others)
}

/** The address of a list that came without one: that of the configured authority which signed it; undefined where there is none. */
export function addressOfList(bytes: Uint8Array, anchors: Anchors): CollateralAddress | undefined {
  const sources = anchors.tpm.crlSources
  return sources.find(({ issuerSpkiSha256 }) => isProven(bytes, authoritiesOf(anchors, issuerSpkiSha256)))?.address
}

const isProven = (bytes: Uint8Array, authorities: readonly ParsedCertificate[]): boolean =>
  readable(() => proveUnderOne(bytes, authorities)) !== undefined
