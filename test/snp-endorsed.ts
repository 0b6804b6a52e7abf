import { signedReport, type ReportFields } from '../src/simulator/report.ts'
import type { FakeAmd } from '../src/simulator/amd.ts'
import type { FakeVek } from '../src/simulator/veks.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import type { Anchors, Check, Collateral, Context } from '../src/verifiers/verifier.ts'
import { verifyEndorsement } from '../src/verifiers/snp/chain.ts'
import { parseReport } from '../src/verifiers/snp/report.ts'
import { contextAt } from './snp-in-process.ts'

/** An endorsement on trial: `signer` made the report; what is left out is as it should be. */
export type EndorsementTrial = {
  readonly fields?: Partial<ReportFields>
  readonly certificates?: readonly Uint8Array[]
  readonly anchors?: Anchors
  readonly collateral?: Partial<Collateral>
  readonly context?: Partial<Context>
}

/** Every check of an endorsement by this AMD. */
export async function endorsementChecks(amd: FakeAmd, signer: FakeVek, trial: EndorsementTrial = {}): Promise<readonly Check[]> {
  const { fields = {}, certificates = [signer.der], anchors = anchorsOf(amd.anchors()), collateral = {}, context = {} } = trial
  const { checks } = await verifyEndorsement({
    certificates,
    report: parseReport(signedReport(signer, fields)),
    anchors,
    collateral: { documents: new Map(), missing: new Map(), marks: new Map(), ...collateral },
    context: contextAt(amd.now, context),
  })
  return checks
}

/** What a check says that was not made. */
export const NOT_REACHED = 'not reached or not applicable'

/** `id outcome actual` of each check that was made. */
export const told = (checks: readonly Check[]): readonly string[] =>
  checks.filter(({ actual }) => actual !== NOT_REACHED).map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

/** The same of checks that failed. */
export const toldFailures = (checks: readonly Check[]): readonly string[] => told(checks).filter((line) => line.includes(' fail '))
