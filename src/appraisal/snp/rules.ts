import type { Check } from '../../verifiers/verifier.ts'
import { advisories } from './advisory-rules.ts'
import { firmwareVersion, mitigations, provisionalFirmware, tcbOrder } from './firmware.ts'
import { guestPolicyBits, guestPolicyValues } from './guest-policy.ts'
import { idKeys, provider, reportVersion, signingKey } from './keys.ts'
import { chipList, deniedChips, deniedKeys, guestSvn, listedFields, measurement, migrationAgent, vmpl } from './lists.ts'
import { tcbMinima } from './minima.ts'
import { platformBits } from './platform.ts'
import type { SnpCase, SnpRule } from './rule.ts'

/** Every question that policy decides about SEV-SNP, in the order of specification snp.md section 15. */
const RULES: readonly SnpRule[] = [
  reportVersion,
  signingKey,
  deniedChips,
  deniedKeys,
  provider,
  tcbOrder,
  tcbMinima,
  provisionalFirmware,
  firmwareVersion,
  advisories,
  mitigations,
  measurement,
  listedFields,
  guestSvn,
  idKeys,
  guestPolicyBits,
  guestPolicyValues,
  platformBits,
  vmpl,
  chipList,
  migrationAgent,
]

/** All answers, also those of questions that the policy does not ask; none is left out because another failed. */
export function snpChecks(subject: SnpCase): readonly Check[] {
  const checks: Check[] = []
  for (const rule of RULES) checks.push(...rule(subject))
  return checks
}
