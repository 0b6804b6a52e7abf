import type { Check } from '../../verifiers/verifier.ts'
import { platformConfiguration, platformLists, quotingMinima } from '../tdx/platform.ts'
import { advisories, evaluationNumber, tcbDate, tcbStatus } from '../tdx/tcb.ts'
import { debug, identity, isvSvn } from './enclave.ts'
import type { SgxCase, SgxRule } from './rule.ts'

/** Every question that policy decides about an enclave, in the order of specification tdx.md section 9. */
const RULES: readonly SgxRule[] = [
  tcbStatus,
  advisories,
  tcbDate,
  evaluationNumber,
  quotingMinima,
  platformLists,
  platformConfiguration,
  debug,
  identity,
  isvSvn,
]

/** All answers, also those of questions that the policy does not ask; none is left out because another failed. */
export const sgxChecks = (subject: SgxCase): readonly Check[] => RULES.flatMap((rule) => rule(subject))
