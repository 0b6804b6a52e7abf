import type { AuditLog } from '../access/audit.ts'
import type { Config } from '../config.ts'
import type { DocumentStore } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { keepTokenKeys, type KeptKeys } from '../tokens/key-keeper.ts'
import { createKeyRing, lookingEvery, type RingParts } from '../tokens/key-ring.ts'
import { tokenKeyFiles } from '../tokens/key-files.ts'
import type { TokenKeyFile } from '../tokens/keys.ts'
import { keyTimes } from '../tokens/published-key.ts'
import { publishedKeysIn } from '../tokens/published-keys.ts'
import { clockOf } from './clock.ts'

type Shared = { readonly config: Config; readonly documents: DocumentStore; readonly log: Telemetry }

const DAY_MS = 86_400_000
/** Files and store are looked at once a second, and more often where keys live shorter than that. */
const everyMs = ({ tokenKeys }: Config): number => Math.min(1_000, tokenKeys.maxAgeSeconds * 250)

/** The files with the keys of a configuration. */
export const keyFilesOf = ({ audiences, tokenKeys, dataDir, mode }: Config): readonly TokenKeyFile[] =>
  tokenKeyFiles({ algorithms: audiences.map(({ alg }) => alg), named: tokenKeys.files, folder: dataDir, mode })

const ringParts = ({ config, documents, log }: Shared): RingParts => ({
  files: keyFilesOf(config),
  published: publishedKeysIn(documents),
  denied: new Set(config.tokenKeys.denied),
  times: keyTimes(config.tokenKeys.maxAgeSeconds, config.tokenLifetimeSeconds),
  now: clockOf(config),
  log,
})

/** The keys of a machine, for the process that owns its store. */
export const ownTokenKeys = (shared: Shared & { readonly audit: AuditLog }): Promise<KeptKeys> => {
  const { dataDir: folder, tokenKeys } = shared.config
  const days = tokenKeys.rotationDays
  const rotateMs = days === undefined ? undefined : days * DAY_MS
  return keepTokenKeys({ ...ringParts(shared), folder, audit: shared.audit, rotateMs, everyMs: everyMs(shared.config) })
}

/** The same keys for a process that obeys the owner. */
export async function followedTokenKeys(shared: Shared): Promise<Omit<KeptKeys, 'look'>> {
  const ring = await createKeyRing(ringParts(shared))
  await ring.look()
  return { ring, stop: lookingEvery(everyMs(shared.config), ring.look) }
}
