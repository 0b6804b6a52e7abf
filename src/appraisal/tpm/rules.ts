import type { Check } from '../../verifiers/verifier.ts'
import { bootApplications, bootFiles, firmware, logRequired, machineOwnerKeys } from './boot.ts'
import { ima } from './ima.ts'
import { kernelCmdline } from './kernel-cmdline.ts'
import { bootIsNamed, extendedOnce, pcrValues, zeroPcrs } from './pcrs.ts'
import type { TpmCase, TpmRule } from './rule.ts'
import { authorities, enabled, firmwareModes, forbidden, keys, sbat } from './secure-boot.ts'
import { unifiedKernelImage } from './uki.ts'
import { algorithms, authority, clock, gceIdentity, tpmFirmware } from './trust.ts'

/** Every question that policy decides about a host with a TPM, in the order of specification tpm.md section 16. */
const RULES: readonly TpmRule[] = [
  algorithms,
  authority,
  gceIdentity,
  clock,
  tpmFirmware,
  bootIsNamed,
  pcrValues,
  logRequired,
  firmwareModes,
  enabled,
  keys,
  forbidden,
  authorities,
  sbat,
  machineOwnerKeys,
  bootApplications,
  bootFiles,
  kernelCmdline,
  firmware,
  unifiedKernelImage,
  zeroPcrs,
  extendedOnce,
  ima,
]

/** All answers, also those of questions that the policy does not ask; none is left out because another failed. */
export const tpmChecks = (subject: TpmCase): readonly Check[] => RULES.flatMap((rule) => rule(subject))
