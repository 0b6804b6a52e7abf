import type { Stores } from '../stores/stores.ts'
import type { Anchors } from '../verifiers/verifier.ts'
import { configuration } from './load.ts'
import type { Session } from './output.ts'

/** Opens the configured store for one piece of work. */
export async function withStore<T>(session: Session, work: (stores: Stores, anchors: Anchors) => Promise<T>): Promise<T> {
  const { loadKeys, openStores } = await import('../service/owned.ts')
  const { groundsOf } = await import('../config/grounds.ts')
  const { createLog } = await import('../telemetry/log.ts')
  const { config } = configuration(session)
  const { anchors } = await groundsOf(config)
  const stores = await openStores(config, await loadKeys(config), createLog('warn'))
  try {
    return await work(stores, anchors)
  } finally {
    await stores.close()
  }
}
