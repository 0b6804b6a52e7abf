import type { Anchors, Check, Collateral, CollateralAddress, Context, Finding, SnpEvidence, Unverified, Verifier } from '../verifier.ts'
import { verifyEcdsa } from '../signatures.ts'
import { crlAddress } from './address.ts'
import { verifyEndorsement } from './chain.ts'
import { claimsOf, hex } from './claims-of.ts'
import type { SnpClaims, SnpProduct } from './claims.ts'
import type { VekFact } from './facts.ts'
import type { Report } from './report.ts'
import { readEvidence, type ReadEvidence } from './structure-evidence.ts'
import { readTcbs, type Tcbs } from './structure-identity.ts'
import { failed, hasOutcome, passed, skipped } from '../checks.ts'
import { selectVek, vcekAddressOfReport } from './vek-select.ts'
import { productHint } from './vek.ts'

/** Version 2 names no product: what a shipped certificate says of itself tells which lists to have at hand, and nothing more. */
const productFor = ({ identity, certificates }: ReadEvidence): SnpProduct | undefined =>
  identity.product ?? certificates.map(productHint).find((product) => product !== undefined)

/** The lists of both endpoints: each is asked for a revocation (specification snp.md section 8). */
const listsOf = (product: SnpProduct | undefined): readonly CollateralAddress[] =>
  product === undefined ? [] : [crlAddress(product, 'vcek'), crlAddress(product, 'vlek')]

/** The certificate to keep for the VCEK's address: a lone one whatever it is, since verification will say; of several, what may be an endorsement key. */
const shippedVek = ({ report, certificates }: ReadEvidence): Uint8Array | undefined => selectVek(certificates, report, undefined)

/** What verification needs besides the evidence, and what the evidence brings that is worth keeping: the VCEK is in one of the two, if its address is known. */
function wantsOf(read: ReadEvidence): Pick<Unverified, 'needs' | 'offers'> {
  const lists = listsOf(productFor(read))
  const address = vcekAddressOfReport(read.report)
  if (address === undefined) return { needs: lists, offers: new Map() }
  const shipped = shippedVek(read)
  return shipped === undefined ? { needs: [address, ...lists], offers: new Map() } : { needs: lists, offers: new Map([[address, shipped]]) }
}

const SIGNATURE = {
  id: 'SNP-50',
  title: 'The report is signed by the endorsement key',
  code: 'snp-signature-invalid',
  expected: 'an ECDSA P-384 signature over bytes [0, 0x2a0)',
} as const

/** SNP-50, over the bytes as received (specification snp.md section 4). */
async function checkSignature(report: Report, fact: VekFact, where: Context['signatures']): Promise<Check> {
  const valid = await verifyEcdsa({ key: fact.key, data: report.signed, signature: report.signature }, where)
  const key = `endorsement key ${fact.vek.spkiSha256}`
  return valid ? passed(SIGNATURE, `verified with ${key}`) : failed(SIGNATURE, `does not verify with ${key}`)
}

const DATA_PROFILE = {
  id: 'SNP-61',
  title: 'The expected report data has the length of its profile',
  code: 'snp-report-data-profile-invalid',
  expected: '64 bytes',
} as const
const REPORT_DATA = { id: 'SNP-60', title: 'REPORT_DATA is the value that the request binds', code: 'snp-report-data-mismatch' } as const

/** SNP-61 and SNP-60: all 64 bytes, nothing padded or cut here. */
function checkReportData(report: Report, reportData: Uint8Array | undefined): readonly Check[] {
  if (reportData === undefined) return [DATA_PROFILE, REPORT_DATA].map((rule) => skipped(rule, 'not asked'))
  const length = `${reportData.length} bytes`
  if (reportData.length !== 64) return [failed(DATA_PROFILE, length)]
  const { id, title, code } = REPORT_DATA
  const rule = { id, title, code, expected: hex(reportData) }
  const equal = Buffer.compare(report.reportData, reportData) === 0
  return [passed(DATA_PROFILE, length), equal ? passed(rule, hex(report.reportData)) : failed(rule, hex(report.reportData))]
}

/** Whether the lists of both endpoints were checked, as the checks of section 8 say. */
function revocationOf(checks: readonly Check[]): SnpClaims['revocation'] {
  const lists = checks.filter(isOfList)
  return hasOutcome(lists, 'pass') && lists.every(isPassed) ? 'checked' : 'not-checked'
}

const isOfList = ({ id }: Check): boolean => id === 'SNP-36'
const isPassed = ({ outcome }: Check): boolean => outcome === 'pass'

/** Nothing is believed without at least one check, and none that failed. */
const allGood = (checks: readonly Check[]): boolean => checks.length > 0 && !hasOutcome(checks, 'fail')

type Grounds = { readonly anchors: Anchors; readonly collateral: Collateral; readonly context: Context }
type Endorsed = { readonly fact: VekFact; readonly product: SnpProduct; readonly before: readonly Check[] }

/** SNP-11 for version 2, whose product the chain has told. */
function tcbsOf(read: ReadEvidence, { product, before }: Endorsed): { tcbs: Tcbs; checks: readonly Check[] } {
  const { tcbs } = read.identity
  return tcbs === undefined ? readTcbs(product, read.report, before) : { tcbs, checks: before }
}

/** SNP-50 to SNP-61 on a report whose endorsement key is proven. A wrong signature stops: nothing after it would be worth reading. */
async function judgeReport(read: ReadEvidence, endorsed: Endorsed, context: Context): Promise<Omit<Finding, 'validUntil'>> {
  const { report } = read
  const { tcbs, checks } = tcbsOf(read, endorsed)
  const signature = await checkSignature(report, endorsed.fact, context.signatures)
  if (signature.outcome === 'fail') return { checks: [...checks, signature] }
  const all = [...checks, signature, ...checkReportData(report, context.reportData)]
  if (!allGood(all)) return { checks: all }
  const { fact, product } = endorsed
  return { checks: all, claims: { snp: claimsOf({ report, product, tcbs, vek: fact.vek, revocation: revocationOf(all) }) } }
}

/** SNP-22 to SNP-61: certificates, then the signature, then the binding. Claims exist only when nothing failed. */
async function verifyReport(read: ReadEvidence, grounds: Grounds): Promise<Finding> {
  const { report, certificates } = read
  const { checks, fact, product, validUntil, undecided } = await verifyEndorsement({ ...grounds, certificates, report })
  const before = [...read.checks, ...checks]
  if (undecided !== undefined) return { checks: before, validUntil, undecided }
  if (fact === undefined || product === undefined) return { checks: before, validUntil }
  return { ...(await judgeReport(read, { fact, product, before }, grounds.context)), validUntil }
}

/**
 * AMD SEV-SNP (specification snp.md): reads the report and what came with it, tells which vendor documents it needs, and verifies.
 * Throws AttestationError (kind malformed) when the bytes make no sense; it carries the checks up to the failed one.
 */
export const snp: Verifier<SnpEvidence> = async (evidence, anchors) => {
  const read = readEvidence(evidence)
  return {
    ...wantsOf(read),
    verify: (collateral, context) => verifyReport(read, { anchors, collateral, context }),
  }
}
