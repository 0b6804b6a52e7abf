import type { Check } from '../../verifiers/verifier.ts'
import { deniableBits, septVeDisable, untrustedBits } from './attributes.ts'
import { replayedRegisters, requiredLogs, secureBoot } from './event-log.ts'
import { initdata, moduleMajors, mrConfigId, mrOwner, mrOwnerConfig, mrSeam, mrTd, rtmrs, serviceTds } from './lists.ts'
import { platformConfiguration, platformLists, quotingMinima } from './platform.ts'
import type { TdxCase, TdxRule } from './rule.ts'
import { svnMinimum, svnRegression } from './svn.ts'
import { advisories, evaluationNumber, tcbDate, tcbStatus } from './tcb.ts'
import { extendedFeatures } from './xfam.ts'

/** Every question that policy decides about a TD, in the order of specification tdx.md section 9. */
const RULES: readonly TdxRule[] = [
  tcbStatus,
  svnRegression,
  advisories,
  tcbDate,
  evaluationNumber,
  untrustedBits,
  septVeDisable,
  deniableBits,
  extendedFeatures,
  serviceTds,
  mrTd,
  rtmrs,
  mrSeam,
  moduleMajors,
  mrConfigId,
  initdata,
  mrOwner,
  mrOwnerConfig,
  svnMinimum,
  quotingMinima,
  platformLists,
  platformConfiguration,
  requiredLogs,
  replayedRegisters,
  secureBoot,
]

/** All answers, also those of questions that the policy does not ask; none is left out because another failed. */
export function tdxChecks(subject: TdxCase): readonly Check[] {
  const checks: Check[] = []
  for (const rule of RULES) checks.push(...rule(subject))
  return checks
}
