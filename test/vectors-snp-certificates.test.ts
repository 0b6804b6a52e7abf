import { describe, expect, it } from 'vitest'
import { verifyEndorsement } from '../src/verifiers/snp/chain.ts'
import type { SnpTcb } from '../src/verifiers/snp/claims.ts'
import { parseReport, type Report } from '../src/verifiers/snp/report.ts'
import { parseVek, type Vek } from '../src/verifiers/snp/vek.ts'
import { tcbBytes } from '../src/simulator/report.ts'
import { agrees, snpCases } from './snp-cases.ts'
import { bytesOf, trialOf } from './snp-in-process.ts'
import { reportBytes } from './snp-report-bytes.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? snpCases().filter((vector) => vector.class === 'certificate') : []

/** The report that the chip or provider of a certificate would make, as far as SNP-22 to SNP-47 look at it. */
function reportFor({ kind, product, tcb, hwid = new Uint8Array(64) }: Vek): Report {
  const reported: SnpTcb = tcb
  const chipId = new Uint8Array(64)
  chipId.set(hwid)
  return { ...parseReport(reportBytes({ product })), signingKey: kind, reportedTcb: tcbBytes(product, reported), chipId }
}

describe.skipIf(cases.length === 0)('SNP certificate vectors', () => {
  it('are all there', () => expect(cases.map(({ name }) => name)).toHaveLength(6))

  it.each(cases)('$name', async (vector) => {
    const vek = bytesOf(vector.vek ?? '')
    const input = { ...trialOf(vector), certificates: [vek], report: reportFor(parseVek(vek)) }
    const { checks, fact } = await verifyEndorsement(input)
    const codes = checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))
    const verdict = fact === undefined ? 'fail' : 'pass'
    expect([verdict, agrees(vector, verdict, codes) ? 'as the manifest says' : codes]).toEqual([
      vector.expected.verdict,
      'as the manifest says',
    ])
  })
})
