import type { PoliciesDeps } from './deps.ts'
import { unknown } from './errors.ts'
import type { FixedPolicy, StatedVersion, VersionState, WholeVersion } from './policies.ts'
import { isRevoked } from './standing.ts'
import type { StoredPolicy } from './stored.ts'
import type { Found } from './views.ts'

/** All versions of a policy, in ascending order. */
export const statedVersions = (found: Found): readonly StatedVersion[] =>
  'fixed' in found
    ? [fixedVersion(found.fixed)]
    : found.stored.versions.map((entry) => ({ ...entry, state: stateOf(entry.version, found.stored) }))

/** One version with its text. Throws `policy-unknown`. */
export async function versionOf(found: Found, version: number, { store }: PoliciesDeps): Promise<WholeVersion> {
  if ('stored' in found) {
    const document = await store.read('policies', found.stored.name, version)
    if (document !== undefined) return { ...document, state: stateOf(version, found.stored) }
  } else if (version === found.fixed.policy.reference.version) return { ...fixedVersion(found.fixed), text: found.fixed.text }
  throw unknown('the policy has no such version')
}

const fixedVersion = ({ policy: { reference } }: FixedPolicy): StatedVersion => ({
  ...reference,
  author: null,
  created: null,
  state: 'active',
})

/** What a version was decided to count for. */
function stateOf(version: number, { standing }: StoredPolicy): VersionState {
  if (standing === undefined) return 'draft'
  if (isRevoked(standing, version)) return 'revoked'
  if (standing.active === version) return 'active'
  return standing.shadow === version ? 'shadow' : 'draft'
}
