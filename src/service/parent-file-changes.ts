import { auditUnavailable } from '../access/audit.ts'
import { caller, serve, type Channel } from '../stores/ipc.ts'
import type { FileCollection } from '../stores/stores.ts'
import { fileDocuments, type FileChanges } from './file-changes.ts'

/** The name of the changes of files on the channel between processes. */
const SERVICE = 'file-changes'

/** Tells in the parent what a child read: of several children that read the same, one has it told. */
export function serveFileChanges(changes: FileChanges, child: Channel): void {
  serve(child, SERVICE, {
    record: async (collection, documents) => changes.record(collectionIn(collection), fileDocuments.parse(documents)),
  })
}

/** The parent's changes of files as a forked child sees them. */
export function parentFileChanges(channel: Channel): FileChanges {
  const call = caller(channel, SERVICE)
  return {
    record: async (collection, documents) => {
      try {
        await call('record', collection, documents)
      } catch (error) {
        throw auditUnavailable('the parent process has not recorded the change of files', error)
      }
    },
  }
}

function collectionIn(value: unknown): FileCollection {
  if (value === 'policies' || value === 'reference-values') return value
  throw new Error('not a collection')
}
