import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { assemble } from './service/assemble.ts'
import { ConfigError, loadConfig, problemText, type Config, type Loaded } from './config.ts'
import { groundsOf, type Grounds } from './config/grounds.ts'
import { loadPolicies } from './config/policies.ts'
import { listen } from './service/listener.ts'
import { loadKeys, openOwned } from './service/owned.ts'
import { signatureThreads } from './service/threads.ts'
import { createLog, type Telemetry } from './telemetry/log.ts'
import { listenText } from './config/listen.ts'

/** A running service. `drain` ends it politely: readiness false, requests under way finish, stores close. */
export type Running = { readonly port: number; readonly url: string; readonly drain: () => Promise<void> }

/** What the demonstration brings along: keys that exist in its memory only. */
export type Given = { readonly grounds?: Omit<Grounds, 'mode'>; readonly log?: Telemetry }

/** Starts the service in this process, or in as many as the configuration says. */
export async function serve(config: Config, given: Given = {}): Promise<Running> {
  const log = given.log ?? createLog(config.logLevel)
  warn(config, log)
  // Whatever is wrong with files is told before anything is opened.
  loadPolicies(config)
  const grounds = given.grounds ?? (await groundsOf(config))
  const keys = await loadKeys(config)
  const owned = await openOwned(config, keys, log)
  try {
    const serving = config.processes === 1 ? await alone() : await together()
    const url = `${config.tls === undefined ? 'http' : 'https'}://${listenText({ ...config.listen, port: serving.port })}`
    log.info({ url, issuer: config.issuer, mode: config.mode, processes: config.processes }, 'listening')
    const drain = async () => {
      await serving.drain()
      await owned.close()
    }
    return { port: serving.port, url, drain }
  } catch (error) {
    await owned.close()
    throw error
  }

  async function alone() {
    const assembled = await assemble({ config, grounds, keys, log, ...owned })
    return listen(assembled, config, { listen: config.listen, port: 'exclusive' })
  }
  async function together() {
    const { startProcesses } = await import('./service/processes.ts')
    return startProcesses(config, owned, log)
  }
}

function warn(config: Config, log: Telemetry): void {
  if (config.mode !== 'production') log.warn({ mode: config.mode }, 'not production: every token is marked as a demonstration')
  if (config.amdKds.transport !== 'https')
    log.warn({ url: config.amdKds.url }, 'DANGEROUSLY_PLAIN_HTTP: anybody on the way can withhold collateral')
  if (config.intel.transport !== 'https')
    log.warn({ url: config.intel.pccsUrl ?? config.intel.pcsUrl }, 'DANGEROUSLY_PLAIN_HTTP: anybody on the way can withhold collateral')
}

/** Runs until a signal: the first drains and exits 0, a second ends at once. One that comes during the start counts after it. */
export async function runService({ config, warnings }: Loaded): Promise<number> {
  const log = createLog(config.logLevel)
  for (const text of warnings) log.warn(text)
  // Counts only before the first use of a thread; forked processes inherit it.
  process.env['UV_THREADPOOL_SIZE'] ??= `${signatureThreads(availableParallelism(), config.processes)}`
  const asked = signalled()
  const running = await serve(config, { log })
  log.info({ signal: await asked }, 'draining')
  await running.drain()
  return 0
}

/** Resolves at the first signal that asks to end; at the second the process ends, with 128 and the signal's number as is usual. */
function signalled(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let count = 0
  const onSignal = (signal: NodeJS.Signals) => {
    count += 1
    if (count > 1) process.exit(signal === 'SIGINT' ? 130 : 143)
    resolve(signal)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal)
  return promise
}

async function main(): Promise<number> {
  if (process.argv.length > 2) {
    // A flag that is silently ignored may be one that somebody relies on.
    process.stderr.write('assay: npm start takes no arguments; settings come from ASSAY_… (see `assay serve --help`)\n')
    return 2
  }
  try {
    return await runService(loadConfig({ environment: process.env, readText: (path) => readFileSync(path, 'utf8') }))
  } catch (error) {
    const lines = error instanceof ConfigError ? error.problems.map(problemText) : [error instanceof Error ? error.message : String(error)]
    process.stderr.write(`assay: cannot start\n${lines.map((line) => `  ${line}\n`).join('')}`)
    return error instanceof ConfigError ? 2 : 1
  }
}

if (import.meta.main) process.exit(await main())
