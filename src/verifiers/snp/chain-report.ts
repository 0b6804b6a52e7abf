import { hexOf } from '../der-values.ts'
import type { Check, Context } from '../verifier.ts'
import { CHAIN_RULES, judgeIf } from './chain-rules.ts'
import type { VekFact } from './facts.ts'
import { hwidBytes } from './products.ts'
import type { Report } from './report.ts'
import { failed, isZero, passed, skipped } from '../checks.ts'
import { formatTcb } from './tcb.ts'
import { isChipOf, reportProduct, reportedTcb, sameTcb } from './vek-select.ts'

const { kind, product: oneProduct, tcb, chip, masked } = CHAIN_RULES

/** Whether report and chain are of one product (SNP-34). Version 2 names none, and Turin never made version 2 reports (section 2). */
export const isOneProduct = (fact: VekFact, report: Report): boolean =>
  report.cpuid === null ? fact.product !== 'Turin' : reportProduct(report) === fact.product

/** SNP-24, 34, 41, 46 and 47: what binds a proven certificate to this report. */
export function checkAgainstReport(fact: VekFact, report: Report, context: Context): readonly Check[] {
  const { vek, product } = fact
  const reported = `report ${report.cpuid === null ? 'version 2 without a product' : (reportProduct(report) ?? 'unsupported')}, chain ${product}`
  return [
    judgeIf(vek.kind === report.signingKey)(kind, `report ${report.signingKey}, certificate ${vek.kind}`),
    judgeIf(isOneProduct(fact, report))(oneProduct, `${reported}, productName ${vek.productName}`),
    checkTcb(fact, report),
    ...(vek.hwid === undefined ? notAboutChips(report) : checkChip(vek.hwid, fact, { report, context })),
  ]
}

/** SNP-41. Reserved bytes are SNP-11's, which for version 2 comes later; where they keep the TCB from being read, nothing is equal. */
function checkTcb({ vek, product }: VekFact, report: Report): Check {
  const reported = reportedTcb(product, report)
  if (reported === undefined) {
    const title = `REPORTED_TCB has the layout of ${product}`
    return failed({ ...tcb, id: 'SNP-11', title, code: 'snp-tcb-malformed' }, hexOf(report.reportedTcb))
  }
  const rule = { ...tcb, expected: formatTcb(reported) }
  return judgeIf(sameTcb(vek.tcb, reported))(rule, formatTcb(vek.tcb))
}

/** A VLEK names a provider and no chip, so it cannot be compared with CHIP_ID, whatever that holds (section 7). */
const notAboutChips = ({ signingKey }: Report): readonly Check[] => {
  const why = signingKey === 'vlek' ? 'a VLEK names no chip' : 'the certificate names no chip'
  return [skipped(chip, why), skipped(masked, why)]
}

/** SNP-46 and SNP-47. hwID has the product's length even where the chip is masked and there is nothing to compare it with. */
function checkChip(hwid: Uint8Array, { product }: VekFact, { report, context }: { report: Report; context: Context }): readonly Check[] {
  const rule = { ...chip, expected: `CHIP_ID ${hexOf(report.chipId)}` }
  const actual = `hwID ${hexOf(hwid)}`
  const isMasked = isZero(report.chipId)
  if (hwid.length !== hwidBytes(product)) return [failed(rule, `${actual}, ${hwid.length} bytes on ${product}`)]
  if (!isMasked) return [judgeIf(isChipOf(hwid, report.chipId))(rule, actual), passed(masked, 'not masked')]
  const answer = context.rigour.snp.maskedChipId === 'allow' ? passed : failed
  return [skipped(chip, 'CHIP_ID is masked'), answer(masked, 'all zero')]
}
