import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { resolveReferences, type ReferenceSets } from '../appraisal/resolve-references.ts'
import { referenceFolder } from '../config/reference-sets.ts'

/** The sets in a folder; none without one, so that an entry that names a set accepts nothing. Throws ConfigError for files that cannot be used. */
export const setsIn = (folder: string | undefined): ReferenceSets => referenceFolder(folder)()

/** A policy with the values of sets in their places, as they stand at a time. Its name and digest stay those of the document. */
export function filled({ reference, document: written }: ActivePolicy, sets: ReferenceSets, now: Date): ActivePolicy {
  const { document, used, ends } = resolveReferences(written, sets, now)
  return { reference, document, sets: { used, ends } }
}
