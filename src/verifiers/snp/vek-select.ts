import { readable } from '../der-attempt.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import { claimsAuthority } from '../x509-ca.ts'
import { parseCertificate } from '../x509.ts'
import type { CollateralAddress } from '../verifier.ts'
import { vcekAddress } from './address.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'
import { hwidBytes, isSupported, productOf } from './products.ts'
import type { Report } from './report.ts'
import { isZero } from '../checks.ts'
import { parseTcb, TCB_PARTS } from './tcb.ts'
import { tryVek, type Vek } from './vek.ts'

/** Certificates that may be endorsement keys: all but those that say that they are authorities, which are never used from evidence. */
export const endorsementCandidates = (certificates: readonly Uint8Array[]): readonly Uint8Array[] =>
  certificates.filter((der) => !isAuthority(der))

function isAuthority(der: Uint8Array): boolean {
  const certificate = readable(() => parseCertificate(der))
  return certificate !== undefined && claimsAuthority(certificate)
}

/**
 * Which certificate to judge as the VEK: of several the one that fits the report's signing key, chip and TCB, else the first of its kind,
 * else the first. Without a candidate the fetched one; a lone certificate is judged whatever it is, so that the answer says what is wrong with it.
 */
export function selectVek(certificates: readonly Uint8Array[], report: Report, fetched: Uint8Array | undefined): Uint8Array | undefined {
  // Most evidence brings one certificate and nothing was fetched: then there is nothing to choose, and nothing to read for it.
  if (certificates.length <= 1 && fetched === undefined) return certificates[0]
  const candidates = endorsementCandidates(certificates)
  if (candidates.length === 0) return fetched
  if (candidates.length === 1) return candidates[0]
  const read = candidates.map((der) => ({ der, vek: tryVek(der) }))
  const ofKind = read.filter(({ vek }) => vek?.kind === report.signingKey)
  const fitting = ofKind.find(({ vek }) => vek !== undefined && fits(vek, report))
  return (fitting ?? ofKind[0] ?? read[0])?.der
}

const fits = (vek: Vek, report: Report): boolean => {
  const tcb = reportedTcb(vek.product, report)
  const isChip = vek.hwid === undefined || isChipOf(vek.hwid, report.chipId)
  return isChip && tcb !== undefined && sameTcb(vek.tcb, tcb)
}

/** Whether two TCBs are equal in every part. */
export function sameTcb(a: SnpTcb, b: SnpTcb): boolean {
  for (const part of TCB_PARTS) if (a[part] !== b[part]) return false
  return true
}

/** Whether CHIP_ID is this hwID: equal, or on Turin equal in the first eight bytes and zero after them (SNP-46). */
export const isChipOf = (hwid: Uint8Array, chipId: Uint8Array): boolean =>
  equalBytes(chipId.subarray(0, hwid.length), hwid) && isZero(chipId.subarray(hwid.length))

/** REPORTED_TCB in the layout of a product; undefined where it does not have that layout (SNP-11). */
export const reportedTcb = (product: SnpProduct, { reportedTcb: bytes }: Report): SnpTcb | undefined =>
  readable(() => parseTcb(product, bytes))

/** The product that a report names (SNP-18, SNP-19); undefined in version 2, which names none, and for one without pinned roots. */
export function reportProduct({ cpuid }: Report): SnpProduct | undefined {
  const product = cpuid === null ? undefined : productOf(cpuid.family, cpuid.model)
  return isSupported(product) ? product : undefined
}

/** The address of the VCEK that must have signed a report; undefined where none can be known: VLEK, masked chip, version 2. */
export function vcekAddressOfReport(report: Report): CollateralAddress | undefined {
  const product = reportProduct(report)
  if (product === undefined || report.signingKey === 'vlek' || isZero(report.chipId)) return undefined
  const tcb = reportedTcb(product, report)
  return tcb === undefined ? undefined : vcekAddress(product, hexOf(report.chipId.subarray(0, hwidBytes(product))), tcb)
}
