import type { Config } from '../config.ts'
import { referenceFolder } from '../config/reference-sets.ts'
import { watchFolder } from '../policies/folder.ts'
import type { RecordFiles } from '../policies/files.ts'
import { createReferences, type References } from '../policies/references.ts'
import type { Stores } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import type { FileChanges } from './file-changes.ts'

type Parts = { readonly config: Config; readonly stores: Stores; readonly files: FileChanges; readonly log: Telemetry }

/** The sets of reference values of one process. Rejects with what is wrong in the folder, or when the store cannot be read. */
export async function referencesOf(
  { config: { referenceDir, separateAuthorAndActivator }, stores, files, log }: Parts,
  now: () => Date,
): Promise<References> {
  // Looked at before its files are read, so that no change falls between.
  const folder = referenceDir === undefined ? undefined : await watchFolder(referenceDir)
  const readFixed = referenceFolder(referenceDir)
  const recordFiles: RecordFiles = (documents) => files.record('reference-values', documents)
  return createReferences({ readFixed, recordFiles, store: stores.documents, separateAuthorAndActivator, now, log }, folder)
}
