import { parentAudit } from '../access/parent-audit.ts'
import { assemble } from './assemble.ts'
import type { Config } from '../config.ts'
import { groundsOf } from '../config/grounds.ts'
import { listen, type Listening } from './listener.ts'
import { loadKeys } from './owned.ts'
import { followedTokenKeys } from './token-keys.ts'
import { parentFileChanges } from './parent-file-changes.ts'
import type { ToChild, ToParent } from './processes.ts'
import { parentStores } from '../stores/parent.ts'
import { createLog } from '../telemetry/log.ts'
import { parentVendor } from '../collateral/parent-vendor.ts'

/** One of several processes of a service. It obeys its parent, which owns the stores; without the parent it can decide nothing and ends. */
async function start(config: Config): Promise<Listening> {
  const [stores, log] = [parentStores(process), createLog(config.logLevel)]
  const { ring: tokenKeys } = await followedTokenKeys({ config, documents: stores.documents, log })
  const assembled = await assemble({
    config,
    grounds: await groundsOf(config),
    keys: await loadKeys(config),
    stores,
    vendor: parentVendor(process),
    audit: parentAudit(process),
    files: parentFileChanges(process),
    tokenKeys,
    log,
  })
  return listen(assembled, config, { listen: config.listen, port: 'reuse' })
}

const isOurs = (message: unknown): message is ToChild =>
  typeof message === 'object' && message !== null && 'assay' in message && (message.assay === 'start' || message.assay === 'drain')

function fail(error: unknown): never {
  process.stderr.write(`assay: a process cannot go on: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

let running: Promise<Listening> | undefined

async function obey(message: ToChild): Promise<void> {
  if (message.assay === 'drain') {
    await (await running)?.drain()
    process.exit(0)
  }
  running = start(message.config)
  await running
  const answer: ToParent = { assay: 'listening' }
  process.send?.(answer)
}

process.on('message', (message: unknown) => {
  if (isOurs(message)) obey(message).catch(fail)
})
process.on('disconnect', () => process.exit(1))
// A terminal signals the whole group; the parent decides what that means.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined)
