import type { PolicyReference } from '../appraisal/appraisal.ts'
import { unknown } from './errors.ts'
import type { FixedPolicy, PolicyEntry } from './policies.ts'
import type { PolicyState } from './state.ts'
import type { StoredPolicy } from './stored.ts'

/** A policy wherever it is kept. */
export type Found = { readonly fixed: FixedPolicy } | { readonly stored: StoredPolicy }

/** The policy of this name; one that is fixed hides one that is stored. Undefined when there is none. */
export function find(name: string, state: PolicyState): Found | undefined {
  const fixed = state.fixed().find(({ policy }) => policy.reference.name === name)
  if (fixed !== undefined) return { fixed }
  const stored = state.stored().find((policy) => policy.name === name)
  return stored === undefined ? undefined : { stored }
}

/** The same, or throws `policy-unknown`. */
export function findOrThrow(name: string, state: PolicyState): Found {
  const found = find(name, state)
  if (found === undefined) throw unknown('there is no policy of this name')
  return found
}

/** All of them, in alphabetical order of names. */
export function all(state: PolicyState): readonly Found[] {
  const names = new Set([...state.fixed().map(({ policy }) => policy.reference.name), ...state.stored().map(({ name }) => name)])
  return [...names].toSorted().map((name) => findOrThrow(name, state))
}

/** What is listed of a policy. `active` is what judges, not what was asked for. */
export function entryOf(found: Found, state: PolicyState): PolicyEntry {
  if ('fixed' in found) return fixedEntry(found.fixed)
  const { name, counter, versions } = found.stored
  const snapshot = state.snapshot()
  const latest = versions.at(-1)
  if (latest === undefined) throw new Error('a stored policy has no version')
  return {
    name,
    managedBy: 'store',
    active: snapshot.get(name)?.reference ?? null,
    shadow: snapshot.shadow(name)?.reference ?? null,
    counter,
    latest: { version: latest.version, sha256: latest.sha256 },
  }
}

function fixedEntry({ policy: { reference }, managedBy }: FixedPolicy): PolicyEntry {
  const { name, version, sha256 } = reference
  return { name, managedBy, active: reference, shadow: null, counter: 0, latest: { version, sha256 } }
}

/** Names one version of one policy, so that whoever wants to write the next can say which one they saw (RFC 9110 section 8.8.3). */
export const etagOf = ({ version, sha256 }: Pick<PolicyReference, 'version' | 'sha256'>): string => `"${version}-${sha256}"`
