import type { PolicyReference } from './appraisal.ts'
import type { AppraisalPolicy } from './policy.ts'
import type { ResolvedPolicy } from './resolve-references.ts'

/** A policy as it judges now, with the name by which tokens and audit lines refer to it. */
export type ActivePolicy = {
  readonly reference: PolicyReference
  readonly document: AppraisalPolicy
  /** What the sets of reference values that it names gave it at this moment; absent: it names none. */
  readonly sets?: Pick<ResolvedPolicy, 'used' | 'ends'>
}

/** The policies of this process: one snapshot, by name. */
export type PolicySet = { readonly get: (name: string) => ActivePolicy | undefined; readonly all: () => readonly ActivePolicy[] }

/** One snapshot of these policies. Throws RangeError when two have one name: neither may silently stand in for the other. */
export function policySetOf(policies: readonly ActivePolicy[]): PolicySet {
  const byName = new Map(policies.map((policy) => [policy.reference.name, policy]))
  if (byName.size === policies.length) return { get: (name) => byName.get(name), all: () => [...byName.values()] }
  const twice = policies.map(({ reference }) => reference.name).filter((name, at, names) => names.indexOf(name) !== at)
  throw new RangeError(`two policies are named ${twice.join(', ')}; \`strict\` is built in`)
}
