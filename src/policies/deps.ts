import type { Audience } from '../access/audiences.ts'
import type { DocumentStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { RecordFiles } from './files.ts'
import type { FixedPolicy } from './policies.ts'
import type { Floor } from './reading.ts'

/** What the policies of one process depend on. */
export type PoliciesDeps = {
  /** The built-in policies and those of the folder, as they are now. Throws with everything that is wrong with them. */
  readonly readFixed: () => readonly FixedPolicy[]
  /** Looked at every second; undefined: there is none. */
  readonly folder: string | undefined
  readonly recordFiles: RecordFiles
  readonly store: DocumentStore
  readonly audiences: readonly Audience[]
  readonly floor: Floor
  /** Whether a version must be activated by somebody else than its author. */
  readonly separateAuthorAndActivator: boolean
  readonly now: () => Date
  readonly log: Telemetry
  /** Milliseconds that only go forward; tests give their own. */
  readonly clock?: () => number
}
