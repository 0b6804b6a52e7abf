import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serveAudit } from '../access/parent-audit.ts'
import { serveFileChanges } from './parent-file-changes.ts'
import type { Config } from '../config.ts'
import type { Listen } from '../config/listen.ts'
import type { Listening } from './listener.ts'
import type { Owned } from './owned.ts'
import type { Channel } from '../stores/ipc.ts'
import { serveStores } from '../stores/parent.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { serveVendor } from '../collateral/parent-vendor.ts'
import { sharingRefreshes } from '../collateral/shared-refreshes.ts'

/** What the parent says to a child. Store and vendor calls travel on the same channel under their own names. */
export type ToChild = { readonly assay: 'start'; readonly config: Config } | { readonly assay: 'drain' }
/** What a child says once it listens. */
export type ToParent = { readonly assay: 'listening' }

/** A child that ends sooner than this after its start has a fault that another start does not mend at once. */
const HEALTHY_MS = 10_000
const RESTART_DELAY_MS = 1_000
/** Longer than a child takes to drain. */
const KILL_MS = 35_000

/**
 * Megabytes of each half of the young heap. V8 would let it grow to several times as much on a machine with much memory, and no
 * faster: what an appraisal allocates is dead when it ends (docs/performance.md). `npm start` and the image say the same.
 */
const HEAP = ['--max-semi-space-size=16']

type Fleet = {
  readonly owned: Owned
  readonly log: Telemetry
  readonly children: Set<ChildProcess>
  /** With what a child is replaced; undefined before all have started once, and when the fleet drains: then none is. */
  replace: Config | undefined
}

/**
 * Share-nothing processes on one port: each has its own listener and caches; this parent alone owns the stores and the vendors' budgets.
 * Rejects when one of the first children cannot listen; a child that ends later is replaced.
 */
export async function startProcesses(config: Config, owned: Owned, log: Telemetry): Promise<Listening> {
  const fleet: Fleet = { owned: { ...owned, vendor: sharingRefreshes(owned.vendor) }, log, children: new Set(), replace: undefined }
  const port = await claimPort(config.listen)
  const settled = { ...config, listen: { ...config.listen, port } }
  try {
    await Promise.all(Array.from({ length: config.processes }, () => startChild(fleet, settled)))
    fleet.replace = settled
    return { port, drain: () => drain(fleet) }
  } catch (error) {
    for (const child of fleet.children) child.kill('SIGKILL')
    throw error
  }
}

/**
 * Takes the port for a moment without sharing it: children that share a port would also share it with another service, and half of the
 * requests would go there. Where 0 was asked for, this is also how a port is found that all of them can use.
 */
async function claimPort(listen: Listen): Promise<number> {
  const server = createServer().listen(listen)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the listener has no port')
  return address.port
}

/** Starts one child and resolves when it listens. Rejects if it ends before. */
async function startChild(fleet: Fleet, config: Config): Promise<void> {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [], { serialization: 'advanced', execArgv: HEAP })
  const startedAt = Date.now()
  fleet.children.add(child)
  const channel = channelTo(child)
  serveStores(fleet.owned.stores, channel)
  serveVendor(fleet.owned.vendor, channel)
  serveAudit(fleet.owned.audit, channel)
  serveFileChanges(fleet.owned.files, channel)
  child.on('error', (error) => fleet.log.error({ err: error, pid: child.pid }, 'a process failed'))
  child.once('exit', (code, signal) => {
    fleet.children.delete(child)
    replace(fleet, { pid: child.pid, code, signal, lived: Date.now() - startedAt })
  })
  say(child, { assay: 'start', config })
  await listening(child)
}

function listening(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.on('message', (message: unknown) => {
    if (isListening(message)) resolve()
  })
  child.once('exit', (code, signal) => reject(new Error(`a process ended before it listened (${signal ?? code})`)))
  return promise
}

const isListening = (message: unknown): message is ToParent =>
  typeof message === 'object' && message !== null && 'assay' in message && message.assay === 'listening'

type Ended = { readonly pid: number | undefined; readonly code: number | null; readonly signal: string | null; readonly lived: number }

function replace(fleet: Fleet, ended: Ended): void {
  if (fleet.replace === undefined) return
  fleet.log.error(ended, 'a process ended unasked and is replaced')
  setTimeout(
    () => {
      if (fleet.replace === undefined) return
      // If this one ends before it listens, its own end brings the next.
      startChild(fleet, fleet.replace).catch((error: unknown) => fleet.log.error({ err: error }, 'a process could not be replaced'))
    },
    ended.lived < HEALTHY_MS ? RESTART_DELAY_MS : 0,
  )
}

async function drain(fleet: Fleet): Promise<void> {
  fleet.replace = undefined
  await Promise.all(
    [...fleet.children].map(async (child) => {
      const ended = once(child, 'exit')
      say(child, { assay: 'drain' })
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_MS)
      await ended
      clearTimeout(timer)
    }),
  )
}

function channelTo(child: ChildProcess): Channel {
  return {
    get connected() {
      return child.connected
    },
    send: (message) => typeof message === 'object' && message !== null && child.send(message, () => undefined),
    on: (event, listener) => (event === 'message' ? child.on('message', listener) : child.on('disconnect', () => listener(undefined))),
  }
}

/** A child that has just ended takes no message; its end is reported anyway. */
function say(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined)
}
