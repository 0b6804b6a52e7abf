import type { Admitted } from '../admission.ts'
import { hexOf } from '../der-values.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import type { AmdAnchor, Anchors, Check, CollateralAddress } from '../verifier.ts'
import { parseAmdAddress, vcekAddress, type AmdDocument } from './address.ts'
import { checkDates } from './chain-dates.ts'
import { proveCrl } from './facts-crl.ts'
import { proveVek } from './facts-vek.ts'

/** A document that is to be kept: the bytes as fetched, imported or read back. */
type Candidate = { readonly address: CollateralAddress; readonly bytes: Uint8Array }

/** Clocks may differ by five minutes at most (SNP-33): what begins so soon is kept already, and judged when it is used. */
const SKEW = { skewSeconds: 300 } as const

/**
 * Proves that bytes are the genuine VCEK or revocation list that an `amd/…` address names (see admitCollateral). A list must be inside
 * its window, a VCEK inside its validity. Throws AttestationError with the code of what is wrong.
 */
export async function admitAmd(document: Candidate, anchors: Anchors, now: Date): Promise<Admitted> {
  const named = parseAmdAddress(document.address)
  if (named === undefined) throw refusal('collateral-unavailable', `${document.address} names no document of AMD’s`)
  return named.kind === 'crl' ? admitCrl(document.bytes, arksOf(anchors, named), now) : admitVcek(document, anchors, now)
}

const arksOf = (anchors: Anchors, { product }: AmdDocument): readonly AmdAnchor[] =>
  anchors.amd.filter((anchor) => anchor.role === 'ark' && anchor.product === product)

function admitCrl(bytes: Uint8Array, arks: readonly AmdAnchor[], now: Date): Admitted {
  const list = proveUnderOne(bytes, arks)
  if (list.notUnderstood !== undefined)
    throw refusal('snp-crl-unavailable', `the list has extension ${list.notUnderstood}, which is not understood`)
  const { thisUpdate, nextUpdate } = list
  if (thisUpdate.getTime() > now.getTime() + SKEW.skewSeconds * 1000)
    throw refusal('snp-crl-not-yet-valid', `thisUpdate ${thisUpdate.toISOString()}`)
  if (nextUpdate === undefined || nextUpdate <= now) throw refusal('snp-crl-expired', `nextUpdate ${nextUpdate?.toISOString() ?? 'none'}`)
  return { expiresAt: nextUpdate, mark: { number: list.number ?? 0n, thisUpdate } }
}

/** Under the first root that it verifies under: beside the pinned root of a product there may be one of a test. */
function proveUnderOne(bytes: Uint8Array, [ark, ...others]: readonly AmdAnchor[]): ReturnType<typeof proveCrl> {
  if (ark === undefined) throw refusal('snp-root-untrusted', 'no root of this product is pinned')
  try {
    return proveCrl(bytes, ark)
  } catch (error) {
    if (others.length === 0 || !(error instanceof AttestationError)) throw error
    return proveUnderOne(bytes, others)
  }
}

function admitVcek({ address, bytes }: Candidate, anchors: Anchors, now: Date): Admitted {
  // Only a process that has test roots may keep what they have signed; without them this is what production asks.
  const mode = anchors.amd.some(({ origin }) => origin === 'test') ? 'test' : 'production'
  const { fact, checks } = proveVek(bytes, { anchors, mode })
  if (fact === undefined) throw firstFailure(checks)
  const { vek, product } = fact
  const actual = vek.kind === 'vcek' && vek.hwid !== undefined ? vcekAddress(product, hexOf(vek.hwid), vek.tcb) : undefined
  if (actual !== address) throw refusal('snp-vcek-hwid-mismatch', `the certificate is ${actual ?? 'no VCEK'}, not ${address}`)
  const late = checkDates(fact, { now, rigour: { snp: SKEW } }).filter(({ outcome }) => outcome === 'fail')
  if (late.length > 0) throw firstFailure(late)
  return { expiresAt: vek.notAfter }
}

/** The error that says what the first failed check says. */
function firstFailure(checks: readonly Check[]): AttestationError {
  const failure = checks.find((check) => check.outcome === 'fail')
  return failure?.outcome === 'fail'
    ? new AttestationError(failure.code, failure.actual ?? failure.title, { at: failure.id, checks })
    : refusal('snp-chain-invalid', 'the certificate is not proven')
}

const refusal = (code: ProblemCode, why: string): AttestationError => new AttestationError(code, why)
