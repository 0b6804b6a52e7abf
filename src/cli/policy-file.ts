import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { PolicyError, readPolicy } from '../appraisal/read-policy.ts'
import { UsageError } from './exit.ts'
import { readText } from './files.ts'

/** The policy in a file. Throws {@link UsageError} with everything that is wrong with it. */
export function readPolicyFile(path: string): ActivePolicy {
  try {
    return readPolicy(readText(path), path)
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.message)
    throw error
  }
}
