import { whyNot, type ReferenceSets } from '../appraisal/resolve-references.ts'
import { referenceFolder } from '../config/reference-sets.ts'
import { UsageError } from './exit.ts'
import { columns } from './output.ts'

/** One version of a set. */
export type ListedVersion = {
  readonly name: string
  readonly version: number
  readonly in_force: boolean
  /** `in force`, or why not. */
  readonly state: string
  readonly owner: string | null
  readonly sha256: string
}

/** All versions of all sets of a folder as they count at a time. Throws UsageError without a folder, ConfigError for one that cannot be used. */
export function listSets(folder: string | undefined, at: Date): readonly ListedVersion[] {
  if (folder === undefined) throw new UsageError('name a folder, or configure reference_dir')
  return versionsOf(referenceFolder(folder)(), at)
}

const versionsOf = (sets: ReferenceSets, at: Date): readonly ListedVersion[] =>
  [...sets].flatMap(([name, versions]) =>
    versions
      .toSorted((a, b) => a.version - b.version)
      .map((version) => {
        const why = whyNot(version, at)
        return {
          name,
          version: version.version,
          in_force: why === undefined,
          state: why ?? 'in force',
          owner: version.document?.owner ?? null,
          sha256: version.sha256,
        }
      }),
  )

/** The same for people. */
export const listText = (listed: readonly ListedVersion[]): string =>
  listed.length === 0
    ? 'no sets'
    : columns(
        listed.map(({ name, version, state, owner, sha256 }) => [`${name} ${version}`, `${state}; owner ${owner ?? 'unknown'}; ${sha256}`]),
      )
