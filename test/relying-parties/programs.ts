import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where `npm run recipes` puts programs that no package of the system has. */
const PROGRAMS = resolve(import.meta.dirname, '../../.programs/bin')

/** A program that a recipe is about; `ci` if a bare Debian machine can have it. */
type Wanted = { readonly name: string; readonly version: readonly string[]; readonly ci: boolean }

/** Its path; undefined where it is not there: the tests that need it are skipped, and a line says so. Where CI can have it, its absence fails. */
export function program({ name, version, ci }: Wanted): string | undefined {
  const own = join(PROGRAMS, name)
  const path = existsSync(own) ? own : name
  if (spawnSync(path, version, { stdio: 'ignore' }).error === undefined) return path
  if (ci && process.env['CI'] === 'true') throw new Error(`CI needs ${name} on the PATH or in .programs/bin`)
  process.stderr.write(`${name} not found: the recipe that needs it is not run (npm run recipes gets it)\n`)
  return undefined
}

/** A server under test that is stopped with it. */
export type Started = { readonly log: () => string; readonly stop: () => Promise<void> }

/** How long a server may take until it listens; the machine may be busy. */
const PATIENCE_MS = 40_000

/** Starts a server and waits until its port answers. Rejects with its log when it ends before. */
export async function startProgram(path: string, args: readonly string[], { port }: { readonly port: number }): Promise<Started> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()))
  const deadline = Date.now() + PATIENCE_MS
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${path} does not listen:\n${said}`)
    await sleep(50)
  }
  return { log: () => said, stop: () => stopped(child) }
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve: answer } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.once('connect', () => answer(true))
  socket.once('error', () => answer(false))
  return promise.finally(() => socket.destroy())
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const overdue = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(overdue)
}

/** What a program that ends came to. */
type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** Where and with what a program is run. */
type Run = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string }

/** Runs a program to its end while this process goes on answering: the service that the program asks lives in it. */
export async function runProgram(path: string, args: readonly string[], { input = '', ...options }: Run = {}): Promise<Ended> {
  const child = spawn(path, args, options)
  const said = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}
