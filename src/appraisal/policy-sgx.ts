import { z } from 'zod'
import { intelPlatform, TCB_STATUSES, tcbMembers } from './policy-intel.ts'
import { digest, list, references, referencesOrAny, whole, words } from './policy-values.ts'

/**
 * Enclaves (specification tdx.md section 7). Without `mr_enclave`, or `mr_signer` with `isv_prod_id`, nothing says which code may run, and
 * everything is refused (`sgx-identity-policy-missing`).
 */
export const sgx = z.strictObject({
  mr_enclave: referencesOrAny(32).optional(),
  mr_signer: references(digest(32)).optional(),
  isv_prod_id: list(whole(0, 65_535)).optional(),
  min_isv_svn: whole(0, 65_535).optional(),
  debug: words(['deny', 'DANGEROUSLY_ALLOW']).default('deny'),
  accepted_tcb_statuses: list(words(TCB_STATUSES)).default(['UpToDate']),
  ...tcbMembers,
  platform: intelPlatform.prefault({}),
})
