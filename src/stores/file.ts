import type { Telemetry } from '../telemetry/log.ts'
import type { Mode } from '../verifiers/verifier.ts'
import type { StoreKeys, Stores } from './stores.ts'

export type FileStoreOptions = { readonly dataDir: string; readonly keys: StoreKeys; readonly mode: Mode; readonly log: Telemetry }

/** One machine's store: documents and marks in files, spent challenges in memory. Rejects when another process holds the folder. */
export async function fileStores(_options: FileStoreOptions): Promise<Stores> {
  throw new Error('not yet')
}
