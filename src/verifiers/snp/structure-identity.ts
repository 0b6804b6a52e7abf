import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'
import { isSupported, productOf } from './products.ts'
import type { Report } from './report.ts'
import { ID_BLOCK_RULES, PRODUCT_RULES, TURIN_RULES, V2_RULES } from './structure-rules.ts'
import { passed, refusal, runRules, skipped, type Rule } from './structure.ts'
import { formatTcb, parseTcb } from './tcb.ts'

/** The four TCBs of a report in parts (specification snp.md section 2.1). */
export type Tcbs = { readonly current: SnpTcb; readonly reported: SnpTcb; readonly committed: SnpTcb; readonly launch: SnpTcb }

/** What a report says of the processor that made it, with the checks so far. `product` and `tcbs` are absent in version 2, where the certificate decides. */
export type Identity = { readonly checks: readonly Check[]; readonly product?: SnpProduct; readonly tcbs?: Tcbs }

const TCB = {
  id: 'SNP-11',
  title: 'The four TCB versions are well-formed',
  code: 'snp-tcb-malformed',
  expected: 'reserved bytes zero, parts other than microcode at most 127',
} as const

/** SNP-11 once the product is known: all four in the layout of one product. Throws AttestationError snp-tcb-malformed. */
export function readTcbs(product: SnpProduct, report: Report, before: readonly Check[]): { tcbs: Tcbs; checks: readonly Check[] } {
  const part = (name: string, bytes: Uint8Array): SnpTcb => {
    try {
      return parseTcb(product, bytes)
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error
      throw refusal({ ...TCB, at: name }, `${name} ${Buffer.from(bytes).toString('hex')}`, before)
    }
  }
  const tcbs = {
    current: part('CURRENT_TCB', report.currentTcb),
    reported: part('REPORTED_TCB', report.reportedTcb),
    committed: part('COMMITTED_TCB', report.committedTcb),
    launch: part('LAUNCH_TCB', report.launchTcb),
  }
  return { tcbs, checks: [...before, passed(TCB, `REPORTED_TCB ${formatTcb(tcbs.reported)}`)] }
}

/** SNP-17 to SNP-21 and, where the report names its product, SNP-11. Throws AttestationError with `before` and its own checks. */
export function judgeIdentity(report: Report, before: readonly Check[]): Identity {
  const checks = runRules(ID_BLOCK_RULES, report, before)
  if (report.cpuid === null) return { checks: judgeVersion2(report, checks) }
  const known = runRules(PRODUCT_RULES, report, checks)
  const product = productOf(report.cpuid.family, report.cpuid.model)
  // Unreachable: PRODUCT_RULES have just proven it. Kept so that the types prove it, too.
  if (!isSupported(product)) throw new AttestationError('snp-product-unsupported', 'unknown product', { at: 'CPUID', checks: known })
  const { tcbs, checks: withTcbs } = readTcbs(product, report, known)
  return { product, tcbs, checks: judgeChipId(product, report, [...withTcbs, ...skipAll(V2_RULES, 'not version 2')]) }
}

const judgeVersion2 = (report: Report, before: readonly Check[]): readonly Check[] => [
  ...runRules(V2_RULES, report, [...before, ...skipAll(PRODUCT_RULES, 'version 2 names no processor: the certificate decides')]),
  ...skipAll(TURIN_RULES, 'not a Turin processor'),
]

const judgeChipId = (product: SnpProduct, report: Report, before: readonly Check[]): readonly Check[] =>
  product === 'Turin' ? runRules(TURIN_RULES, report, before) : [...before, ...skipAll(TURIN_RULES, 'not a Turin processor')]

const skipAll = (rules: readonly Rule<Report>[], why: string): readonly Check[] => rules.map((rule) => skipped(rule, why))
