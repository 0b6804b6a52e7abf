import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createApp } from './app.ts'
import type { Assembled } from './assemble.ts'
import type { Config } from './config.ts'
import type { Listen } from './config/listen.ts'
import { startServer, type RunningServer, type Tls } from './server.ts'
import type { Telemetry } from './telemetry/log.ts'

/** One listening process. `drain` turns readiness off, lets requests under way finish for 30 s at most, and closes everything. */
export type Listening = { readonly port: number; readonly drain: () => Promise<void> }

/** Design section 8: requests under way finish, 30 s at most. */
const DRAIN_MS = 30_000
/** How often the certificate files are looked at; a renewed certificate has days before the old one ends. */
const TLS_POLL_MS = 5_000

/** Starts to serve what was assembled. With port `reuse` other processes share the port. */
export async function listen(
  assembled: Assembled,
  config: Config,
  shared: { listen: Listen; port: 'exclusive' | 'reuse' },
): Promise<Listening> {
  const { services, readiness, close } = assembled
  const tls = config.tls === undefined ? undefined : readTls(config.tls)
  const server = await startServer(createApp(services), { ...shared, issuer: config.issuer, tls })
  const unwatch = watchTls(config, server, services.log)
  await readiness.start()
  // Lists are fetched beside the first requests: readiness tells when they are there, and no request waits for them.
  services.collateral.start().catch((error: unknown) => services.log.error({ err: error }, 'revocation lists could not be fetched'))
  return {
    port: server.port,
    drain: async () => {
      readiness.startDraining()
      unwatch()
      const outcome = await server.drain(DRAIN_MS)
      services.log.info({ outcome }, 'drained')
      await close()
    },
  }
}

const readTls = ({ certFile, keyFile }: NonNullable<Config['tls']>): Tls => ({
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
})

/** A certificate that was renewed is used for new connections; one that cannot be read leaves the old one in place. */
function watchTls({ tls }: Config, server: RunningServer, log: Telemetry): () => void {
  if (tls === undefined) return () => undefined
  const reload = () => {
    try {
      server.replaceTls(readTls(tls))
      log.info('the TLS certificate was reloaded')
    } catch (error) {
      log.error({ err: error }, 'the TLS certificate could not be reloaded; the old one stays')
    }
  }
  const files = [tls.certFile, tls.keyFile]
  for (const file of files) watchFile(file, { interval: TLS_POLL_MS, persistent: false }, reload)
  return () => {
    for (const file of files) unwatchFile(file, reload)
  }
}
