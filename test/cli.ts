import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { run } from '../src/cli/program.ts'

/** What a command line came to. */
export type Ran = { readonly code: number | null; readonly out: string; readonly err: string }

/** Runs a command line in this process. */
export async function assay(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const code = await run(args, {
    out: (text) => void out.push(text),
    raw: (bytes) => void out.push(Buffer.from(bytes).toString('latin1')),
    note: (text) => void err.push(text),
    environment,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const LAUNCHER = resolve(import.meta.dirname, '../bin/assay.mjs')

/** Runs a command line as an operator does, in a process of its own; `bytes` is standard output untouched. */
export function assayProcess(args: readonly string[], input?: string): Ran & { readonly bytes: Uint8Array } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], {
    env: { PATH: process.env['PATH'] ?? '' },
    ...(input === undefined ? {} : { input }),
  })
  return { code: status, bytes: stdout, out: stdout.toString('utf8'), err: stderr.toString('utf8') }
}

/** A folder of files that ends with the test. */
export type Files = {
  readonly path: (name: string) => string
  readonly write: (name: string, content: unknown) => string
  readonly remove: () => void
}

/** Makes one; anything but text and bytes is written as JSON. */
export function tempFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'assay-test-'))
  const path = (name: string) => join(folder, name)
  const write = (name: string, content: unknown) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content))
    return path(name)
  }
  return { path, write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
