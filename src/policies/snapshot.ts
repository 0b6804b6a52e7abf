import { weakenedBeside, type Audience } from '../access/audiences.ts'
import { policySetOf, type ActivePolicy } from '../appraisal/policy-set.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { FixedPolicy, Snapshot } from './policies.ts'
import type { StoredPolicy } from './stored.ts'

/** What a snapshot is made of. */
export type Sources = { readonly fixed: readonly FixedPolicy[]; readonly stored: readonly StoredPolicy[] }

/** A snapshot, and whether something was left out of it. */
export type Built = { readonly snapshot: Snapshot; readonly complete: boolean }

/**
 * Files and built-in policies first: a stored policy of the same name counts for nothing, and neither does one that would weaken an
 * audience which its operator did not give to it. Both are said in the log.
 */
export function buildSnapshot({ fixed, stored }: Sources, audiences: readonly Audience[], log: Telemetry): Built {
  const names = new Set(fixed.map(({ policy }) => policy.reference.name))
  const free = stored.filter(({ name }) => !names.has(name))
  for (const { name } of stored.filter((policy) => names.has(policy.name)))
    log.error({ policy: name }, 'a stored policy has the name of one that is built in or kept in files, and counts for nothing')
  const active = free.flatMap(({ active: policy }) => policy ?? [])
  const fit = active.filter((policy) => isFit(policy, audiences, log))
  const shadows = new Map(free.flatMap(({ name, shadow }) => (shadow === undefined ? [] : [[name, shadow] as const])))
  const { get, all } = policySetOf([...fixed.map(({ policy }) => policy), ...fit])
  return {
    snapshot: { get, all, shadow: (name) => shadows.get(name) },
    complete: free.length === stored.length && fit.length === active.length && free.every(({ faulty }) => !faulty),
  }
}

function isFit(policy: ActivePolicy, audiences: readonly Audience[], log: Telemetry): boolean {
  const problems = weakenedBeside(policy, audiences)
  if (problems.length > 0)
    log.error({ policy: policy.reference.name, problems }, 'a stored policy would weaken an audience, and counts for nothing')
  return problems.length === 0
}
