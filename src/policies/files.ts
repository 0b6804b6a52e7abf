import type { ReferenceSets, ReferenceVersion } from '../appraisal/resolve-references.ts'
import type { FixedPolicy } from './policies.ts'

/** A document of operators that is kept in files, as it counts or is about to. Of a set of reference values, with what its file says of it. */
export type FileDocument = Pick<ReferenceVersion, 'version' | 'sha256'> & {
  readonly name: string
  readonly standing?: ReferenceVersion['standing'] | undefined
}

/**
 * Called with all documents of a folder before they count: what cannot be recorded does not. What is the same as the time before is not
 * told again. Rejects with `audit-unavailable`.
 */
export type RecordFiles = (documents: readonly FileDocument[]) => Promise<void>

/** The policies that are kept in files. */
export const policyFiles = (fixed: readonly FixedPolicy[]): readonly FileDocument[] =>
  fixed.flatMap(({ policy, managedBy }) => (managedBy === 'files' ? [policy.reference] : []))

/** The versions of sets that are kept in files. */
export const referenceFiles = (fixed: ReferenceSets): readonly FileDocument[] =>
  [...fixed].flatMap(([name, versions]) => versions.map(({ version, sha256, standing }) => ({ name, version, sha256, standing })))
