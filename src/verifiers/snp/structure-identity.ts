import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { hex } from './claims-of.ts'
import type { SnpProduct, SnpTcb } from './claims.ts'
import { isSupported, productOf } from './products.ts'
import type { Report } from './report.ts'
import { CPUID_RULES, ID_BLOCK_RULES, TURIN_RULES, V2_RULES } from './structure-rules.ts'
import { passed, refusal, runRules, skipped, type Rule } from '../checks.ts'
import { attempt } from '../der-attempt.ts'
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
    const tcb = attempt(() => parseTcb(product, bytes))
    if (tcb instanceof AttestationError) throw refusal({ ...TCB, at: name }, `${name} ${hex(bytes)}`, before)
    return tcb
  }
  const tcbs = {
    current: part('CURRENT_TCB', report.currentTcb),
    reported: part('REPORTED_TCB', report.reportedTcb),
    committed: part('COMMITTED_TCB', report.committedTcb),
    launch: part('LAUNCH_TCB', report.launchTcb),
  }
  return { tcbs, checks: [...before, passed(TCB, `REPORTED_TCB ${formatTcb(tcbs.reported)}`)] }
}

const SUPPORTED = {
  id: 'SNP-19',
  title: 'The product has pinned roots',
  code: 'snp-product-unsupported',
  at: 'CPUID',
  expected: 'Milan, Genoa or Turin',
} as const

/** SNP-17 to SNP-21 and, where the report names its product, SNP-11. Throws AttestationError with `before` and its own checks. */
export function judgeIdentity(report: Report, before: readonly Check[]): Identity {
  const consistent = runRules(ID_BLOCK_RULES, report, before)
  if (report.cpuid === null) return { checks: judgeVersion2(report, consistent) }
  const known = runRules(CPUID_RULES, report.cpuid, consistent)
  const product = productOf(report.cpuid.family, report.cpuid.model)
  if (!isSupported(product)) throw refusal(SUPPORTED, `${product}`, known)
  const { tcbs, checks } = readTcbs(product, report, [...known, passed(SUPPORTED, product)])
  return { product, tcbs, checks: judgeChipId(product, report, [...checks, ...skipAll(V2_RULES, 'not version 2')]) }
}

const judgeVersion2 = (report: Report, before: readonly Check[]): readonly Check[] => [
  ...runRules(V2_RULES, report, [
    ...before,
    ...skipAll([...CPUID_RULES, SUPPORTED], 'version 2 names no processor: the certificate decides'),
  ]),
  ...skipAll(TURIN_RULES, 'not a Turin processor'),
]

const judgeChipId = (product: SnpProduct, report: Report, before: readonly Check[]): readonly Check[] =>
  product === 'Turin' ? runRules(TURIN_RULES, report, before) : [...before, ...skipAll(TURIN_RULES, 'not a Turin processor')]

const skipAll = (rules: readonly Pick<Rule<never>, 'id' | 'title'>[], why: string): readonly Check[] =>
  rules.map((rule) => skipped(rule, why))
