import type { Anchors, Check, Collateral, Context } from '../verifier.ts'
import { chainExpiry, checkDates } from './chain-dates.ts'
import { checkAgainstReport, isOneProduct } from './chain-report.ts'
import { CHAIN_RULES, inOrder } from './chain-rules.ts'
import type { SnpProduct } from './claims.ts'
import { digestOf, heldDigestOf } from '../digests.ts'
import { factKey, type VekFact } from './facts.ts'
import { proveVek, type Proof } from './facts-vek.ts'
import type { Report } from './report.ts'
import { checkRevocation, type Revocation } from './revocation.ts'
import { failed, hasOutcome, passed, skipped } from '../checks.ts'
import { selectVek, vcekAddressOfReport } from './vek-select.ts'

/** What {@link verifyEndorsement} looks at. `certificates`: DER, shipped with the evidence; a fetched VCEK is taken from `collateral`. */
export type EndorsementInput = {
  readonly certificates: readonly Uint8Array[]
  readonly report: Report
  readonly anchors: Anchors
  readonly collateral: Collateral
  readonly context: Context
}

/**
 * What came of it. `fact` and `product` are there only when none of the checks failed. `validUntil` is the earliest end of all that
 * was relied on, and the time of verification when nothing can be.
 */
export type Endorsement = {
  readonly checks: readonly Check[]
  readonly fact?: VekFact
  readonly product?: SnpProduct
  readonly validUntil: Date
  readonly undecided?: 'collateral-unavailable'
}

const { present } = CHAIN_RULES

const NOT_REACHED = Object.values(CHAIN_RULES).map((rule) => skipped(rule, 'not reached or not applicable'))

/**
 * Is the key that should have signed the report AMD's, for this chip and TCB, and not withdrawn? SNP-22 to SNP-47 of specification
 * snp.md section 15, apart from those that a policy decides. Missing certificates, a form that is not AMD's and a signature
 * that does not verify stop; what is wrong besides is collected.
 */
export async function verifyEndorsement(input: EndorsementInput): Promise<Endorsement> {
  const fetched = fetchedVek(input)
  const der = selectVek(input.certificates, input.report, fetched)
  if (der === undefined) return withoutVek(input)
  const found = passed(present, 'a certificate is at hand')
  // What came with evidence is another object each time, and not ours.
  const { fact, checks } = proven(der, der === fetched ? heldDigestOf(der) : digestOf(der), input)
  if (fact === undefined) return { checks: notReached([found, ...checks]), validUntil: input.context.now }
  return judge(fact, [found, ...checks], input)
}

function fetchedVek({ report, collateral }: EndorsementInput): Uint8Array | undefined {
  const address = vcekAddressOfReport(report)
  return address === undefined ? undefined : collateral.documents.get(address)
}

/** SNP-22. While a VCEK can still be fetched, its absence is no verdict (design section 3). */
function withoutVek({ report, collateral, context }: EndorsementInput): Endorsement {
  const address = vcekAddressOfReport(report)
  const checks = notReached([failed(present, address === undefined ? 'none came with the evidence' : `${address} is not at hand`)])
  const isObtainable = address !== undefined && collateral.missing.get(address) !== 'not-found'
  return { checks, validUntil: context.now, ...(isObtainable ? { undecided: 'collateral-unavailable' } : {}) }
}

/** What can be proven of the certificate alone, from memory if these bytes were proven before. */
function proven(der: Uint8Array, digest: string, { anchors, context }: EndorsementInput): Proof {
  const { memo, mode } = context
  const key = factKey({ fact: 'snp-vek/1', mode, anchors: anchors.digest, role: 'vek' }, digest)
  const known = memo.snp.vek.get(key)
  if (known !== undefined) return { fact: known, checks: known.checks }
  const proof = proveVek(der, { anchors, mode })
  if (proof.fact !== undefined) memo.snp.vek.set(key, proof.fact)
  return proof
}

function judge(fact: VekFact, before: readonly Check[], input: EndorsementInput): Endorsement {
  const { report, context } = input
  const revocation = revocationOf(fact, input)
  // The product is compared once more with the report; the check that says so takes the place of the one about the certificate alone.
  const kept = before.filter(isNotOfProduct)
  const checks = [...kept, ...checkDates(fact, context), ...revocation.checks, ...checkAgainstReport(fact, report, context)]
  if (hasOutcome(checks, 'fail')) return { checks: notReached(checks), validUntil: context.now }
  const validUntil = earliest([...chainExpiry(fact), ...revocation.validUntil])
  return { checks: notReached(checks), fact, product: fact.product, validUntil }
}

const isNotOfProduct = ({ id }: Check): boolean => id !== CHAIN_RULES.product.id

/** Lists of the wrong product's chain decide nothing, and must not turn a certain refusal into "no verdict". */
function revocationOf(fact: VekFact, input: EndorsementInput): Revocation {
  if (isOneProduct(fact, input.report)) return checkRevocation({ ...input, issuer: fact.issuer, root: fact.root })
  const rule = { id: 'SNP-36', title: 'Revocation lists' }
  return { checks: [skipped(rule, 'the chain is of another product than the report')], validUntil: [] }
}

const earliest = (dates: readonly Date[]): Date => new Date(Math.min(...dates.map(Number)))

/** Names the checks that were not made, so that the list is complete (SNP-80). */
function notReached(checks: readonly Check[]): readonly Check[] {
  const made = new Set(checks.map(idOf))
  const all = [...checks]
  for (const check of NOT_REACHED) if (!made.has(check.id)) all.push(check)
  return inOrder(all)
}

const idOf = ({ id }: Check): string => id
