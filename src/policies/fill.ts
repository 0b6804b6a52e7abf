import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { deepFreeze } from '../appraisal/read-document.ts'
import { resolveReferences, type ReferenceSets } from '../appraisal/resolve-references.ts'

/** All sets of reference values at one time. */
export type Moment = { readonly sets: ReferenceSets; readonly at: Date }

/** A policy that judges with the values of its sets, and until when it is the same (see ResolvedPolicy). */
export type Filled = { readonly policy: ActivePolicy; readonly until: Date | undefined }

/** A policy with values in the places of sets; one that names none is the same object. */
export function fill(policy: ActivePolicy, { sets, at }: Moment): Filled {
  const { document, until, used, ends } = resolveReferences(policy.document, sets, at)
  if (document === policy.document) return { policy, until }
  return { policy: deepFreeze({ reference: policy.reference, document, sets: { used, ends } }), until }
}
