import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuditLog, type AuditWriter } from '../access/audit.ts'
import { deriveKeys, loadSecret, type DerivedKeys } from '../access/secrets.ts'
import type { Vendor } from '../collateral/source.ts'
import type { Config } from '../config.ts'
import { fileStores } from '../stores/file.ts'
import type { Stores } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { createFileChanges, type FileChanges } from './file-changes.ts'
import { clockOf } from './clock.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { ownTokenKeys } from './token-keys.ts'
import { vendorsOf } from './vendors.ts'

/** What a machine has once, however many processes it runs: the stores, one budget towards each vendor, and the one writer of the audit log. */
export type Owned = {
  readonly stores: Stores
  readonly vendor: Vendor
  readonly audit: AuditWriter
  /** What changes in the folders of operators. */
  readonly files: FileChanges
  readonly tokenKeys: KeyRing
  /** Ends what was opened, when nobody uses it any more. */
  readonly close: () => Promise<void>
}

/** The keys of this mode. Without Redis the secret is made on first start; with it, all replicas must have been given the same. */
export async function loadKeys(config: Config): Promise<DerivedKeys> {
  const path = config.secretFile ?? join(config.dataDir, 'secret')
  return deriveKeys(await loadSecret(path, config.redis === undefined ? 'create' : 'refuse'), config.mode)
}

/** The stores, and whom to ask for what they do not hold. */
export async function openOwned(config: Config, keys: DerivedKeys, log: Telemetry): Promise<Owned> {
  // First what may fail without having taken hold of anything.
  const vendor = await vendorsOf(config)
  const stores = await openStores(config, keys, log)
  try {
    const { auditRotateBytes: rotateBytes } = config
    const audit = await createAuditLog({ path: config.auditFile ?? join(config.dataDir, 'audit.jsonl'), rotateBytes, log })
    const files = await openFiles(config, keys, { audit, log })
    const { ring: tokenKeys, stop } = await ownTokenKeys({ config, documents: stores.documents, audit, log })
    const close = async () => {
      stop()
      await audit.close()
      await stores.close()
    }
    return { stores, vendor, audit, files, tokenKeys, close }
  } catch (error) {
    await stores.close()
    throw error
  }
}

const openFiles = (config: Config, keys: DerivedKeys, parts: { audit: AuditWriter; log: Telemetry }): Promise<FileChanges> =>
  createFileChanges({ path: join(config.dataDir, 'files-told'), keys, now: clockOf(config), ...parts })

/** Opens the stores. Rejects when another process has the data folder, or when Redis cannot be used. */
export async function openStores(config: Config, keys: DerivedKeys, log: Telemetry): Promise<Stores> {
  const { dataDir, mode, redis } = config
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  if (redis === undefined) return fileStores({ dataDir, keys, mode, log })
  // The client takes a tenth of a second to load, which a service without Redis need not wait for.
  const { redisStores } = await import('../stores/redis.ts')
  return redisStores({ ...redis, keys, mode, log, dataDir })
}
