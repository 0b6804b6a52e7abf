import { policyDocument } from './policy.ts'
import type { ActivePolicy } from './policy-set.ts'
import { activePolicy } from './read-policy.ts'

/**
 * The built-in policy: the strict preset of specification snp.md section 9 with revocation lists required. It lists no measurement,
 * so it refuses every guest until an operator writes a policy of their own; nobody else can know what may run.
 */
export const strict: ActivePolicy = activePolicy(policyDocument.parse({ name: 'strict' }))
