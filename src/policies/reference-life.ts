import type { PolicyReference } from '../appraisal/appraisal.ts'
import type { ReferenceChange, VersionStanding } from '../appraisal/reference-standing.ts'
import type { VersionEntry } from '../stores/stores.ts'
import type { Draft, Recorder } from './policies.ts'

/** A set of reference values as it is listed. */
export type ReferenceEntry = {
  readonly name: string
  readonly managedBy: 'store' | 'files'
  /** The versions that give policies values at this moment. */
  readonly inForce: readonly PolicyReference[]
  /** How often something was decided about a version; 0: never. To be named by whoever wants to decide on what they saw. */
  readonly counter: number
  readonly latest: Pick<VersionEntry, 'version' | 'sha256'>
}

/** A set with the text of its latest version. */
export type ReferenceView = ReferenceEntry & { readonly text: string; readonly etag: string }

/** A version and how it stands. Nobody knows who wrote what is kept in files, and when. */
export type StatedReference = Pick<VersionEntry, 'version' | 'sha256'> & {
  readonly author: string | null
  readonly created: Date | null
  readonly standing: VersionStanding
  /** Why it gives no value at this moment; null: it does. */
  readonly whyNot: string | null
}

/** The same with its text as it was written; of a file, its content as JSON. */
export type WholeReference = StatedReference & { readonly text: string }

/** What is decided about a version. */
export type ReferenceDecision = {
  readonly name: string
  readonly change: ReferenceChange
  readonly by: string
  /** Refused with `reference-values-conflict` when the set has another counter by now. */
  readonly expectedCounter?: number | undefined
}

/** The life of sets. Who may do these things is for the routes to ask. Each operation throws `reference-values-unknown` for a name that is nowhere. */
export type ReferenceLife = {
  readonly list: () => Promise<readonly ReferenceEntry[]>
  readonly get: (name: string) => Promise<ReferenceView>
  readonly versions: (name: string) => Promise<readonly StatedReference[]>
  readonly version: (name: string, version: number) => Promise<WholeReference>
  /** Throws `reference-values-invalid`, `reference-values-conflict`, `reference-values-managed-by-files` or `store-full`. */
  readonly put: (
    draft: Draft,
    record: Recorder,
  ) => Promise<{ readonly view: ReferenceView; readonly outcome: 'created' | 'added' | 'same' }>
  /**
   * Throws `reference-values-invalid`, `reference-values-conflict`, `reference-values-managed-by-files`, `reference-values-version-revoked`,
   * `reference-values-state-refused`, `activator-is-author` or `store-full`.
   */
  readonly decide: (decision: ReferenceDecision, record: Recorder) => Promise<ReferenceEntry>
}
