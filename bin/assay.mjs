#!/usr/bin/env node
// Plain JavaScript that any Node can read: hands over to the Node of this project, which runs TypeScript as it is.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node')
const child = spawn(
  existsSync(own) ? own : process.execPath,
  ['--max-semi-space-size=16', join(root, 'src', 'cli', 'assay.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
)

// A terminal sends its signals to the whole group; a supervisor sends them to this process alone, so they are handed on.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`assay: cannot start ${own}: ${error.message}\n`)
  process.exitCode = 70
})
child.on('exit', (code, signal) => {
  if (signal === null) process.exitCode = code ?? 70
  else process.exitCode = 128 + (signal === 'SIGKILL' ? 9 : signal === 'SIGTERM' ? 15 : 2)
})
