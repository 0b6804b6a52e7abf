/** Runs ShellCheck over every shell script that we ship. Absent on a developer's machine it is skipped with a line; with CI=true it must be there. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'

const scripts = [...globSync('clients/node/*'), ...globSync('.ci/*'), ...globSync('docs/**/*.sh')].filter((path) => {
  const first = readFileSync(path, 'utf8').split('\n', 1)[0] ?? ''
  return /^#!.*\b(?:ba|da)?sh$/.test(first)
})

const { status, error } = spawnSync('shellcheck', scripts, { stdio: 'inherit' })
if (error !== undefined && process.env['CI'] !== 'true')
  process.stdout.write('shellcheck is not installed: shell scripts are not checked\n')
else process.exitCode = scripts.length > 0 && status === 0 ? 0 : 1
