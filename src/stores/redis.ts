import type { Telemetry } from '../telemetry/log.ts'
import type { Mode } from '../verifiers/verifier.ts'
import type { StoreKeys, Stores } from './stores.ts'

export type RedisStoreOptions = {
  readonly url: string
  /** In front of every key, for example `assay:`. */
  readonly prefix: string
  readonly keys: StoreKeys
  readonly mode: Mode
  readonly log: Telemetry
  /** Where this process remembers the highest marks it has seen; absent: in memory only. */
  readonly dataDir?: string
}

/** The store that replicas share. Rejects when the server cannot be used. */
export async function redisStores(_options: RedisStoreOptions): Promise<Stores> {
  throw new Error('not yet')
}
