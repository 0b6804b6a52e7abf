import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createCredentials } from '../access/credentials.ts'
import { createApp } from '../app.ts'
import type { Assembled } from './assemble.ts'
import type { Config } from '../config.ts'
import type { Listen } from '../config/listen.ts'
import type { Services } from '../routes/services.ts'
import { startServer, type RunningServer, type Tls } from './server.ts'
import type { Telemetry } from '../telemetry/log.ts'

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
  const servers = await startServers(services, config, shared)
  const unwatch = watchTls(config, servers, services.log)
  await readiness.start()
  // Lists are fetched beside the first requests: readiness tells when they are there, and no request waits for them.
  services.collateral.start().catch((error: unknown) => services.log.error({ err: error }, 'revocation lists could not be fetched'))
  return {
    port: servers[0].port,
    drain: async () => {
      readiness.startDraining()
      unwatch()
      const outcomes = await Promise.all(servers.map((server) => server.drain(DRAIN_MS)))
      services.log.info({ outcomes }, 'drained')
      await close()
    },
  }
}

/** Whoever sends credentials to the public listener while there is one for operators gets 401: they are not looked at there. */
const nobody = createCredentials([])

type Servers = readonly [RunningServer, ...RunningServer[]]

async function startServers(services: Services, config: Config, shared: { listen: Listen; port: 'exclusive' | 'reuse' }): Promise<Servers> {
  const tls = config.tls === undefined ? undefined : readTls(config.tls)
  const settings = { ...shared, issuer: config.issuer, tls }
  if (config.adminListen === undefined) return [await startServer(createApp(services), settings)]
  const open = await startServer(createApp({ ...services, credentials: nobody }), settings)
  const admin = await startServer(createApp(services), { ...settings, listen: config.adminListen })
  services.log.info({ host: admin.host, port: admin.port }, 'listening for operators')
  return [open, admin]
}

const readTls = ({ certFile, keyFile }: NonNullable<Config['tls']>): Tls => ({
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
})

/** A certificate that was renewed is used for new connections; one that cannot be read leaves the old one in place. */
function watchTls({ tls }: Config, servers: Servers, log: Telemetry): () => void {
  if (tls === undefined) return () => undefined
  const reload = () => {
    try {
      const renewed = readTls(tls)
      for (const server of servers) server.replaceTls(renewed)
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
